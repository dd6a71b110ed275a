/**
 * Protocol Buffers on the hot path of remote write: a position in a message and the few things that
 * are read there once per series or sample. Unlike `ProtobufReader` it throws, and reads nothing
 * that it does not have to. Source: Protocol Buffers encoding documentation.
 */
import { WireType } from '../../model/index.ts';
import { unexpectedEnd, WireError } from './wire-error.ts';

const EMPTY = new Uint8Array(0);
const TWO_28 = 2 ** 28;
const TWO_56 = 2 ** 56;

export class WireScan {
  bytes: Uint8Array = EMPTY;
  view: DataView = new DataView(EMPTY.buffer);
  /** Offset of the next byte. */
  at = 0;

  reset(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  /** An unsigned number. Lengths and tags are small; what exceeds 2⁵³ becomes inexact. */
  uvarint(end: number): number {
    const { bytes } = this;
    let at = this.at;
    if (at < end && bytes[at]! < 0x80) {
      this.at = at + 1;
      return bytes[at]!;
    }
    let value = 0;
    let scale = 1;
    for (let size = 0; ; size++) {
      if (at >= end) throw unexpectedEnd();
      if (size === 10) throw new WireError('proto: integer overflow');
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      scale *= 128;
    }
    this.at = at;
    return value;
  }

  /** Passes the length of a nested message; `at` is then at its first byte. Returns its end. */
  enter(end: number): number {
    const length = this.uvarint(end);
    if (length > end - this.at) throw unexpectedEnd();
    return this.at + length;
  }

  /** int64, exact within ±2⁵³: where times are, and what lies beyond is out of bounds anyway. */
  int64(end: number): number {
    const { bytes } = this;
    let at = this.at;
    let low = 0;
    let shift = 0;
    let byte = 0x80;
    for (; shift < 28 && byte >= 0x80; shift += 7) {
      if (at >= end) throw unexpectedEnd();
      byte = bytes[at++]!;
      low |= (byte & 0x7f) << shift;
    }
    if (byte < 0x80) {
      this.at = at;
      return low;
    }
    let middle = 0;
    for (shift = 0; shift < 28 && byte >= 0x80; shift += 7) {
      if (at >= end) throw unexpectedEnd();
      byte = bytes[at++]!;
      middle |= (byte & 0x7f) << shift;
    }
    if (byte < 0x80) {
      this.at = at;
      return middle * TWO_28 + low;
    }
    let high = 0;
    for (shift = 0; byte >= 0x80; shift += 7) {
      if (at >= end) throw unexpectedEnd();
      if (shift === 14) throw new WireError('proto: integer overflow');
      byte = bytes[at++]!;
      high |= (byte & 0x7f) << shift;
    }
    this.at = at;
    // 56 bits lie below; the sign is bit 63, so that -1 has all of `high`'s low eight bits set.
    const signed = (high << 24) >> 24;
    // Added up from zero downwards, because 2⁵⁶ itself leaves the exact range.
    if (signed === -1) return -((TWO_28 - 1 - middle) * TWO_28 + (TWO_28 - low));
    return signed * TWO_56 + middle * TWO_28 + low;
  }

  /** Passes the value of a field. */
  skip(wireType: number, end: number): void {
    switch (wireType) {
      case WireType.Varint:
        this.uvarint(end);
        return;
      case WireType.Fixed64:
        this.at += 8;
        break;
      case WireType.Length:
        this.at = this.enter(end);
        return;
      case WireType.Fixed32:
        this.at += 4;
        break;
      default:
        throw new WireError(`proto: illegal wireType ${wireType}`);
    }
    if (this.at > end) throw unexpectedEnd();
  }

  /** Refuses a field of another wire type than its own. */
  expect(tag: number, wireType: number, field: string): void {
    if ((tag & 7) === wireType) return;
    throw new WireError(`proto: wrong wireType = ${tag & 7} for field ${field}`);
  }

  /** Refuses tags that no message has. */
  requireTag(tag: number, message: string): void {
    if (tag >= 8 && tag <= 0xffff_ffff) return;
    throw new WireError(
      `proto: ${message}: illegal tag ${Math.floor(tag / 8)} (wire type ${tag & 7})`,
    );
  }
}
