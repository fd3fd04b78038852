/*
 * Scores rows by an isolation forest: the loop of wasm/assembly/forest.ts in C, over the same bytes.
 *
 *   forest FILE ROWS
 *
 * FILE holds a snapshot of the forest (f64: trees, depth, rows of a sample, bytes of the trees,
 * limit, n, then n more; then the trees, as wasm/assembly/_forest-nodes.ts has them), and f32 rows
 * of as many features as n / 3. For every byte on stdin it runs once and prints
 * `nanoseconds cpu_nanoseconds checksum`, where the checksum is the sum of the scores.
 */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 512

struct node {
  float threshold;
  uint32_t link;
};

static inline uint32_t step(const char *nodes, uint32_t at, const char *row) {
  const struct node *node = (const struct node *)(nodes + at);
  float value = *(const float *)(row + (node->link & 0xff));
  return (node->link >> 8) + ((uint32_t)(value > node->threshold) << 3);
}

static void add_paths(const char *forest, uint32_t trees, uint32_t depth, const char *rows,
                      size_t stride, size_t count, double *sums) {
  memset(sums, 0, count * sizeof *sums);
  for (uint32_t tree = 0; tree < trees; tree++) {
    const uint32_t *entry = (const uint32_t *)forest + 2 * tree;
    const char *nodes = forest + entry[0];
    const char *values = nodes + (size_t)entry[1] * 8;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
      const char *row = rows + i * stride;
      uint32_t a = 0, b = 0, c = 0, d = 0;
      for (uint32_t level = depth; level != 0; level--) {
        a = step(nodes, a, row);
        b = step(nodes, b, row + stride);
        c = step(nodes, c, row + 2 * stride);
        d = step(nodes, d, row + 3 * stride);
      }
      sums[i] += *(const double *)(values + a);
      sums[i + 1] += *(const double *)(values + b);
      sums[i + 2] += *(const double *)(values + c);
      sums[i + 3] += *(const double *)(values + d);
    }
    for (; i < count; i++) {
      uint32_t at = 0;
      for (uint32_t level = depth; level != 0; level--) at = step(nodes, at, rows + i * stride);
      sums[i] += *(const double *)(values + at);
    }
  }
}

static long long nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  size_t rows = strtoull(argv[2], 0, 10);
  int file = open(argv[1], O_RDONLY);
  struct stat about;
  if (file < 0 || fstat(file, &about) != 0) return 1;
  char *data = mmap(0, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (data == MAP_FAILED) return 1;
  const double *head = (const double *)data;
  uint32_t trees = head[0], depth = head[1], features = head[5] / 3;
  double size = head[2];
  const char *forest = data + (6 + 3 * features) * 8;
  const char *values = forest + (size_t)head[3];
  size_t stride = features * 4;
  double length = 2 * (log(size - 1) + 0.5772156649015329) - 2 * (size - 1) / size;
  double *scores = malloc(rows * sizeof *scores), sums[BLOCK];
  char command;
  while (read(0, &command, 1) == 1) {
    long long elapsed = nanoseconds(CLOCK_MONOTONIC);
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (size_t start = 0; start < rows; start += BLOCK) {
      size_t count = rows - start < BLOCK ? rows - start : BLOCK;
      add_paths(forest, trees, depth, values + start * stride, stride, count, sums);
      for (size_t i = 0; i < count; i++) scores[start + i] = exp2(-sums[i] / (trees * length));
    }
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double checksum = 0;
    for (size_t i = 0; i < rows; i++) checksum += scores[i];
    printf("%lld %lld %.17g\n", elapsed, cpu, checksum);
    fflush(stdout);
  }
  return 0;
}
