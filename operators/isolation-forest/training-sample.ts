/**
 * A bounded sample of rows to train from, the same whatever order the rows come in.
 *
 * Each row has a priority, a hash of its features, time and symbol; the rows of the smallest
 * priorities are kept, in their order. Two rows of one priority are the same row twice, so it makes
 * no difference which is kept. Rows with a feature that is not finite are counted and left out.
 *
 * Twice the sample is held at most; costs some 0.1 us a row.
 */

export class TrainingSample {
  readonly #width: number;
  readonly #rowsMax: number;
  readonly #seed: number;
  #priorities: Float64Array;
  #numbers: Float64Array;
  #held = 0;
  /** No row of a larger priority is among the smallest. */
  #largest = Number.POSITIVE_INFINITY;
  #seen = 0;
  #skipped = 0;

  constructor(width: number, rowsMax: number, seed: number) {
    this.#width = width;
    this.#rowsMax = rowsMax;
    this.#seed = seed;
    this.#priorities = new Float64Array(1024);
    this.#numbers = new Float64Array(1024 * width);
  }

  /** Rows that it was given. */
  get seen(): number {
    return this.#seen;
  }

  /** Of them, those left out. */
  get skipped(): number {
    return this.#skipped;
  }

  /**
   * @param columns A column a feature.
   * @param times Two words a row, the low one first.
   * @param keyHashes A number a row that follows from its symbol.
   */
  add(columns: readonly Float64Array[], times: Int32Array, keyHashes: Int32Array): void {
    for (let row = 0; row < keyHashes.length; row++) {
      this.#seen++;
      if (!columns.every((column) => Number.isFinite(Math.fround(column[row]!)))) {
        this.#skipped++;
        continue;
      }
      const priority = this.#priorityOf(columns, times, keyHashes[row]!, row);
      if (priority > this.#largest) continue;
      this.#makeRoom();
      this.#priorities[this.#held] = priority;
      const at = this.#held * this.#width;
      for (let i = 0; i < this.#width; i++) this.#numbers[at + i] = columns[i]![row]!;
      this.#held++;
    }
  }

  /** The rows, f64[rows * width]; at most `rowsMax`. */
  matrix(): Float64Array {
    const order = this.#order().subarray(0, this.#rowsMax);
    const matrix = new Float64Array(order.length * this.#width);
    for (const [i, row] of order.entries()) {
      matrix.set(this.#rowAt(row), i * this.#width);
    }
    return matrix;
  }

  #priorityOf(
    columns: readonly Float64Array[],
    times: Int32Array,
    keyHash: number,
    row: number,
  ): number {
    let first = mix(this.#seed, keyHash);
    let second = mix(~this.#seed, keyHash);
    const take = (word: number): void => {
      first = mix(first, word);
      second = mix(second ^ first, word);
    };
    take(times[2 * row]!);
    take(times[2 * row + 1]!);
    for (const column of columns) {
      number[0] = column[row]!;
      take(words[0]!);
      take(words[1]!);
    }
    return (first >>> 0) * 2 ** 21 + (second >>> 11);
  }

  #makeRoom(): void {
    if (this.#held < this.#priorities.length) return;
    if (this.#held < 2 * this.#rowsMax) {
      const room = Math.min(2 * this.#rowsMax, 2 * this.#held);
      this.#priorities = enlarged(this.#priorities, room);
      this.#numbers = enlarged(this.#numbers, room * this.#width);
      return;
    }
    const kept = this.#order().slice(0, this.#rowsMax);
    const priorities = Float64Array.from(kept, (row) => this.#priorities[row]!);
    const numbers = new Float64Array(this.#numbers.length);
    for (const [i, row] of kept.entries()) numbers.set(this.#rowAt(row), i * this.#width);
    this.#priorities.set(priorities);
    this.#numbers = numbers;
    this.#held = kept.length;
    this.#largest = priorities[priorities.length - 1]!;
  }

  /** Places of the rows held, by priority. */
  #order(): Uint32Array {
    const order = Uint32Array.from({ length: this.#held }, (_, row) => row);
    return order.sort((a, b) => this.#priorities[a]! - this.#priorities[b]!);
  }

  #rowAt(row: number): Float64Array {
    return this.#numbers.subarray(row * this.#width, (row + 1) * this.#width);
  }
}

const number = new Float64Array(1);
const words = new Int32Array(number.buffer);

function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return mixed ^ (mixed >>> 13);
}

function enlarged(values: Float64Array, length: number): Float64Array {
  const larger = new Float64Array(length);
  larger.set(values);
  return larger;
}
