/** The fields of a sample message, the same in both versions but for the start timestamp (2.0). */
import { uvarintSize, writeUvarint } from '../../../model/index.ts';

const VALUE_SIZE_BYTES = 1 + 8;
const NEGATIVE_SIZE_BYTES = 10;

/** @param startMs  0 for none */
export function sampleSize(timestampMs: number, startMs: number): number {
  const size = VALUE_SIZE_BYTES + 1 + int64Size(timestampMs);
  return startMs === 0 ? size : size + 1 + int64Size(startMs);
}

/** Returns where it ends. The value's bits are copied, so that a staleness marker stays one. */
export function writeSampleFields(
  bytes: Uint8Array,
  offset: number,
  valueHalves: Uint32Array,
  i: number,
  timestampMs: number,
  startMs: number,
): number {
  const low = valueHalves[i * 2]!;
  const high = valueHalves[i * 2 + 1]!;
  let at = offset;
  bytes[at++] = 0x09;
  bytes[at++] = low;
  bytes[at++] = low >>> 8;
  bytes[at++] = low >>> 16;
  bytes[at++] = low >>> 24;
  bytes[at++] = high;
  bytes[at++] = high >>> 8;
  bytes[at++] = high >>> 16;
  bytes[at++] = high >>> 24;
  bytes[at++] = 0x10;
  at = writeInt64(bytes, at, timestampMs);
  if (startMs === 0) return at;
  bytes[at++] = 0x18;
  return writeInt64(bytes, at, startMs);
}

function int64Size(value: number): number {
  return value < 0 ? NEGATIVE_SIZE_BYTES : uvarintSize(value);
}

function writeInt64(bytes: Uint8Array, offset: number, value: number): number {
  if (value >= 0) return writeUvarint(bytes, offset, value);
  let rest = BigInt.asUintN(64, BigInt(value));
  let at = offset;
  for (let i = 0; i < NEGATIVE_SIZE_BYTES - 1; i++, rest >>= 7n) {
    bytes[at++] = Number(rest & 0x7fn) | 0x80;
  }
  bytes[at++] = Number(rest);
  return at;
}
