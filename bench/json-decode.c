/*
 * Lines of JSON into columns, as one writes it in C for this data: an object a line, its four
 * members in any order, numbers without an exponent, texts without escapes, no nulls, no spaces. It
 * trusts its input.
 *
 *   json-decode FILE ROWS
 *
 * For every byte on stdin it runs once and prints `nanoseconds cpu_nanoseconds checksum`.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 4096

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11};

struct text {
  const char *start;
  uint32_t length, code;
};

static struct text table[SLOTS];
static uint32_t texts;

static uint32_t intern(const char *start, uint32_t length) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)start[i]) * 16777619u;
  for (uint32_t slot = hash % SLOTS;; slot = (slot + 1) % SLOTS) {
    struct text *text = table + slot;
    if (text->start == 0) {
      *text = (struct text){start, length, texts};
      return texts++;
    }
    if (text->length == length && memcmp(text->start, start, length) == 0) return text->code;
  }
}

static const char *integer(const char *at, int64_t *value) {
  int64_t digits = 0;
  while (*at >= '0' && *at <= '9') digits = digits * 10 + (*at++ - '0');
  *value = digits;
  return at;
}

/* Exact, as there are fewer than sixteen digits. */
static const char *number(const char *at, double *value) {
  int64_t digits = 0;
  int places = 0;
  while (*at >= '0' && *at <= '9') digits = digits * 10 + (*at++ - '0');
  if (*at == '.') {
    const char *point = at++;
    while (*at >= '0' && *at <= '9') digits = digits * 10 + (*at++ - '0');
    places = (int)(at - point - 1);
  }
  *value = (double)digits / powers[places];
  return at;
}

static size_t run(const char *at, const char *end, int64_t *times, uint32_t *codes, double *prices,
                  double *sizes) {
  size_t row = 0;
  while (at < end) {
    at++;
    for (;;) {
      const char *name = ++at;
      while (*at != '"') at++;
      size_t length = (size_t)(at - name);
      at += 2;
      if (length == 10 && memcmp(name, "event_time", 10) == 0) {
        at = integer(at, times + row);
        times[row] *= 1000;
      } else if (length == 6 && memcmp(name, "symbol", 6) == 0) {
        const char *start = ++at;
        while (*at != '"') at++;
        codes[row] = intern(start, (uint32_t)(at - start));
        at++;
      } else if (length == 5 && memcmp(name, "price", 5) == 0) {
        at = number(at, prices + row);
      } else if (length == 4 && memcmp(name, "size", 4) == 0) {
        at = number(at, sizes + row);
      } else {
        return 0;
      }
      if (*at++ == '}') break;
    }
    at++;
    row++;
  }
  return row;
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
  int64_t *times = malloc(rows * 8);
  uint32_t *codes = malloc(rows * 4);
  double *prices = malloc(rows * 8), *sizes = malloc(rows * 8);
  char command;
  while (read(0, &command, 1) == 1) {
    memset(table, 0, sizeof table);
    texts = 0;
    long long elapsed = nanoseconds(CLOCK_MONOTONIC);
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    size_t count = run(data, data + about.st_size, times, codes, prices, sizes);
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double sum = texts;
    for (size_t i = 0; i < count; i++) {
      sum += (double)(times[i] / 1000 % 1000000) + prices[i] + sizes[i];
    }
    printf("%lld %lld %.17g\n", elapsed, cpu, sum);
    fflush(stdout);
  }
  return 0;
}
