/** Bytes: what is written is read back, golden values pin the formats, damage is noticed. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ByteReader,
  ByteWriter,
  crc32c,
  snappyCompress,
  snappyDecompress,
  snappyPlainSize,
  snappySizeMax,
  uvarintSize,
} from '../../model/index.ts';

const safeInteger = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -200, max: 200 }),
  fc.constantFrom(
    ...[7, 14, 28, 31, 32, 35, 49].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits)]),
    Number.MAX_SAFE_INTEGER,
    Number.MIN_SAFE_INTEGER,
  ),
);

describe('variable-length integers', () => {
  test('come back as they went in, and agree with BigInt arithmetic', () => {
    fc.assert(
      fc.property(fc.array(safeInteger, { maxLength: 20 }), (values) => {
        const writer = new ByteWriter(1);
        for (const value of values) {
          writer.putVarint(value);
          writer.putUvarint(Math.abs(value));
          expect(uvarintSize(Math.abs(value))).toBe(uvarintBytes(BigInt(Math.abs(value))).length);
        }
        const expected = values.flatMap((value) => [
          ...uvarintBytes(BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))),
          ...uvarintBytes(BigInt(Math.abs(value))),
        ]);
        expect([...writer.view()]).toEqual(expected);
        const reader = new ByteReader(writer.view());
        for (const value of values) {
          expect(reader.takeVarint()).toBe(value);
          expect(reader.takeUvarint()).toBe(Math.abs(value) + 0);
        }
        expect(reader.failed).toBe(false);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  test('beyond 2⁵³ or cut off they fail instead of rounding', () => {
    for (const bytes of [[0x80], [], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]]) {
      const reader = new ByteReader(Uint8Array.from(bytes));
      expect(reader.takeUvarint()).toBe(0);
      expect(reader.failed).toBe(true);
    }
  });
});

function uvarintBytes(value: bigint): number[] {
  const bytes: number[] = [];
  while (value >= 128n) {
    bytes.push(Number(value & 127n) | 128);
    value >>= 7n;
  }
  return [...bytes, Number(value)];
}

test('fixed-width fields and texts come back as they went in', () => {
  fc.assert(
    fc.property(safeInteger, fc.nat(0xffff), fc.string({ unit: 'binary' }), (big, small, text) => {
      const writer = new ByteWriter(1);
      writer.putInt64(big);
      writer.putUint16(small);
      writer.putUvarintText(text);
      writer.putUint32(small * 65536);
      const reader = new ByteReader(writer.view());
      expect(reader.takeInt64()).toBe(big);
      expect(reader.takeUint16()).toBe(small);
      expect(reader.takeUvarintText()).toBe(text);
      expect(reader.takeUint32()).toBe(small * 65536);
      expect(reader.failed).toBe(false);
    }),
  );
});

describe('CRC-32C', () => {
  test('has the published check values', () => {
    expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa); // RFC 3720, B.4
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  });

  test('can be computed in pieces', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
        const middle = Math.min(cut, bytes.length);
        const first = crc32c(bytes, 0, middle);
        expect(crc32c(bytes, middle, bytes.length, first)).toBe(crc32c(bytes));
      }),
    );
  });
});

describe('snappy', () => {
  // Repetition at several distances, so that every kind of copy element occurs.
  const plain = fc
    .array(
      fc.oneof(
        fc.uint8Array({ maxLength: 80 }),
        fc.tuple(fc.nat(255), fc.nat(70_000)).map(([byte, n]) => new Uint8Array(n).fill(byte)),
        fc
          .tuple(fc.uint8Array({ minLength: 4, maxLength: 40 }), fc.nat(200))
          .map(([unit, n]) =>
            Uint8Array.from({ length: n * unit.length }, (_, i) => unit[i % unit.length]!),
          ),
      ),
      { maxLength: 6 },
    )
    .map((parts) => Uint8Array.from(Buffer.concat(parts)));

  test('gives back what was compressed, wherever it lies', () => {
    fc.assert(
      fc.property(plain, fc.nat(5), (data, at) => {
        const shifted = new Uint8Array(at + data.length);
        shifted.set(data, at);
        const block = new Uint8Array(at + snappySizeMax(data.length));
        const end = snappyCompress(shifted, at, shifted.length, block, at);
        expect(end).toBeLessThanOrEqual(block.length);
        expect(snappyPlainSize(block, at, end)).toBe(data.length);
        const out = new Uint8Array(data.length);
        expect(snappyDecompress(block, at, end, out)).toBe(data.length);
        expect(Buffer.compare(out, data)).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('reads a block made of every kind of element', () => {
    // "abcd", a copy of 4 at 4, of 12 at 8 (two-byte offset), of 3 at 20 (four-byte offset), "!"
    const block = Buffer.from(
      '18 0c 61626364 01 04 2e 0800 0b 14000000 00 21'.replaceAll(' ', ''),
      'hex',
    );
    const out = new Uint8Array(24);
    expect(snappyDecompress(block, 0, block.length, out)).toBe(24);
    expect(Buffer.from(out).toString()).toBe('abcdabcdabcdabcdabcdabc!');
  });

  test('refuses damaged blocks instead of reading or writing outside', () => {
    fc.assert(
      fc.property(plain, fc.nat(), fc.nat(255), (data, where, byte) => {
        const block = new Uint8Array(snappySizeMax(data.length));
        const end = snappyCompress(data, 0, data.length, block, 0);
        block[where % end] = byte;
        const out = new Uint8Array(data.length);
        try {
          const size = snappyDecompress(block, 0, end, out);
          expect(size).toBeLessThanOrEqual(out.length);
        } catch (error) {
          expect(String(error)).toContain('snappy:');
        }
      }),
      { numRuns: 200 },
    );
  });
});
