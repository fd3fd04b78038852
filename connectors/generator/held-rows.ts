/** Rows that arrive after their time: a heap by arrival (ties by sequence), in parallel arrays. */

const CAPACITY_START = 1024;

/** One row; filled in place, so that nothing is allocated for it. */
export interface MarketRow {
  /** Nanoseconds after the start of the market. */
  timeNs: number;
  symbol: number;
  price: number;
  size: number;
  venue: number;
  sequence: number;
}

export class HeldRows {
  #capacity = 0;
  #count = 0;
  /** Slots of the rows, as a binary heap. */
  #heap = new Uint32Array(0);
  #free = new Uint32Array(0);
  #arrivalNs = new Float64Array(0);
  #timeNs = new Float64Array(0);
  #symbol = new Uint32Array(0);
  #price = new Float64Array(0);
  #size = new Float64Array(0);
  #venue = new Uint8Array(0);
  #sequence = new Float64Array(0);

  get count(): number {
    return this.#count;
  }

  /** When the next row arrives; infinite where there is none. */
  get nextArrivalNs(): number {
    return this.#count === 0 ? Number.POSITIVE_INFINITY : this.#arrivalNs[this.#heap[0]!]!;
  }

  add(arrivalNs: number, row: Readonly<MarketRow>): void {
    if (this.#count === this.#capacity) this.#grow();
    const slot = this.#free[this.#count]!;
    this.#arrivalNs[slot] = arrivalNs;
    this.#timeNs[slot] = row.timeNs;
    this.#symbol[slot] = row.symbol;
    this.#price[slot] = row.price;
    this.#size[slot] = row.size;
    this.#venue[slot] = row.venue;
    this.#sequence[slot] = row.sequence;
    let at = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(slot, this.#heap[parent]!)) break;
      this.#heap[at] = this.#heap[parent]!;
      at = parent;
    }
    this.#heap[at] = slot;
  }

  /** Takes the row that arrives first. */
  take(row: MarketRow): void {
    const slot = this.#heap[0]!;
    row.timeNs = this.#timeNs[slot]!;
    row.symbol = this.#symbol[slot]!;
    row.price = this.#price[slot]!;
    row.size = this.#size[slot]!;
    row.venue = this.#venue[slot]!;
    row.sequence = this.#sequence[slot]!;
    const last = this.#heap[--this.#count]!;
    this.#free[this.#count] = slot;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isBefore(this.#heap[child + 1]!, this.#heap[child]!)) {
        child++;
      }
      if (!this.#isBefore(this.#heap[child]!, last)) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = last;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#arrivalNs[a]! - this.#arrivalNs[b]!;
    return difference < 0 || (difference === 0 && this.#sequence[a]! < this.#sequence[b]!);
  }

  #grow(): void {
    const capacity = Math.max(CAPACITY_START, this.#capacity * 2);
    const old = this.#capacity;
    const grow = <T extends Float64Array | Uint32Array | Uint8Array>(grown: T, values: T): T => {
      grown.set(values as never);
      return grown;
    };
    this.#heap = grow(new Uint32Array(capacity), this.#heap);
    this.#free = grow(new Uint32Array(capacity), this.#free);
    for (let slot = old; slot < capacity; slot++) this.#free[slot] = slot;
    this.#arrivalNs = grow(new Float64Array(capacity), this.#arrivalNs);
    this.#timeNs = grow(new Float64Array(capacity), this.#timeNs);
    this.#symbol = grow(new Uint32Array(capacity), this.#symbol);
    this.#price = grow(new Float64Array(capacity), this.#price);
    this.#size = grow(new Float64Array(capacity), this.#size);
    this.#venue = grow(new Uint8Array(capacity), this.#venue);
    this.#sequence = grow(new Float64Array(capacity), this.#sequence);
    this.#capacity = capacity;
  }
}
