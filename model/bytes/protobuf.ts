/**
 * Protocol Buffers on the wire: what messages are made of, without any schema.
 *
 *   message   field field …
 *   field     tag = number · 8 + wire type (uvarint), then by wire type
 *             0  varint            1  8 bytes LE          2  length (uvarint), bytes
 *             5  4 bytes LE        3, 4 groups: refused, nobody has written them for ages
 *
 * A negative int32 or int64 is a varint of ten bytes (two's complement), sint32 and sint64 are
 * zigzag-folded. Numbers beyond ±2⁵³ are refused rather than rounded.
 * Source: Protocol Buffers encoding documentation.
 */
import { decodeUtf8 } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

export const WireType = { Varint: 0, Fixed64: 1, Length: 2, Fixed32: 5 } as const;
export type WireType = (typeof WireType)[keyof typeof WireType];

const EMPTY = new Uint8Array(0);
const NO_VIEW = new DataView(EMPTY.buffer);

/**
 * A cursor over one message. Malformed input does not throw: it sets `failed` and ends the message,
 * so that a decoder checks once.
 *
 *     while (reader.next()) {
 *       if (reader.field === 1) name = reader.takeText();
 *       else reader.skip();
 *     }
 *     if (reader.failed) …
 */
export class ProtobufReader {
  bytes: Uint8Array = EMPTY;
  #view: DataView = NO_VIEW;
  position = 0;
  end = 0;
  failed = false;
  /** Of the field that `next` found. */
  field = 0;
  wireType = 0;
  /** Halves of the last varint. */
  #low = 0;
  #high = 0;

  /** Starts over. Use one reader per body: nested messages are read by moving its bounds. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.bytes !== bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.position = start;
    this.end = end;
    this.failed = false;
  }

  /** Goes to the next field; take or skip its value before the next call. */
  next(): boolean {
    if (this.position >= this.end) return false;
    this.#readVarint();
    this.field = this.#high * 0x2000_0000 + (this.#low >>> 3);
    this.wireType = this.#low & 7;
    if (this.field === 0 || this.wireType === 3 || this.wireType === 4 || this.wireType > 5) {
      this.#fail();
    }
    return !this.failed;
  }

