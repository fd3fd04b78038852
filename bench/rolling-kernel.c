/*
 * Rolling statistics of prices by symbol, as one writes them in C: a ring of the last rows of each
 * symbol, what is known of it updated in place. It knows nothing of nulls, disorder or time.
 *
 *   z        score of a price against the rows before it: mean and squared deviations by adding the
 *            newest and taking away the oldest (Welford), which an outlier spoils for good
 *   median   sorted values, of which the oldest is taken out and the newest put in by memmove
 *   ewm      score against exponentially weighted moments
 *
 * rolling-kernel FILE ROWS SYMBOLS WINDOW: for each letter z, m or e on stdin prints the elapsed and
 * processor time in ns and the sum of the results. FILE holds f64 prices[ROWS], u32 symbols[ROWS].
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct record {
  uint32_t count, head;
  double mean, squares;
};

static size_t rows, symbols, window;
static const double *prices;
static const uint32_t *codes;
static struct record *records;
static double *rings, *sorted, *out;

static void score(void) {
  double share = 1.0 / (double)window, freedom = 1.0 / (double)(window - 1);
  for (size_t i = 0; i < rows; i++) {
    struct record *r = records + codes[i];
    double *ring = rings + codes[i] * window, x = prices[i];
    if (r->count < window) {
      out[i] = NAN;
      ring[r->count++] = x;
      double step = x - r->mean;
      r->mean += step / r->count;
      r->squares += step * (x - r->mean);
      continue;
    }
    double variance = r->squares * freedom;
    out[i] = variance > 0 ? (x - r->mean) / sqrt(variance) : NAN;
    double old = ring[r->head], step = x - old, mean = r->mean + step * share;
    r->squares += step * (x - mean + old - r->mean);
    r->mean = mean;
    ring[r->head] = x;
    r->head = r->head + 1 == window ? 0 : r->head + 1;
  }
}

static size_t below(const double *values, size_t count, double x) {
  size_t low = 0;
  while (count > 0) {
    size_t half = count / 2;
    int is_below = values[low + half] < x;
    low = is_below ? low + half + 1 : low;
    count = is_below ? count - half - 1 : half;
  }
  return low;
}

static void median(void) {
  for (size_t i = 0; i < rows; i++) {
    struct record *r = records + codes[i];
    double *ring = rings + codes[i] * window, *values = sorted + codes[i] * window, x = prices[i];
    size_t count = r->count;
    if (count == window) {
      size_t place = below(values, count, ring[r->head]);
      memmove(values + place, values + place + 1, (--count - place) * 8);
      ring[r->head] = x;
      r->head = r->head + 1 == window ? 0 : r->head + 1;
    } else {
      ring[r->count++] = x;
    }
    size_t place = below(values, count, x);
    memmove(values + place + 1, values + place, (count - place) * 8);
    values[place] = x;
    out[i] = r->count < window ? NAN : (values[(window - 1) / 2] + values[window / 2]) / 2;
  }
}

static void ewm(void) {
  double alpha = 0.1;
  for (size_t i = 0; i < rows; i++) {
    struct record *r = records + codes[i];
    double x = prices[i], step = x - r->mean;
    if (r->count++ == 0) {
      out[i] = NAN;
      r->mean = x;
      continue;
    }
    out[i] = r->squares > 0 ? step / sqrt(r->squares) : NAN;
    r->mean += alpha * step;
    r->squares = (1 - alpha) * (r->squares + alpha * step * step);
  }
}

static long long nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 5) return 2;
  rows = strtoull(argv[2], 0, 10), symbols = strtoull(argv[3], 0, 10);
  window = strtoull(argv[4], 0, 10);
  int file = open(argv[1], O_RDONLY);
  char *data = mmap(0, rows * 12, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (file < 0 || data == MAP_FAILED) return 1;
  prices = (const double *)data;
  codes = (const uint32_t *)(data + rows * 8);
  records = malloc(symbols * sizeof *records);
  rings = malloc(symbols * window * 8);
  sorted = malloc(symbols * window * 8);
  out = malloc(rows * 8);
  memset(out, 0, rows * 8);
  char command;
  while (read(0, &command, 1) == 1) {
    memset(records, 0, symbols * sizeof *records);
    long long elapsed = nanoseconds(CLOCK_MONOTONIC);
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    if (command == 'z') score();
    else if (command == 'm') median();
    else ewm();
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    double sum = 0;
    for (size_t i = 0; i < rows; i++) sum += out[i] == out[i] ? fabs(out[i]) : 0;
    printf("%lld %lld %.17g\n", elapsed, cpu, sum);
    fflush(stdout);
  }
  return 0;
}
