/**
 * Splitting the rows of a batch by partition: a stable counting sort, then one scatter a column.
 *
 *   codes        u32[rows]         code of each row's key
 *   orders       u16[codes]        rank of each key code's partition (partitions of a slot adjoin)
 *   counts       u32[ranks + 1]    out: start of each rank's rows; the last element is `rows`
 *   targets      u32[rows]         out: where each row goes
 *
 * And what the watermark needs of the event times, read in arrival order:
 *
 *   times        i64[rows]
 *   range        i64[3]            out: smallest time, largest time, largest lag of a row behind
 *                                  the largest time before it
 */

export function countRanks(
  codes: usize, orders: usize, rows: u32, counts: usize, ranks: u32,
): void {
  memory.fill(counts, 0, (<usize>ranks + 1) << 2);
  const end = codes + (<usize>rows << 2);
  for (let at = codes; at < end; at += 4) {
    const rank = <usize>load<u16>(orders + (<usize>load<u32>(at) << 1));
    const count = counts + (rank << 2);
    store<u32>(count, load<u32>(count) + 1);
  }
  let start: u32 = 0;
  for (let rank: u32 = 0; rank <= ranks; rank++) {
    const count = counts + (<usize>rank << 2);
    const rankRows = load<u32>(count);
    store<u32>(count, start);
    start += rankRows;
  }
}

/** `cursors` is a copy of `counts` that this function uses up. */
export function placeRows(
  codes: usize, orders: usize, rows: u32, cursors: usize, targets: usize,
): void {
  const bytes = <usize>rows << 2;
  for (let at: usize = 0; at < bytes; at += 4) {
    const rank = <usize>load<u16>(orders + (<usize>load<u32>(codes + at) << 1));
    const cursor = cursors + (rank << 2);
    const target = load<u32>(cursor);
    store<u32>(targets + at, target);
    store<u32>(cursor, target + 1);
  }
}

export function scatter8(values: usize, targets: usize, rows: u32, output: usize): void {
  for (let row: usize = 0; row < <usize>rows; row++) {
    const target = <usize>load<u32>(targets + (row << 2));
    store<u64>(output + (target << 3), load<u64>(values + (row << 3)));
  }
}

export function scatter4(values: usize, targets: usize, rows: u32, output: usize): void {
  for (let row: usize = 0; row < <usize>rows; row++) {
    const target = <usize>load<u32>(targets + (row << 2));
    store<u32>(output + (target << 2), load<u32>(values + (row << 2)));
  }
}

export function scatter1(values: usize, targets: usize, rows: u32, output: usize): void {
  for (let row: usize = 0; row < <usize>rows; row++) {
    store<u8>(output + <usize>load<u32>(targets + (row << 2)), load<u8>(values + row));
  }
}

export function timeRange(times: usize, rows: u32, range: usize): void {
  let smallest: i64 = i64.MAX_VALUE;
  let largest: i64 = i64.MIN_VALUE + 1;
  let lag: i64 = 0;
  const end = times + (<usize>rows << 3);
  for (let at = times; at < end; at += 8) {
    const time = load<i64>(at);
    if (time >= largest) {
      largest = time;
      if (time < smallest) smallest = time;
    } else {
      // Further apart than 63 bits tell counts as that.
      const behind = largest - time < 0 ? i64.MAX_VALUE : largest - time;
      if (behind > lag) lag = behind;
      if (time < smallest) smallest = time;
    }
  }
  store<i64>(range, smallest);
  store<i64>(range + 8, largest);
  store<i64>(range + 16, lag);
}

/** peaks[i] = largest of times[0 .. i - 1]; the beginning of time for the first row. */
export function peaksBefore(times: usize, rows: u32, peaks: usize): void {
  let largest: i64 = i64.MIN_VALUE + 1;
  const bytes = <usize>rows << 3;
  for (let at: usize = 0; at < bytes; at += 8) {
    store<i64>(peaks + at, largest);
    const time = load<i64>(times + at);
    if (time > largest) largest = time;
  }
}

/**
 * Turns peaks into the task's watermark at each row, in place:
 * max(floor, min(others, max(peakBefore, peak) - delay)). Returns how many rows are below theirs.
 */
export function rowWatermarks(
  peaks: usize, times: usize, rows: u32, peakBefore: i64, delay: i64, others: i64, floor: i64,
): u32 {
  let below: u32 = 0;
  const bytes = <usize>rows << 3;
  for (let at: usize = 0; at < bytes; at += 8) {
    let watermark = load<i64>(peaks + at);
    if (watermark < peakBefore) watermark = peakBefore;
    // The beginning of time stays what it is: there is nothing below it.
    watermark = watermark < i64.MIN_VALUE + 1 + delay ? i64.MIN_VALUE + 1 : watermark - delay;
    if (watermark > others) watermark = others;
    if (watermark < floor) watermark = floor;
    store<i64>(peaks + at, watermark);
    if (load<i64>(times + at) < watermark) below++;
  }
  return below;
}

/** values[i] = map[values[i]]; nulls (0xffffffff) stay. */
export function remapCodes(values: usize, rows: u32, map: usize): void {
  const end = values + (<usize>rows << 2);
  for (let at = values; at < end; at += 4) {
    const code = load<u32>(at);
    if (code != 0xffffffff) store<u32>(at, load<u32>(map + (<usize>code << 2)));
  }
}
