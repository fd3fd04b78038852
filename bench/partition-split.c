/*
 * Trades dealt out over partitions by a counting sort, batch by batch, as one writes it in C.
 *
 *   partition-split FILE ROWS SYMBOLS PARTITIONS BATCH_ROWS
 *
 * FILE holds the columns one after the other: i64 time, f64 price, f64 size, u32 symbol, and then
 * the u32 partition of each symbol. For every byte on stdin it runs once and prints
 * `nanoseconds cpu_nanoseconds checksum`; the checksum is made in a run of its own.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static size_t rows, partitions, batch_rows;
static const int64_t *times;
static const double *prices, *sizes;
static const uint32_t *codes, *partition_of;
static int64_t *out_times;
static double *out_prices, *out_sizes;
static uint32_t *out_codes, *starts, *next;

static double run(int is_summed) {
  double sum = 0;
  for (size_t from = 0; from < rows; from += batch_rows) {
    size_t to = from + batch_rows < rows ? from + batch_rows : rows;
    memset(starts, 0, (partitions + 1) * sizeof *starts);
    for (size_t row = from; row < to; row++) starts[partition_of[codes[row]] + 1]++;
    for (size_t i = 0; i < partitions; i++) starts[i + 1] += starts[i];
    memcpy(next, starts, partitions * sizeof *next);
    for (size_t row = from; row < to; row++) {
      uint32_t place = next[partition_of[codes[row]]]++;
      out_times[place] = times[row];
      out_prices[place] = prices[row];
      out_sizes[place] = sizes[row];
      out_codes[place] = codes[row];
    }
    /* The columns count as read, whoever reads them. */
    __asm__ volatile("" : : "r"(out_times), "r"(out_sizes), "r"(out_codes) : "memory");
    if (!is_summed) continue;
    for (size_t i = 0; i < partitions; i++) {
      for (uint32_t row = starts[i]; row < starts[i + 1]; row++) {
        sum += out_prices[row] * (double)(i + 1 + (row - starts[i]) % 7);
      }
    }
  }
  return sum;
}

static long long nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  rows = strtoull(argv[2], 0, 10);
  size_t symbols = strtoull(argv[3], 0, 10);
  partitions = strtoull(argv[4], 0, 10);
  batch_rows = strtoull(argv[5], 0, 10);
  int file = open(argv[1], O_RDONLY);
  char *data =
      mmap(0, rows * 28 + symbols * 4, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (file < 0 || data == MAP_FAILED) return 1;
  times = (const int64_t *)data;
  prices = (const double *)(data + rows * 8);
  sizes = (const double *)(data + rows * 16);
  codes = (const uint32_t *)(data + rows * 24);
  partition_of = (const uint32_t *)(data + rows * 28);
  out_times = malloc(batch_rows * 8);
  out_prices = malloc(batch_rows * 8);
  out_sizes = malloc(batch_rows * 8);
  out_codes = malloc(batch_rows * 4);
  starts = malloc((partitions + 1) * sizeof *starts);
  next = malloc((partitions + 1) * sizeof *next);
  char command;
  while (read(0, &command, 1) == 1) {
    long long elapsed = nanoseconds(CLOCK_MONOTONIC);
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    run(0);
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%lld %lld %.17g\n", elapsed, cpu, run(1));
    fflush(stdout);
  }
  return 0;
}
