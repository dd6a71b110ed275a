/** The edges of every bit width: the place where codes go wrong. */
import { describe, expect, test } from 'vitest';
import { SampleBuffer } from '../../../model/index.ts';
import { BitCursor } from '../../../tsdb/chunk/bit-cursor.ts';
import { writeBits } from '../../../tsdb/chunk/bits.ts';
import { decodeChunk } from '../../../tsdb/chunk/decoder.ts';
import { padChunk } from '../../../tsdb/chunk/padded-chunk.ts';
import {
  takeVarbitInt,
  takeVarbitUint,
  writeVarbitInt,
  writeVarbitUint,
} from '../../../tsdb/chunk/varbit.ts';
import { nextXorWindow, NO_WINDOW } from '../../../tsdb/chunk/xor.ts';
import { Xor2Encoder } from '../../../tsdb/chunk/xor2-encoder.ts';
import { XorEncoder } from '../../../tsdb/chunk/xor-encoder.ts';

const PLACE = { file: 'chunk', offsetBytes: 0 };
const POWERS = [
  0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 13, 14, 16, 17, 18, 19, 20, 24, 25, 31, 32, 33, 50, 52,
];
/** On both sides of every power of two. */
const EDGES = [
  ...new Set(POWERS.flatMap((p) => [-2, -1, 0, 1, 2].flatMap((d) => [2 ** p + d, -(2 ** p) + d]))),
];

function cursorOn(bytes: Uint8Array, bitCount: number): BitCursor {
  const cursor = new BitCursor();
  const size = (bitCount + 7) >>> 3;
  cursor.reset(padChunk(bytes, 0, size), size, 0);
  return cursor;
}

describe('bits', () => {
  test('are written over whatever was there', () => {
    for (const count of [1, 2, 7, 8, 9, 15, 16, 17, 31, 32]) {
      for (let start = 0; start < 17; start++) {
        const bytes = new Uint8Array(16).fill(0xff);
        let position = writeBits(bytes, 0, 0, start || 1);
        position = writeBits(bytes, position, 0x5555_5555, count);
        writeBits(bytes, position, 1, 1);
        const cursor = cursorOn(bytes, position + 1);
        expect(cursor.takeBits(start || 1)).toBe(0);
        expect(cursor.takeBits(count)).toBe((0x5555_5555 & (2 ** count - 1)) >>> 0);
        expect(cursor.takeBit()).toBe(1);
      }
    }
  });

  test('of variable width come back at every edge', () => {
    for (const value of [...EDGES, 2 ** 55, -(2 ** 55), 2 ** 55 + 8, 2 ** 60]) {
      const bytes = new Uint8Array(24);
      let position = writeVarbitInt(bytes, 3, value);
      if (value >= 0) position = writeVarbitUint(bytes, position, value);
      const cursor = cursorOn(bytes, position);
      cursor.position = 3;
      expect(takeVarbitInt(cursor)).toBe(value);
      if (value >= 0) expect(takeVarbitUint(cursor)).toBe(value);
      expect(cursor.position).toBe(position);
    }
  });

  test.each([
    { value: 0, bits: 1 },
    { value: 4, bits: 5 },
    { value: -3, bits: 5 },
    { value: 5, bits: 9 },
    { value: -4, bits: 9 },
    { value: 32, bits: 9 },
    { value: 33, bits: 13 },
    { value: 256, bits: 13 },
    { value: 257, bits: 17 },
    { value: 2048, bits: 17 },
    { value: 2049, bits: 24 },
    { value: 131_072, bits: 24 },
    { value: 131_073, bits: 32 },
    { value: 2 ** 24, bits: 32 },
    { value: 2 ** 24 + 1, bits: 64 },
    { value: 2 ** 55 + 8, bits: 72 },
  ])('$value takes $bits bits', ({ value, bits }) => {
    expect(writeVarbitInt(new Uint8Array(16), 0, value)).toBe(bits);
  });
});

describe.each([
  { name: 'XOR', make: () => new XorEncoder() },
  { name: 'XOR2', make: () => new Xor2Encoder() },
])('$name', ({ make }) => {
  test('keeps times whose distances jump by every edge', () => {
    const first = 2 ** 45;
    for (const jump of EDGES) {
      const times = [first, first + 2 ** 53 / 8];
      const delta = times[1]! - times[0]!;
      if (delta + jump <= 0 || times[1]! + delta + jump > 2 ** 53) continue;
      times.push(times[1]! + delta + jump);
      const encoder = make();
      for (const timestampMs of times) encoder.append(timestampMs, 0, timestampMs % 7);
      const chunk = encoder.finish();
      const out = new SampleBuffer();
      decodeChunk(encoder.encoding, chunk, 0, chunk.length, -Infinity, Infinity, out, PLACE);
      expect(Array.from(out.timestampsMs.subarray(0, out.count)), `jump ${jump}`).toEqual(times);
    }
  });

  test('keeps values whose bits change in every stretch', () => {
    for (let leading = 0; leading < 64; leading++) {
      for (let width = 1; leading + width <= 64; width++) {
        const bits = ((1n << BigInt(width)) - 1n) << BigInt(64 - leading - width);
        const values = [0n, bits, 0n, bits ^ (bits & -bits), 5n];
        const encoder = make();
        values.forEach((value, i) => {
          encoder.append(1000 + i, Number(value >> 32n), Number(value & 0xffff_ffffn));
        });
        const chunk = encoder.finish();
        const out = new SampleBuffer();
        decodeChunk(encoder.encoding, chunk, 0, chunk.length, -Infinity, Infinity, out, PLACE);
        const back = values.map(
          (_, i) => (BigInt(out.valueHalves[i * 2 + 1]!) << 32n) | BigInt(out.valueHalves[i * 2]!),
        );
        expect(back).toEqual(values);
      }
    }
  });
});

describe('the window of a xor', () => {
  test('is kept while the bits fit, and tight when they do not', () => {
    const window = nextXorWindow(NO_WINDOW, 0x0000_ff00, 0);
    expect(window).toBe(16 | (40 << 8));
    expect(nextXorWindow(window, 0x0000_0f00, 0)).toBe(window);
    expect(nextXorWindow(window, 0x0001_ff00, 0)).toBe(15 | (40 << 8));
    expect(nextXorWindow(window, 0x0000_ff00, 1)).toBe(16);
    // Leading zeros have five bits.
    expect(nextXorWindow(NO_WINDOW, 0, 1)).toBe(31);
  });
});
