import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtobufWriter, ValueError } from '../../../model/index.ts';
import { WireError } from '../../../src/remote/wire-error.ts';
import { WireScan } from '../../../src/remote/wire-scan.ts';

function scanOf(bytes: Uint8Array): WireScan {
  const scan = new WireScan();
  scan.reset(bytes);
  return scan;
}

describe('numbers', () => {
  test('of either sign come back', () => {
    const edge = fc.constantFrom(-1, 0, 127, 128, 2 ** 28 - 1, 2 ** 28, -(2 ** 31), 2 ** 53 - 1);
    const number = fc.oneof(edge, fc.maxSafeInteger(), fc.integer());
    fc.assert(
      fc.property(number, (value) => {
        const out = new ProtobufWriter();
        out.int64(1, value);
        const scan = scanOf(out.view().slice());
        expect(scan.uvarint(scan.bytes.length)).toBe(8);
        expect(scan.int64(scan.bytes.length)).toBe(value);
        expect(scan.at).toBe(scan.bytes.length);
      }),
    );
  });

  test('beyond 2⁵³ stay beyond', () => {
    const max = scanOf(Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255, 127));
    expect(max.int64(9)).toBe(2 ** 63);
    const min = scanOf(Uint8Array.of(128, 128, 128, 128, 128, 128, 128, 128, 128, 1));
    expect(min.int64(10)).toBe(-(2 ** 63));
  });

  test('that are cut off or too long are errors', () => {
    expect(() => scanOf(Uint8Array.of(0x80)).uvarint(1)).toThrow('unexpected EOF');
    expect(() => scanOf(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80)).int64(5)).toThrow(WireError);
    const long = scanOf(new Uint8Array(11).fill(0x80));
    expect(() => long.uvarint(11)).toThrow('integer overflow');
    long.at = 0;
    expect(() => long.int64(11)).toThrow('integer overflow');
  });
});

test('what is not wanted is passed, in its bounds', () => {
  const scan = scanOf(Uint8Array.of(0x80, 1, 3, 9, 9, 9, 0, 0, 0, 0, 7));
  scan.skip(0, 11);
  scan.skip(2, 11);
  scan.skip(5, 11);
  expect(scan.at).toBe(10);
  expect(() => scan.skip(1, 11)).toThrow('unexpected EOF');
  expect(() => scanOf(Uint8Array.of(5, 1)).skip(2, 2)).toThrow('unexpected EOF');
  expect(() => scanOf(Uint8Array.of(5, 1)).skip(3, 2)).toThrow('illegal wireType 3');
});

test('a malformed message is the sender’s fault', () => {
  expect(new WireError('x').code).toBe(new ValueError('x').code);
});
