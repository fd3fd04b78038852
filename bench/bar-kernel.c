/*
 * One-second bars over trades in time order: the loop one would write by hand in C, for this data
 * alone. No row is late or out of order, no value is null, every window of a symbol is written out
 * when its next one begins.
 *
 *   bar-kernel FILE ROWS SYMBOLS
 *
 * FILE holds the columns one after the other: i64 time (ns), f64 price, f64 size, u32 symbol.
 * For every byte on stdin it runs once and prints `nanoseconds cpu_nanoseconds bars checksum`.
 */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define WIDTH 1000000000LL

/* Variance by deviations from the first price of the window: no division per trade. */
struct open_bar {
  int64_t start;
  int64_t trades;
  double anchor, sum, squares;
  double low, high, close;
  double volume, notional;
};

struct bars {
  uint32_t *symbol;
  int64_t *start, *trades;
  double *open, *high, *low, *close, *volume, *vwap, *volatility;
};

static size_t write_bar(struct bars *out, size_t at, uint32_t symbol, const struct open_bar *bar) {
  double n = (double)bar->trades;
  double variance = (bar->squares - bar->sum * (bar->sum / n)) / (n - 1);
  out->symbol[at] = symbol;
  out->start[at] = bar->start;
  out->trades[at] = bar->trades;
  out->open[at] = bar->anchor;
  out->high[at] = bar->high;
  out->low[at] = bar->low;
  out->close[at] = bar->close;
  out->volume[at] = bar->volume;
  out->vwap[at] = bar->notional / bar->volume;
  out->volatility[at] = bar->trades < 2 ? NAN : sqrt(variance < 0 ? 0 : variance);
  return at + 1;
}

static size_t run(
    size_t rows, size_t symbols, const int64_t *restrict times, const double *restrict prices,
    const double *restrict sizes, const uint32_t *restrict codes, struct open_bar *restrict open,
    struct bars *out) {
  size_t count = 0;
  for (size_t code = 0; code < symbols; code++) {
    open[code].start = INT64_MIN / 2;
    open[code].trades = 0;
  }
  for (size_t row = 0; row < rows; row++) {
    uint32_t code = codes[row];
    struct open_bar *bar = open + code;
    int64_t time = times[row];
    double price = prices[row], size = sizes[row];
    if (time >= bar->start + WIDTH) {
      if (bar->trades > 0) count = write_bar(out, count, code, bar);
      *bar = (struct open_bar){
          time - time % WIDTH, 1, price, 0, 0, price, price, price, size, price * size,
      };
      continue;
    }
    double deviation = price - bar->anchor;
    bar->trades++;
    bar->sum += deviation;
    bar->squares += deviation * deviation;
    if (price < bar->low) bar->low = price;
    if (price > bar->high) bar->high = price;
    bar->close = price;
    bar->volume += size;
    bar->notional += price * size;
  }
  for (size_t code = 0; code < symbols; code++) {
    if (open[code].trades > 0) count = write_bar(out, count, (uint32_t)code, open + code);
  }
  return count;
}

static double checksum(const struct bars *out, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += out->open[i] + out->high[i] + out->low[i] + out->close[i] + out->volume[i] / 1e3 +
           out->vwap[i] + (double)out->trades[i];
    if (out->volatility[i] == out->volatility[i]) sum += out->volatility[i];
  }
  return sum;
}

static long long nanoseconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t rows = strtoull(argv[2], 0, 10), symbols = strtoull(argv[3], 0, 10);
  int file = open(argv[1], O_RDONLY);
  char *data = mmap(0, rows * 28, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (file < 0 || data == MAP_FAILED) return 1;
  const int64_t *times = (const int64_t *)data;
  const double *prices = (const double *)(data + rows * 8);
  const double *sizes = (const double *)(data + rows * 16);
  const uint32_t *codes = (const uint32_t *)(data + rows * 24);
  struct open_bar *open_bars = malloc(symbols * sizeof *open_bars);
  struct bars out = {malloc(rows * 4), malloc(rows * 8), malloc(rows * 8), malloc(rows * 8),
                     malloc(rows * 8), malloc(rows * 8), malloc(rows * 8), malloc(rows * 8),
                     malloc(rows * 8), malloc(rows * 8)};
  char command;
  while (read(0, &command, 1) == 1) {
    long long elapsed = nanoseconds(CLOCK_MONOTONIC);
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    size_t count = run(rows, symbols, times, prices, sizes, codes, open_bars, &out);
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%lld %lld %zu %.17g\n", elapsed, cpu, count, checksum(&out, count));
    fflush(stdout);
  }
  return 0;
}
