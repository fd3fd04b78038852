/**
 * How many anomalies there were of each (key, time, revision, type): a hash table in typed arrays,
 * which neither makes nor hashes a text for an anomaly.
 *
 *   records  i32[capacity * 8]: key, type, low and high word of the time, low and high word of the
 *            revision, count, hash; in order of arrival
 *   places   i32[capacity * 2]: record number + 1, or 0; open addressing, one step at a time
 *
 * Costs 40 bytes a record, and amortised O(1) a count.
 */

/** What is counted. A row without a revision has that of INT64_MIN. */
export interface AnomalyIdentity {
  /** Code of the key. */
  readonly key: number;
  /** Code of the type. */
  readonly type: number;
  readonly timeLow: number;
  readonly timeHigh: number;
  readonly revisionLow: number;
  readonly revisionHigh: number;
}

export const NO_REVISION_LOW = 0;
export const NO_REVISION_HIGH = -(2 ** 31);

const FIELDS = 8;
const KEY = 0;
const TYPE = 1;
const TIME_LOW = 2;
const TIME_HIGH = 3;
const REVISION_LOW = 4;
const REVISION_HIGH = 5;
const COUNT = 6;
const HASH = 7;
const CAPACITY_START = 64;

export class AnomalyCounts {
  #records = new Int32Array(CAPACITY_START * FIELDS);
  #places = new Int32Array(CAPACITY_START * 2);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds to the count of the anomaly, which starts at 0, and returns it. */
  add(identity: AnomalyIdentity, amount = 1): number {
    const hash = hashOf(identity);
    const mask = this.#places.length - 1;
    const records = this.#records;
    let place = hash & mask;
    for (let record = this.#places[place]!; record > 0; record = this.#places[place]!) {
      const at = (record - 1) * FIELDS;
      if (records[at + HASH] === hash && isAt(records, at, identity)) {
        return (records[at + COUNT]! += amount);
      }
      place = (place + 1) & mask;
    }
    this.#append(identity, hash, amount, place);
    return amount;
  }

  /** Forgets what has a time below the given one. */
  forget(timeLow: number, timeHigh: number): void {
    const records = this.#records;
    let kept = 0;
    for (let record = 0; record < this.#size; record++) {
      const at = record * FIELDS;
      const high = records[at + TIME_HIGH]!;
      const isBelow =
        high < timeHigh || (high === timeHigh && records[at + TIME_LOW]! >>> 0 < timeLow >>> 0);
      if (isBelow) continue;
      if (kept < record) records.copyWithin(kept * FIELDS, at, at + FIELDS);
      kept++;
    }
    if (kept === this.#size) return;
    this.#size = kept;
    this.#resize(capacityFor(kept));
  }

  /** Every count, in order of first arrival. */
  *entries(): Generator<readonly [AnomalyIdentity, number]> {
    for (let record = 0; record < this.#size; record++) {
      const fields = this.#records.subarray(record * FIELDS, (record + 1) * FIELDS);
      const identity: AnomalyIdentity = {
        key: fields[KEY]!,
        type: fields[TYPE]!,
        timeLow: fields[TIME_LOW]!,
        timeHigh: fields[TIME_HIGH]!,
        revisionLow: fields[REVISION_LOW]!,
        revisionHigh: fields[REVISION_HIGH]!,
      };
      yield [identity, fields[COUNT]!];
    }
  }

  #append(identity: AnomalyIdentity, hash: number, count: number, place: number): void {
    const at = this.#size * FIELDS;
    const records = this.#records;
    records[at + KEY] = identity.key;
    records[at + TYPE] = identity.type;
    records[at + TIME_LOW] = identity.timeLow;
    records[at + TIME_HIGH] = identity.timeHigh;
    records[at + REVISION_LOW] = identity.revisionLow;
    records[at + REVISION_HIGH] = identity.revisionHigh;
    records[at + COUNT] = count;
    records[at + HASH] = hash;
    this.#places[place] = ++this.#size;
    if (this.#size === records.length / FIELDS) this.#resize(this.#size * 2);
  }

  #resize(capacity: number): void {
    const records = new Int32Array(capacity * FIELDS);
    records.set(this.#records.subarray(0, this.#size * FIELDS));
    const places = new Int32Array(capacity * 2);
    const mask = places.length - 1;
    for (let record = 0; record < this.#size; record++) {
      let place = records[record * FIELDS + HASH]! & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = record + 1;
    }
    this.#records = records;
    this.#places = places;
  }
}

/** A power of two above the number of records. */
function capacityFor(size: number): number {
  return Math.max(CAPACITY_START, 2 ** (32 - Math.clz32(size)));
}

function isAt(records: Int32Array, at: number, identity: AnomalyIdentity): boolean {
  return (
    records[at + KEY] === identity.key &&
    records[at + TYPE] === identity.type &&
    records[at + TIME_LOW] === identity.timeLow &&
    records[at + TIME_HIGH] === identity.timeHigh &&
    records[at + REVISION_LOW] === identity.revisionLow &&
    records[at + REVISION_HIGH] === identity.revisionHigh
  );
}

function hashOf(identity: AnomalyIdentity): number {
  let hash = Math.imul(identity.key, 0x9e3779b1) ^ identity.timeLow;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) ^ identity.timeHigh;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) ^ identity.type;
  hash = Math.imul(hash ^ (hash >>> 16), 0x27d4eb2f) ^ identity.revisionLow;
  hash = Math.imul(hash ^ (hash >>> 15), 0x165667b1) ^ identity.revisionHigh;
  return hash ^ (hash >>> 16);
}
