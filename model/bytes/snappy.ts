/**
 * Snappy blocks: the compression of WAL records and remote-write bodies.
 *
 *   block    length of the plain data (uvarint), then elements
 *   element  low two bits of the first byte say what it is
 *     00  literal: length-1 in the upper six bits (60…63: in 1…4 further bytes), then the bytes
 *     01  copy:    length 4…11 in bits 2-4, offset 11 bits (upper three in bits 5-7)
 *     10  copy:    length-1 in the upper six bits, offset 16 bits little-endian
 *     11  copy:    length-1 in the upper six bits, offset 32 bits little-endian
 *
 * Source: Google's snappy format_description.txt.
 */
import { ValueError } from '../errors.ts';
import { writeUvarint } from './varint.ts';

const FRAGMENT_SIZE_BYTES = 1 << 16; // matches never reach across, so that offsets fit 16 bits
const HASH_BITS = 14;
const hashTable = new Uint16Array(1 << HASH_BITS);
/** Below this, looking for matches costs more than it saves. */
const MATCHABLE_SIZE_BYTES_MIN = 17;

/** Upper bound of the compressed size of `plainSizeBytes` bytes. */
export function snappySizeMax(plainSizeBytes: number): number {
  return 32 + plainSizeBytes + Math.floor(plainSizeBytes / 6);
}

/**
 * Compresses `input[start, end)` into `out` from `outStart`, which must have room for
 * {@link snappySizeMax}; returns the offset just past what was written.
 */
export function snappyCompress(
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  outStart: number,
): number {
  let position = writeUvarint(out, outStart, end - start);
  for (let at = start; at < end; at += FRAGMENT_SIZE_BYTES) {
    const fragmentEnd = Math.min(end, at + FRAGMENT_SIZE_BYTES);
    position = compressFragment(input, at, fragmentEnd, out, position);
  }
  return position;
}

function compressFragment(
  input: Uint8Array,
  base: number,
  end: number,
  out: Uint8Array,
  outStart: number,
): number {
  if (end - base < MATCHABLE_SIZE_BYTES_MIN) return writeLiteral(input, base, end, out, outStart);
  // A small table for small inputs: clearing it must not dominate.
  let bits = 8;
  while (bits < HASH_BITS && 1 << bits < end - base) bits++;
  const shift = 32 - bits;
  const table = hashTable;
  table.fill(0, 0, 1 << bits);

  // Four bytes at a time, at any offset: half the time of putting them together from single ones.
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const outView = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const limit = end - 15; // the last bytes are always literal, so loads of 16 stay inside
  let position = outStart;
  let literalStart = base;
  let at = base + 1;
  let misses = 32; // steps grow where nothing matches, so that noise is passed quickly
  while (at < limit) {
    const word = view.getInt32(at, true);
    const slot = Math.imul(word, 0x1e35a7bd) >>> shift;
    const candidate = base + table[slot]!;
    table[slot] = at - base;
    if (candidate >= at || view.getInt32(candidate, true) !== word) {
      at += misses++ >>> 5;
      continue;
    }
    misses = 32;
    const literalLength = at - literalStart;
    if (literalLength > 16 || position + 17 > out.length) {
      position = writeLiteral(input, literalStart, at, out, position);
    } else if (literalLength > 0) {
      // Always sixteen bytes: what is too much is written over by what follows.
      out[position++] = (literalLength - 1) << 2;
      outView.setInt32(position, view.getInt32(literalStart, true), true);
      outView.setInt32(position + 4, view.getInt32(literalStart + 4, true), true);
      outView.setInt32(position + 8, view.getInt32(literalStart + 8, true), true);
      outView.setInt32(position + 12, view.getInt32(literalStart + 12, true), true);
      position += literalLength;
    }
    let matchEnd = at + 4;
    let source = candidate + 4;
    while (matchEnd < limit && view.getInt32(matchEnd, true) === view.getInt32(source, true)) {
      matchEnd += 4;
      source += 4;
    }
    while (matchEnd < end && input[matchEnd] === input[source]) {
      matchEnd++;
      source++;
    }
    position = writeCopy(at - candidate, matchEnd - at, out, position);
    at = matchEnd;
    literalStart = at;
    if (at < limit) {
      const back = at - 1;
      table[Math.imul(view.getInt32(back, true), 0x1e35a7bd) >>> shift] = back - base;
    }
  }
  if (literalStart < end) position = writeLiteral(input, literalStart, end, out, position);
  return position;
}

