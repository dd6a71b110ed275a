/** A growing buffer of JSON text in UTF-8. */
import { FLOAT_SIZE_MAX, writeAscii, writeFloat, writeWhole } from './shortest-float.ts';

const encoder = new TextEncoder();
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
export const TIMESTAMP_SIZE_MAX = 32;

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Takes a text in pieces while it is being written. */
export type PieceTaker = {
  /** A piece is no smaller, the last one aside, and not much larger. */
  readonly sizeBytesMin: number;
  /** The piece, all of its buffer, is the taker's. What it throws ends the writing. */
  readonly take: (piece: Uint8Array<ArrayBuffer>) => void;
};

export class JsonBytes {
  /** Only the first `length` bytes are meaningful. Replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The same memory. */
  view: DataView<ArrayBuffer>;
  length = 0;
  readonly #taker: PieceTaker | null;

  /**
   * @param bytes  where to write, all of its buffer; what stands in it is lost, maybe all of it
   * @param taker  gets what {@link passOn} passes on; null keeps everything here
   */
  constructor(
    bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096),
    taker: PieceTaker | null = null,
  ) {
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.#taker = taker;
  }

  /**
   * Passes on what was written when it is enough for a piece; offsets mean nothing afterwards. A copy,
   * because writing on in the same memory costs less than memory that the system has to clear.
   */
  passOn(): void {
    if (this.#taker === null || this.length < this.#taker.sizeBytesMin) return;
    const piece = this.finish();
    this.length = 0;
    this.#taker.take(piece);
  }

  /** Makes room for `sizeBytes` more. */
  reserve(sizeBytes: number): void {
    const needed = this.length + sizeBytes;
    if (needed <= this.bytes.length) return;
    // What was outgrown is given back at once: left to V8, it would bring a collection about.
    const { buffer } = this.bytes;
    const grown = new Uint8Array(buffer.transfer(Math.max(needed, buffer.byteLength * 2)));
    this.bytes = grown;
    this.view = viewOf(grown);
  }

  /** Text that is plain ASCII and needs no escapes. */
  ascii(text: string): void {
    this.reserve(text.length);
    this.length = writeAscii(this.bytes, this.length, text);
  }

  byte(code: number): void {
    this.reserve(1);
    this.bytes[this.length++] = code;
  }

  /** A float between quotes, as samples have them. */
  quotedFloat(value: number): void {
    this.reserve(FLOAT_SIZE_MAX + 2);
    const { bytes } = this;
    bytes[this.length] = QUOTE;
    const end = writeFloat(bytes, this.view, this.length + 1, value);
    bytes[end] = QUOTE;
    this.length = end + 1;
  }

  /** Seconds with as many places as the milliseconds need. */
  timestamp(timestampMs: number): void {
    this.reserve(TIMESTAMP_SIZE_MAX);
    this.length = writeTimestamp(this.bytes, this.view, this.length, timestampMs);
  }

  /** A string with quotes and escapes. `html` escapes `<`, `>`, `&` and U+2028/9 as well. */
  string(text: string, html = false): void {
    this.reserve(text.length + 2);
    const { bytes } = this;
    let position = this.length;
    bytes[position++] = QUOTE;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      const isPlain = code >= 0x20 && code < 0x80 && code !== QUOTE && code !== BACKSLASH;
      if (!isPlain || (html && (code === 0x3c || code === 0x3e || code === 0x26))) {
        this.#escaped(text, html);
        return;
      }
      bytes[position++] = code;
    }
    bytes[position++] = QUOTE;
    this.length = position;
  }

  #escaped(text: string, html: boolean): void {
    const needed = html ? HTML_ESCAPES : ESCAPES;
    const json = `"${text.toWellFormed().replace(needed, escapeOf)}"`;
    this.reserve(json.length * 3);
    this.length += encoder.encodeInto(json, this.bytes.subarray(this.length)).written;
  }

  /** What was written, without spare room; a copy. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }

  /** The same, but the memory itself; nothing can be written any more. */
  handOut(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes.buffer.transfer(this.length));
  }
}

const ESCAPES = /["\\\x00-\x1f]/g;
const HTML_ESCAPES = /["\\\x00-\x1f<>&\u2028\u2029]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function escapeOf(char: string): string {
  const short = SHORT_ESCAPES[char];
  return short ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** Writes `timestampMs` in seconds at `at`; returns the offset just past it. */
export function writeTimestamp(
  out: Uint8Array,
  view: DataView,
  at: number,
  timestampMs: number,
): number {
  let position = at;
  let ms = timestampMs;
  if (ms < 0) {
    out[position++] = 0x2d;
    ms = -ms;
  }
  const seconds = Math.floor(ms / 1000);
  position = writeWhole(out, view, position, seconds);
  let fraction = ms - seconds * 1000;
  if (fraction === 0) return position;
  out[position++] = 0x2e;
  for (let place = 100; fraction > 0; place /= 10) {
    const digit = Math.floor(fraction / place);
    out[position++] = 0x30 + digit;
    fraction -= digit * place;
  }
  return position;
}
