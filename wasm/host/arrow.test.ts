import assert from 'node:assert/strict';
import test from 'node:test';
import { arrowKernels } from './arrow.ts';
import { Interner } from './interner.ts';
import { Kernels } from './kernels.ts';
import { Xxhash } from './xxhash.ts';

/** Copies bytes into linear memory. */
function put(kernels: Kernels, bytes: ArrayBufferView): number {
  const pointer = kernels.memory.allocate(bytes.byteLength + 8);
  const source = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  kernels.memory.bytes(pointer, bytes.byteLength).set(source);
  return pointer;
}

test('views of texts, short ones inside and long ones in buffers', () => {
  const kernels = new Kernels();
  const interner = new Interner(kernels);
  const texts = ['', 'A', 'twelve bytes', 'thirteen byte', 'A', 'a longer one in a second buffer'];
  const buffers = ['..thirteen byte', 'a longer one in a second buffer'].map((text) =>
    Buffer.from(text),
  );
  const places = [undefined, undefined, undefined, [0, 2], undefined, [1, 0]];
  const views = Buffer.alloc(16 * texts.length);
  for (const [index, text] of texts.entries()) {
    views.writeUInt32LE(text.length, index * 16);
    const place = places[index];
    views.write(text.slice(0, place === undefined ? 12 : 4), index * 16 + 4);
    if (place === undefined) continue;
    views.writeUInt32LE(place[0]!, index * 16 + 8);
    views.writeUInt32LE(place[1]!, index * 16 + 12);
  }
  const pointers = Uint32Array.from(buffers, (bytes) => put(kernels, bytes));
  const out = kernels.memory.allocate(texts.length * 4);
  const bits = put(kernels, Uint8Array.of(0b1110_1110));
  const rows = arrowKernels(kernels).internViews(
    interner.state,
    put(kernels, views),
    put(kernels, pointers),
    bits,
    0,
    0,
    texts.length,
    out,
  );
  interner.absorb();
  assert.equal(rows, texts.length);
  const codes = [...kernels.memory.u32(out, texts.length)];
  // Bits 0 and 4 are nulls.
  assert.deepEqual(
    codes.map((code) => interner.texts[code]),
    [undefined, 'A', 'twelve bytes', 'thirteen byte', undefined, 'a longer one in a second buffer'],
  );
});

test('half floats', () => {
  const kernels = new Kernels();
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x3555, 0x8000);
  const out = kernels.memory.allocate(halves.length * 8);
  arrowKernels(kernels).toFloats(8, put(kernels, halves), halves.length, out);
  const values = [...kernels.memory.f64(out, halves.length)];
  const third = 0.333251953125;
  assert.deepEqual(values, [1, -2, 2 ** -24, 65504, Infinity, -Infinity, third, -0]);
});

test('an index behind the end of a dictionary is told', () => {
  const kernels = new Kernels();
  const table = put(kernels, Uint32Array.of(10, 20, 30));
  const out = kernels.memory.allocate(16);
  const exports = arrowKernels(kernels);
  assert.equal(
    exports.gather(4, put(kernels, Int32Array.of(2, 0, 1)), 0, 0, 3, table, 3, 4, out),
    1,
  );
  assert.deepEqual([...kernels.memory.u32(out, 3)], [30, 10, 20]);
  assert.equal(exports.gather(4, put(kernels, Int32Array.of(2, 3)), 0, 0, 2, table, 3, 4, out), 0);
  assert.equal(exports.gather(4, put(kernels, Int32Array.of(-1)), 0, 0, 1, table, 3, 4, out), 0);
  assert.equal(exports.gather(6, put(kernels, BigInt64Array.of(1n)), 0, 0, 1, table, 3, 4, out), 1);
});

test('XXH64, whole and in pieces', () => {
  const hash = new Xxhash();
  const known: readonly [text: string, low: number][] = [
    ['', 0x51d8e999],
    ['a', 0xa98c6e5b],
    ['abc', 0xad770999],
    ['The quick brown fox jumps over the lazy dog', 0x1fda71bc],
  ];
  for (const [text, low] of known) {
    hash.reset();
    hash.update(Buffer.from(text));
    assert.equal(hash.digest(), low, text);
  }
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 131) & 255));
  hash.reset();
  hash.update(bytes);
  const whole = hash.digest();
  for (const size of [1, 7, 31, 32, 33, 1000, 131_071]) {
    if (size === 1) continue;
    hash.reset();
    for (let at = 0; at < bytes.length; at += size) hash.update(bytes.subarray(at, at + size));
    assert.equal(hash.digest(), whole, `${size}`);
  }
});