function writeLiteral(
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  position: number,
): number {
  const length = end - start;
  if (length === 0) return position;
  const n = length - 1;
  if (n < 60) {
    out[position++] = n << 2;
  } else if (n < 0x100) {
    out[position++] = 60 << 2;
    out[position++] = n;
  } else {
    out[position++] = 61 << 2; // fragments are at most 2¹⁶ long, so two bytes always do
    out[position++] = n;
    out[position++] = n >>> 8;
  }
  if (length <= 32) {
    for (let i = start; i < end; i++) out[position++] = input[i]!;
    return position;
  }
  out.set(input.subarray(start, end), position);
  return position + length;
}

function writeCopy(offset: number, length: number, out: Uint8Array, position: number): number {
  while (length >= 68) {
    out[position++] = (63 << 2) | 2;
    out[position++] = offset;
    out[position++] = offset >>> 8;
    length -= 64;
  }
  if (length > 64) {
    // Leave at least four for the last piece.
    out[position++] = (59 << 2) | 2;
    out[position++] = offset;
    out[position++] = offset >>> 8;
    length -= 60;
  }
  if (length >= 12 || offset >= 2048) {
    out[position++] = ((length - 1) << 2) | 2;
    out[position++] = offset;
    out[position++] = offset >>> 8;
    return position;
  }
  out[position++] = ((offset >>> 8) << 5) | ((length - 4) << 2) | 1;
  out[position++] = offset;
  return position;
}

/** Size that the block says it has when plain. @throws ValueError when the length is malformed */
export function snappyPlainSize(block: Uint8Array, start = 0, end = block.length): number {
  let size = 0;
  let scale = 1;
  for (let i = start; i < end && i < start + 5; i++) {
    size += (block[i]! & 0x7f) * scale;
    if (block[i]! < 0x80) {
      if (size > 0xffff_ffff) break;
      return size;
    }
    scale *= 128;
  }
  throw new ValueError('snappy: malformed length');
}

/**
 * Decompresses `block[start, end)` into `out`, which must hold {@link snappyPlainSize} bytes, and
 * returns that size.
 * @throws ValueError when the block is malformed or does not give exactly the promised size
 */
export function snappyDecompress(
  block: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
): number {
  const size = snappyPlainSize(block, start, end);
  if (size > out.length) throw new ValueError('snappy: no room for the plain data');
  let at = start;
  while (block[at]! >= 0x80) at++;
  at++;
  let position = 0;
  while (at < end) {
    const tag = block[at++]!;
    let length: number;
    let offset: number;
    switch (tag & 3) {
      case 0: {
        length = tag >>> 2;
        if (length >= 60) {
          const extra = length - 59;
          if (at + extra > end) throw new ValueError('snappy: cut off in a literal');
          length = 0;
          for (let i = extra - 1; i >= 0; i--) length = length * 256 + block[at + i]!;
          at += extra;
        }
        length++;
        if (at + length > end || position + length > size) {
          throw new ValueError('snappy: literal leaves the block');
        }
        if (length <= 32) {
          for (const stop = at + length; at < stop; ) out[position++] = block[at++]!;
        } else {
          out.set(block.subarray(at, at + length), position);
          position += length;
          at += length;
        }
        continue;
      }
      case 1:
        if (at >= end) throw new ValueError('snappy: cut off in a copy');
        length = 4 + ((tag >>> 2) & 7);
        offset = ((tag >>> 5) << 8) | block[at++]!;
        break;
      case 2:
        if (at + 2 > end) throw new ValueError('snappy: cut off in a copy');
        length = 1 + (tag >>> 2);
        offset = block[at]! | (block[at + 1]! << 8);
        at += 2;
        break;
      default:
        if (at + 4 > end) throw new ValueError('snappy: cut off in a copy');
        length = 1 + (tag >>> 2);
        offset =
          (block[at]! | (block[at + 1]! << 8) | (block[at + 2]! << 16) | (block[at + 3]! << 24)) >>>
          0;
        at += 4;
    }
    if (offset === 0 || offset > position || position + length > size) {
      throw new ValueError('snappy: copy leaves the data');
    }
    if (offset >= length && length > 16) {
      out.copyWithin(position, position - offset, position - offset + length);
      position += length;
    } else {
      for (const stop = position + length; position < stop; position++) {
        out[position] = out[position - offset]!;
      }
    }
  }
  if (position !== size) throw new ValueError('snappy: block ends early');
  return size;
}
