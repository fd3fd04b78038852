/** What is written is read back; what is not as it was written is refused. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { EngineError, type ErrorCode } from '../contract/error.ts';
import { arbitraryCheckpoint } from './checkpoint.arbitrary.ts';
import type { Checkpoint } from './checkpoint.ts';
import { decodeCheckpoint, encodeCheckpoint, FORMAT_VERSION } from './checkpoint-file.ts';

const encode = (checkpoint: Checkpoint): Buffer => Buffer.concat(encodeCheckpoint(checkpoint));

function codeOf(bytes: Uint8Array): ErrorCode | 'accepted' {
  try {
    decodeCheckpoint(bytes, 'state/7');
    return 'accepted';
  } catch (error) {
    assert(error instanceof EngineError, String(error));
    assert(error.message.startsWith('cannot read state/7: '), error.message);
    return error.code;
  }
}

test('a checkpoint is read back as it was, wherever its bytes lie', () => {
  const property = fc.property(arbitraryCheckpoint, fc.nat(7), (checkpoint, offset) => {
    const bytes = encode(checkpoint);
    const moved = new Uint8Array(offset + bytes.length).subarray(offset);
    moved.set(bytes);
    const read = decodeCheckpoint(moved, 'state/7');
    assert.deepEqual(read, checkpoint);
    // Tables are copies, which may go to another thread.
    moved.fill(0);
    assert.deepEqual(read, checkpoint);
  });
  fc.assert(property, { numRuns: 200 });
});

test('every flipped byte and every truncation is damage', () => {
  const property = fc.property(
    arbitraryCheckpoint,
    fc.integer({ min: 1, max: 255 }),
    (checkpoint, flip) => {
      const bytes = encode(checkpoint);
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Uint8Array.from(bytes);
        flipped[at]! ^= flip;
        assert.equal(codeOf(flipped), 'checkpoint/damaged', `byte ${at} of ${bytes.length}`);
        const cut = bytes.subarray(0, at);
        assert.equal(codeOf(cut), 'checkpoint/damaged', `cut to ${at} of ${bytes.length}`);
      }
      const longer = Buffer.concat([bytes, Buffer.of(flip)]);
      assert.equal(codeOf(longer), 'checkpoint/damaged', 'a byte too many');
    },
  );
  fc.assert(property, { numRuns: 15 });
});

test('a newer version is refused as such, with both versions', () => {
  const [checkpoint] = fc.sample(arbitraryCheckpoint, { numRuns: 1, seed: 1 });
  const bytes = encode(checkpoint!);
  bytes.writeUInt32LE(FORMAT_VERSION + 1, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  assert.equal(codeOf(bytes), 'checkpoint/newer-format');
  assert.throws(() => decodeCheckpoint(bytes, 'state/7'), {
    message:
      `cannot read state/7: it has format ${FORMAT_VERSION + 1}, this version of Tidemark reads ` +
      `up to ${FORMAT_VERSION}; run the newer version, or start anew with --ignore-state`,
  });
});
