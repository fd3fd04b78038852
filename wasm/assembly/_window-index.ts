/**
 * Index of the records by key and start, for streams in great disorder, whose rows would walk far
 * along the list of their key. There is none before a kernel asks for one.
 *
 * A table of u32 record offsets, 0 where a slot is free, open addressing with linear probing; at
 * most half of the slots are taken. A record that goes leaves no mark: what follows it moves up.
 */

import { RECORD_KEY, RECORD_START, STATE_INDEX, STATE_INDEX_MASK } from './_window-state';

// @ts-ignore: decorator
@inline
function homeOf(key: u32, start: i64, mask: u32): u32 {
  const mixed = (<u64>start ^ (<u64>key << 40) ^ <u64>key) * 0x9e3779b97f4a7c15;
  return <u32>(mixed >> 32) & mask;
}

// @ts-ignore: decorator
@inline
function homeOfRecord(records: usize, record: u32, mask: u32): u32 {
  const address = records + record;
  return homeOf(load<u32>(address, RECORD_KEY), load<i64>(address, RECORD_START), mask);
}

// @ts-ignore: decorator
@inline
function slotAt(table: usize, slot: u32): usize {
  return table + (<usize>slot << 2);
}

export function findIndexed(state: usize, records: usize, key: u32, start: i64): u32 {
  const table = <usize>load<u32>(state, STATE_INDEX);
  const mask = load<u32>(state, STATE_INDEX_MASK);
  let slot = homeOf(key, start, mask);
  for (;; slot = (slot + 1) & mask) {
    const record = load<u32>(slotAt(table, slot));
    if (record == 0) break;
    const address = records + record;
    if (load<u32>(address, RECORD_KEY) == key && load<i64>(address, RECORD_START) == start) {
      return record;
    }
  }
  return 0;
}

export function indexRecord(state: usize, records: usize, record: u32): void {
  const table = <usize>load<u32>(state, STATE_INDEX);
  const mask = load<u32>(state, STATE_INDEX_MASK);
  let slot = homeOfRecord(records, record, mask);
  while (load<u32>(slotAt(table, slot)) != 0) slot = (slot + 1) & mask;
  store<u32>(slotAt(table, slot), record);
}

export function unindexRecord(state: usize, records: usize, record: u32): void {
  const table = <usize>load<u32>(state, STATE_INDEX);
  const mask = load<u32>(state, STATE_INDEX_MASK);
  let free = homeOfRecord(records, record, mask);
  while (load<u32>(slotAt(table, free)) != record) free = (free + 1) & mask;
  for (let slot = (free + 1) & mask; ; slot = (slot + 1) & mask) {
    const next = load<u32>(slotAt(table, slot));
    if (next == 0) break;
    // It may move up unless its home lies behind the free slot.
    const home = homeOfRecord(records, next, mask);
    if (((slot - home) & mask) < ((slot - free) & mask)) continue;
    store<u32>(slotAt(table, free), next);
    free = slot;
  }
  store<u32>(slotAt(table, free), 0);
}