  /** An unsigned number of up to 64 bits; also bool and enum. */
  takeUint64(): number {
    if (!this.#expect(WireType.Varint)) return 0;
    this.#readVarint();
    return this.#exact(this.#high * 0x1_0000_0000 + this.#low);
  }

  /** int32 or int64. */
  takeInt64(): number {
    if (!this.#expect(WireType.Varint)) return 0;
    this.#readVarint();
    return this.#exact((this.#high | 0) * 0x1_0000_0000 + this.#low);
  }

  /** int64 of any size, in decimal. */
  takeInt64Text(): string {
    if (!this.#expect(WireType.Varint)) return '0';
    this.#readVarint();
    const value = (this.#high | 0) * 0x1_0000_0000 + this.#low;
    if (Number.isSafeInteger(value)) return String(value);
    return String((BigInt(this.#high | 0) << 32n) | BigInt(this.#low));
  }

  /** sint32 or sint64. */
  takeSint64(): number {
    if (!this.#expect(WireType.Varint)) return 0;
    this.#readVarint();
    const magnitude = (this.#high >>> 1) * 0x1_0000_0000 + this.#shiftedLow();
    return this.#exact((this.#low & 1) === 1 ? -magnitude - 1 : magnitude);
  }

  takeDouble(): number {
    if (!this.#expect(WireType.Fixed64)) return 0;
    const at = this.#take(8);
    return this.failed ? 0 : this.#view.getFloat64(at, true);
  }

  takeFixed32(): number {
    if (!this.#expect(WireType.Fixed32)) return 0;
    const at = this.#take(4);
    return this.failed ? 0 : this.#view.getUint32(at, true);
  }

  /**
   * Enters a length-delimited field: `position` is then at its content.
   * @returns where the content ends
   */
  takeLength(): number {
    if (!this.#expect(WireType.Length)) return this.end;
    this.#readVarint();
    const size = this.#exact(this.#high * 0x1_0000_0000 + this.#low);
    if (size > this.end - this.position) this.#fail();
    return this.failed ? this.end : this.position + size;
  }

  /** A view of a length-delimited field. */
  takeBytes(): Uint8Array {
    const end = this.takeLength();
    if (this.failed) return EMPTY;
    const view = this.bytes.subarray(this.position, end);
    this.position = end;
    return view;
  }

  takeText(): string {
    return decodeUtf8(this.takeBytes());
  }

  /** Passes the value of the field. */
  skip(): void {
    if (this.wireType === WireType.Varint) this.#readVarint();
    else if (this.wireType === WireType.Fixed64) this.#take(8);
    else if (this.wireType === WireType.Fixed32) this.#take(4);
    else this.position = this.takeLength();
  }

  /** True while a packed field, which ends at `end`, has more numbers: take them with `packed…`. */
  hasMore(end: number): boolean {
    return !this.failed && this.position < end;
  }

  packedSint64(): number {
    this.wireType = WireType.Varint;
    return this.takeSint64();
  }

  packedUint64(): number {
    this.wireType = WireType.Varint;
    return this.takeUint64();
  }

  packedDouble(): number {
    this.wireType = WireType.Fixed64;
    return this.takeDouble();
  }

  #shiftedLow(): number {
    return ((this.#low >>> 1) | ((this.#high & 1) << 31)) >>> 0;
  }

  #expect(wireType: WireType): boolean {
    if (this.wireType !== wireType) this.#fail();
    return !this.failed;
  }

  #exact(value: number): number {
    if (Number.isSafeInteger(value)) return value;
    this.#fail();
    return 0;
  }

  #take(sizeBytes: number): number {
    const at = this.position;
    if (at + sizeBytes > this.end) this.#fail();
    else this.position = at + sizeBytes;
    return at;
  }

  #readVarint(): void {
    const { bytes, end } = this;
    let at = this.position;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (at >= end || shift > 63) return this.#fail();
      const byte = bytes[at++]!;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        high = (byte & 0x7f) >>> 4;
      } else high |= (byte & 0x7f) << (shift - 32);
      if (byte < 0x80) break;
    }
    this.position = at;
    this.#low = low >>> 0;
    this.#high = high >>> 0;
  }

  #fail(): void {
    this.failed = true;
    this.position = this.end;
    this.#low = 0;
    this.#high = 0;
  }
}

/** Writes messages. Fields with their default value are written all the same: the caller decides. */
export class ProtobufWriter {
  readonly out: ByteWriter;

  constructor(out = new ByteWriter()) {
    this.out = out;
  }

  /** What was written; a view. */
  view(): Uint8Array {
    return this.out.view();
  }

  clear(): void {
    this.out.clear();
  }

  /** Unsigned, bool, enum; ≥ 0. */
  uint64(field: number, value: number): void {
    this.#tag(field, WireType.Varint);
    this.out.putUvarint(value);
  }

  /** int32, int64: negative numbers take ten bytes. */
  int64(field: number, value: number | bigint): void {
    this.#tag(field, WireType.Varint);
    if (typeof value === 'number' && value >= 0) {
      this.out.putUvarint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) this.out.putByte(Number(rest & 0x7fn) | 0x80);
    this.out.putByte(Number(rest));
  }

  sint64(field: number, value: number): void {
    this.#tag(field, WireType.Varint);
    this.out.putVarint(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, WireType.Fixed64);
    this.#rawDouble(value);
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, WireType.Fixed32);
    this.out.reserve(4);
    const { bytes, length } = this.out;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(length, value, true);
    this.out.length += 4;
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, WireType.Fixed64);
    this.out.reserve(8);
    const { bytes, length } = this.out;
    new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(length, value, true);
    this.out.length += 8;
  }

  text(field: number, text: string): void {
    this.#tag(field, WireType.Length);
    this.out.putUvarintText(text);
  }

  bytes(field: number, bytes: Uint8Array): void {
    this.#tag(field, WireType.Length);
    this.out.putUvarint(bytes.length);
    this.out.putBytes(bytes);
  }

  /** A nested message: `write` puts its fields. */
  message(field: number, write: () => void): void {
    this.#tag(field, WireType.Length);
    this.delimited(write);
  }

  /** A message with its length in front and no tag, as in a stream of messages. */
  delimited(write: () => void): void {
    const { out } = this;
    const start = out.length;
    out.putByte(0);
    write();
    const sizeBytes = out.length - start - 1;
    let lengthBytes = 1;
    for (let rest = sizeBytes; rest >= 0x80; rest = Math.floor(rest / 128)) lengthBytes++;
    if (lengthBytes > 1) {
      out.reserve(lengthBytes - 1);
      out.bytes.copyWithin(start + lengthBytes, start + 1, out.length);
    }
    out.length = start;
    out.putUvarint(sizeBytes);
    out.length += sizeBytes;
  }

  packedSint64(field: number, values: readonly number[]): void {
    this.message(field, () => values.forEach((value) => this.out.putVarint(value)));
  }

  packedDouble(field: number, values: readonly number[]): void {
    this.message(field, () => values.forEach((value) => this.#rawDouble(value)));
  }

  #rawDouble(value: number): void {
    this.out.reserve(8);
    const { bytes, length } = this.out;
    new DataView(bytes.buffer, bytes.byteOffset).setFloat64(length, value, true);
    this.out.length += 8;
  }

  #tag(field: number, wireType: WireType): void {
    this.out.putUvarint(field * 8 + wireType);
  }
}
