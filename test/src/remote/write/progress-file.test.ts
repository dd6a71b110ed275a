import { expect, test } from 'vitest';
import {
  decodeProgress,
  encodeProgress,
  encodeSlot,
  slotOffsetBytes,
} from '../../../../src/remote/write/progress-file.ts';

const START = { segment: 3, offset: 4096, index: 0xffff_ffff };
const LATER = { segment: 4, offset: 10, index: 7 };

test('the bytes of a new file', () => {
  const slot = '0000000300001000ffffffff';
  const bytes = Buffer.from(encodeProgress(1, START));
  expect(bytes.length).toBe(32 + 64);
  expect(bytes.subarray(0, 4).toString('latin1')).toBe('NXRW');
  expect(bytes.subarray(8, 12).toString('hex')).toBe('00000001');
  expect(bytes.subarray(32, 44).toString('hex')).toBe(slot);
  expect(bytes.subarray(64, 76).toString('hex')).toBe(slot);
});

test('shards are noted one by one', () => {
  const bytes = encodeProgress(3, START);
  bytes.set(encodeSlot(LATER), slotOffsetBytes(1, 'sending'));
  bytes.set(encodeSlot(LATER), slotOffsetBytes(2, 'sending'));
  bytes.set(encodeSlot(LATER), slotOffsetBytes(2, 'handled'));
  const shards = decodeProgress(bytes)!;
  expect(shards).toEqual([
    { handled: START, sending: START },
    { handled: START, sending: LATER },
    { handled: LATER, sending: LATER },
  ]);
  // Nothing was on its way: told by its being the same.
  expect(shards[0]!.sending).toBe(shards[0]!.handled);
});

test('what was not written whole', () => {
  const bytes = encodeProgress(2, START);
  expect(decodeProgress(bytes.subarray(0, 100))).toBeNull();
  expect(decodeProgress(new Uint8Array(0))).toBeNull();
  expect(decodeProgress(bytes.with(0, 0))).toBeNull();
  expect(decodeProgress(bytes.with(11, 3))).toBeNull();
  // Without knowing how far it was there is nothing to go on from.
  expect(decodeProgress(bytes.with(slotOffsetBytes(0, 'handled'), 1))).toBeNull();
  expect(decodeProgress(bytes.with(slotOffsetBytes(1, 'sending'), 1))).toEqual([
    { handled: START, sending: START },
    { handled: START, sending: START },
  ]);
});
