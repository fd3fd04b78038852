/**
 * A hash table from texts to dense codes 0, 1, 2, …, open addressing, linear probing.
 *
 *   state   u32 slots       pointer to 16-byte slots: u64 key, u32 length + 1 (0 = free), u32 code
 *           u32 slot_mask   number of slots - 1
 *           u32 count       codes given out
 *           u32 count_max   codes there is room for: 5/8 of the slots
 *           u32 pool        pointer to the bytes of all texts, one after another
 *           u32 pool_used
 *           u32 pool_size
 *           u32 ends        pointer to u32[count_max]: where each text ends in the pool
 *           u32 wanted      length of the text that did not fit
 *
 * The key of a text of up to 8 bytes is the text itself, so that it is compared in one step; of a
 * longer one it is a hash, and the bytes in the pool decide. Texts are read in steps of 8 bytes: up
 * to 7 bytes behind a text must be readable.
 */

const SLOTS: usize = 0;
const SLOT_MASK: usize = 4;
const COUNT: usize = 8;
const COUNT_MAX: usize = 12;
const POOL: usize = 16;
const POOL_USED: usize = 20;
const POOL_SIZE: usize = 24;
const ENDS: usize = 28;
const WANTED: usize = 32;

/** No room: the host must grow the table and call again. */
export const FULL: u32 = 0xfffffffe;

const FACTOR: u64 = 0x9e3779b97f4a7c15;

// @ts-ignore: decorator
@inline
function slotOf(key: u64, length: u32): u32 {
  const mixed = (key ^ (<u64>length << 56)) * FACTOR;
  return <u32>(mixed >> 32) ^ <u32>(mixed >> 15);
}

function hashOf(text: usize, length: u32): u64 {
  let hash: u64 = length;
  const last = text + length - 8;
  for (let at = text; at < last; at += 8) {
    hash = (hash ^ load<u64>(at)) * FACTOR;
    hash ^= hash >> 29;
  }
  hash = (hash ^ load<u64>(last)) * FACTOR;
  return hash ^ (hash >> 32);
}

function add(state: usize, slot: usize, key: u64, text: usize, length: u32): u32 {
  const code = load<u32>(state, COUNT);
  const used = load<u32>(state, POOL_USED);
  if (code == load<u32>(state, COUNT_MAX) || length > load<u32>(state, POOL_SIZE) - used) {
    store<u32>(state, length, WANTED);
    return FULL;
  }
  memory.copy(<usize>load<u32>(state, POOL) + used, text, length);
  store<u32>(state, used + length, POOL_USED);
  store<u32>(<usize>load<u32>(state, ENDS) + (<usize>code << 2), used + length);
  store<u32>(state, code + 1, COUNT);
  store<u64>(slot, key);
  store<u32>(slot, length + 1, 8);
  store<u32>(slot, code, 12);
  return code;
}

function isSame(state: usize, code: u32, text: usize, length: u32): bool {
  const end = load<u32>(<usize>load<u32>(state, ENDS) + (<usize>code << 2));
  return memory.compare(<usize>load<u32>(state, POOL) + end - length, text, length) == 0;
}

/** Code of the text, which is added where it is new; FULL where there is no room for it. */
// @ts-ignore: decorator
@inline
export function intern(state: usize, text: usize, length: u32): u32 {
  const key =
    length > 8
      ? hashOf(text, length)
      : length == 0
        ? 0
        : load<u64>(text) & (<u64>-1 >> ((8 - length) << 3));
  const slots = <usize>load<u32>(state, SLOTS);
  const mask = load<u32>(state, SLOT_MASK);
  let index = slotOf(key, length) & mask;
  while (true) {
    const slot = slots + (<usize>index << 4);
    const found = load<u32>(slot, 8);
    if (found == 0) return add(state, slot, key, text, length);
    if (load<u64>(slot) == key && found == length + 1) {
      const code = load<u32>(slot, 12);
      if (length <= 8 || isSame(state, code, text, length)) return code;
    }
    index = (index + 1) & mask;
  }
}

/** Moves the entries of `old` (`oldCount` slots) to the slots of the state, which are all free. */
export function moveSlots(state: usize, old: usize, oldCount: u32): void {
  const slots = <usize>load<u32>(state, SLOTS);
  const mask = load<u32>(state, SLOT_MASK);
  for (let i: u32 = 0; i < oldCount; i++) {
    const from = old + (<usize>i << 4);
    const found = load<u32>(from, 8);
    if (found == 0) continue;
    let index = slotOf(load<u64>(from), found - 1) & mask;
    while (load<u32>(slots + (<usize>index << 4), 8) != 0) index = (index + 1) & mask;
    memory.copy(slots + (<usize>index << 4), from, 16);
  }
}
