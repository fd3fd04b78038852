/**
 * XXH64 with seed 0 over bytes that come in pieces: the checksum of zstd frames.
 *
 *   state   u64[4]  accumulators
 *           u64     bytes so far
 *           u8[32]  the last bytes, not yet a stripe of 32
 *
 * Collet: xxHash fast digest algorithm, specification 0.1.1.
 */

const PRIME_1: u64 = 0x9e3779b185ebca87;
const PRIME_2: u64 = 0xc2b2ae3d27d4eb4f;
const PRIME_3: u64 = 0x165667b19e3779f9;
const PRIME_4: u64 = 0x85ebca77c2b2ae63;
const PRIME_5: u64 = 0x27d4eb2f165667c5;

const LENGTH: usize = 32;
const REST: usize = 40;

export function reset(state: usize): void {
  store<u64>(state, PRIME_1 + PRIME_2);
  store<u64>(state, PRIME_2, 8);
  store<u64>(state, 0, 16);
  store<u64>(state, 0 - PRIME_1, 24);
  store<u64>(state, 0, LENGTH);
}

// @ts-ignore: decorator
@inline
function round(accumulator: u64, lane: u64): u64 {
  return rotl<u64>(accumulator + lane * PRIME_2, 31) * PRIME_1;
}

function stripes(state: usize, data: usize, end: usize): void {
  let a = load<u64>(state);
  let b = load<u64>(state, 8);
  let c = load<u64>(state, 16);
  let d = load<u64>(state, 24);
  for (; data < end; data += 32) {
    a = round(a, load<u64>(data));
    b = round(b, load<u64>(data, 8));
    c = round(c, load<u64>(data, 16));
    d = round(d, load<u64>(data, 24));
  }
  store<u64>(state, a);
  store<u64>(state, b, 8);
  store<u64>(state, c, 16);
  store<u64>(state, d, 24);
}

export function update(state: usize, data: usize, length: u32): void {
  const held = <u32>(load<u64>(state, LENGTH) & 31);
  store<u64>(state, load<u64>(state, LENGTH) + length, LENGTH);
  const end = data + length;
  const rest = state + REST;
  if (held + length < 32) {
    memory.copy(rest + held, data, length);
    return;
  }
  if (held != 0) {
    memory.copy(rest + held, data, 32 - held);
    stripes(state, rest, rest + 32);
    data += 32 - held;
  }
  const whole = data + ((end - data) & ~31);
  stripes(state, data, whole);
  memory.copy(rest, whole, end - whole);
}

// @ts-ignore: decorator
@inline
function merge(hash: u64, accumulator: u64): u64 {
  return (hash ^ round(0, accumulator)) * PRIME_1 + PRIME_4;
}

/** The low 32 bits of the hash: what a zstd frame keeps. */
export function digest(state: usize): u32 {
  const length = load<u64>(state, LENGTH);
  const a = load<u64>(state);
  const b = load<u64>(state, 8);
  const c = load<u64>(state, 16);
  const d = load<u64>(state, 24);
  let hash: u64 = PRIME_5;
  if (length >= 32) {
    hash = rotl<u64>(a, 1) + rotl<u64>(b, 7) + rotl<u64>(c, 12) + rotl<u64>(d, 18);
    hash = merge(merge(merge(merge(hash, a), b), c), d);
  }
  hash += length;
  let at = state + REST;
  const end = at + <usize>(length & 31);
  for (; at + 8 <= end; at += 8) {
    hash = rotl<u64>(hash ^ round(0, load<u64>(at)), 27) * PRIME_1 + PRIME_4;
  }
  if (at + 4 <= end) {
    hash = rotl<u64>(hash ^ (<u64>load<u32>(at) * PRIME_1), 23) * PRIME_2 + PRIME_3;
    at += 4;
  }
  for (; at < end; at++) hash = rotl<u64>(hash ^ (<u64>load<u8>(at) * PRIME_5), 11) * PRIME_1;
  hash = (hash ^ (hash >> 33)) * PRIME_2;
  hash = (hash ^ (hash >> 29)) * PRIME_3;
  return <u32>(hash ^ (hash >> 32));
}
