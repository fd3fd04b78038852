/*
 * Sliding windows over trades in time order, as one writes them in C: a ring of panes of each
 * symbol, and at the end of each pane the panes of the window merged, one after the other, for each
 * symbol. It knows nothing of nulls, disorder or watermarks.
 *
 *   hopping FILE ROWS SYMBOLS SLIDE_NS PANES_A PANES_B
 *
 * FILE holds the columns one after the other: i64 time (ns), f64 price, f64 size, u32 symbol.
 * For a letter a or b on stdin it runs once with so many panes a window and prints
 * `nanoseconds cpu_nanoseconds windows checksum`.
 */
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct pane {
  int64_t index, trades;
  double open, high, low, close, volume, notional, mean, squares;
};

struct windows {
  uint32_t *symbol;
  int64_t *end, *trades;
  double *open, *high, *low, *close, *volume, *vwap, *volatility;
};

static size_t symbols;

static void merge(struct pane *to, const struct pane *from) {
  if (to->trades == 0) {
    *to = *from;
    return;
  }
  double a = (double)to->trades, b = (double)from->trades, step = from->mean - to->mean;
  to->squares += from->squares + step * step * a * b / (a + b);
  to->mean += step * b / (a + b);
  to->trades += from->trades;
  if (from->high > to->high) to->high = from->high;
  if (from->low < to->low) to->low = from->low;
  to->close = from->close;
  to->volume += from->volume;
  to->notional += from->notional;
}

/* The windows that end with pane `last`. */
static size_t emit(const struct pane *rings, int64_t last, int64_t panes, struct windows *out,
                   size_t at) {
  for (size_t symbol = 0; symbol < symbols; symbol++) {
    const struct pane *ring = rings + symbol * panes;
    struct pane all = {0};
    for (int64_t index = last - panes + 1; index <= last; index++) {
      const struct pane *pane = ring + index % panes;
      if (pane->index == index) merge(&all, pane);
    }
    if (all.trades == 0) continue;
    out->symbol[at] = (uint32_t)symbol;
    out->end[at] = last;
    out->trades[at] = all.trades;
    out->open[at] = all.open;
    out->high[at] = all.high;
    out->low[at] = all.low;
    out->close[at] = all.close;
    out->volume[at] = all.volume;
    out->vwap[at] = all.notional / all.volume;
    out->volatility[at] = all.trades < 2 ? NAN : sqrt(all.squares / (double)(all.trades - 1));
    at++;
  }
  return at;
}

static size_t run(size_t rows, int64_t slide, int64_t panes, const int64_t *times,
                  const double *prices, const double *sizes, const uint32_t *codes,
                  struct pane *rings, struct windows *out) {
  size_t count = 0;
  for (size_t i = 0; i < symbols * panes; i++) rings[i].index = -1;
  int64_t current = times[0] / slide;
  int64_t next = (current + 1) * slide;
  for (size_t row = 0; row < rows; row++) {
    while (times[row] >= next) {
      count = emit(rings, current++, panes, out, count);
      next += slide;
    }
    struct pane *pane = rings + codes[row] * panes + current % panes;
    double price = prices[row], size = sizes[row];
    if (pane->index != current) {
      *pane = (struct pane){current, 1, price, price, price, price, size, price * size, price, 0};
      continue;
    }
    double step = price - pane->mean;
    pane->trades++;
    pane->mean += step / (double)pane->trades;
    pane->squares += step * (price - pane->mean);
    if (price > pane->high) pane->high = price;
    if (price < pane->low) pane->low = price;
    pane->close = price;
    pane->volume += size;
    pane->notional += price * size;
  }
  for (int64_t end = current + panes; current < end; current++) {
    count = emit(rings, current, panes, out, count);
  }
  return count;
}

static double checksum(const struct windows *out, size_t count) {
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
  if (argc != 7) return 2;
  size_t rows = strtoull(argv[2], 0, 10);
  symbols = strtoull(argv[3], 0, 10);
  int64_t slide = strtoll(argv[4], 0, 10);
  int64_t panes[2] = {strtoll(argv[5], 0, 10), strtoll(argv[6], 0, 10)};
  int64_t most = panes[0] > panes[1] ? panes[0] : panes[1];
  int file = open(argv[1], O_RDONLY);
  char *data = mmap(0, rows * 28, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (file < 0 || data == MAP_FAILED) return 1;
  const int64_t *times = (const int64_t *)data;
  const double *prices = (const double *)(data + rows * 8);
  const double *sizes = (const double *)(data + rows * 16);
  const uint32_t *codes = (const uint32_t *)(data + rows * 24);
  size_t room = ((times[rows - 1] - times[0]) / slide + 2 + most) * symbols;
  struct pane *rings = malloc(symbols * most * sizeof *rings);
  struct windows out = {malloc(room * 4), malloc(room * 8), malloc(room * 8), malloc(room * 8),
                        malloc(room * 8), malloc(room * 8), malloc(room * 8), malloc(room * 8),
                        malloc(room * 8), malloc(room * 8)};
  char command;
  while (read(0, &command, 1) == 1) {
    long long elapsed = nanoseconds(CLOCK_MONOTONIC);
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    size_t count =
        run(rows, slide, panes[command == 'b'], times, prices, sizes, codes, rings, &out);
    elapsed = nanoseconds(CLOCK_MONOTONIC) - elapsed;
    cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%lld %lld %zu %.17g\n", elapsed, cpu, count, checksum(&out, count));
    fflush(stdout);
  }
  return 0;
}
