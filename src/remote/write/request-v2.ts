/**
 * Writes `io.prometheus.write.v2.Request`, the body of remote write 2.0 (fields: write-message-v2.ts).
 * Every text is in the request once. Source: remote write specification 2.0.
 */
import {
  ByteWriter,
  type Exemplar,
  ProtobufWriter,
  uvarintSize,
  writeUvarint,
} from '../../../model/index.ts';
import { writeHistogram } from '../histogram-message.ts';
import { sampleSize, writeSampleFields } from './sample-fields.ts';
import type { SendQueue } from './send-queue.ts';
import type { SentSeries } from './sent-series.ts';
import type { SymbolTable } from './symbol-table.ts';

const SERIES_EXTRA_BYTES = 128;
const NUMBER_SIZE_BYTES_MAX = 5;

export class RequestV2 {
  readonly #series = new ByteWriter(64 * 1024);
  readonly #out = new ByteWriter(64 * 1024);
  readonly #message = new ProtobufWriter(new ByteWriter(1024));
  /** Per symbol of the table: in which request it was used last, and its number there. */
  #usedIn = new Uint32Array(1024);
  #numbers = new Uint32Array(1024);
  #request = 0;
  #count = 0;
  #table: SymbolTable | null = null;
  readonly #own = new Map<string, number>();

  /** The oldest `count` entries that are not older than `minMs`; a view until the next call. */
  encode(series: SentSeries, queue: SendQueue, count: number, minMs: number): Uint8Array {
    this.#begin(series.symbols);
    const out = this.#series;
    out.clear();
    const { labelIds, labelStarts, labelCounts, metadata } = series;
    for (let position = 0; position < count; position++) {
      const i = queue.at(position);
      const timestampMs = queue.timestampsMs[i]!;
      if (timestampMs < minMs) continue;
      const row = queue.series[i]!;
      const first = labelStarts[row]!;
      const last = first + labelCounts[row]!;
      let refsSize = 0;
      for (let l = first; l < last; l++) refsSize += uvarintSize(this.#number(labelIds[l]!));
      const special = queue.specials[i]!;
      const startMs = queue.startsMs[i]!;
      const content = special === null ? null : this.#special(special, timestampMs, startMs);
      const contentSize = content === null ? sampleSize(timestampMs, startMs) : content.length;
      const type = Math.max(0, metadata[row * 3]! - 1);
      const help = this.#number(metadata[row * 3 + 1]!);
      const unit = this.#number(metadata[row * 3 + 2]!);
      const metadataSize =
        (type > 0 ? 2 : 0) +
        (help > 0 ? 1 + uvarintSize(help) : 0) +
        (unit > 0 ? 1 + uvarintSize(unit) : 0);
      const size =
        1 +
        uvarintSize(refsSize) +
        refsSize +
        1 +
        uvarintSize(contentSize) +
        contentSize +
        2 +
        metadataSize;
      out.reserve(size + (last - first) * NUMBER_SIZE_BYTES_MAX + SERIES_EXTRA_BYTES);
      const { bytes } = out;
      let at = out.length;
      bytes[at++] = 0x2a;
      at = writeUvarint(bytes, at, size);
      bytes[at++] = 0x0a;
      at = writeUvarint(bytes, at, refsSize);
      for (let l = first; l < last; l++) at = writeUvarint(bytes, at, this.#numbers[labelIds[l]!]!);
      bytes[at++] = special === null ? 0x12 : special.kind === 'exemplar' ? 0x22 : 0x1a;
      at = writeUvarint(bytes, at, contentSize);
      if (content === null) {
        at = writeSampleFields(bytes, at, queue.valueHalves, i, timestampMs, startMs);
      } else {
        bytes.set(content, at);
        at += contentSize;
      }
      bytes[at++] = 0x2a;
      bytes[at++] = metadataSize;
      at = putField(bytes, at, 0x08, type);
      at = putField(bytes, at, 0x18, help);
      at = putField(bytes, at, 0x20, unit);
      out.length = at;
    }
    return this.#finish();
  }

  #begin(table: SymbolTable): void {
    if (this.#table !== table) {
      this.#table = table;
      this.#usedIn.fill(0);
      this.#request = 0;
    }
    this.#request++;
    this.#own.clear();
    this.#count = 0;
    this.#out.clear();
    // The first symbol is the empty one, always.
    this.#number(0);
  }

  /** Number of a symbol in this request; it is put there when it is new. */
  #number(symbol: number): number {
    if (symbol >= this.#usedIn.length) {
      const length = Math.max(this.#usedIn.length * 2, this.#table!.count);
      this.#usedIn = copied(this.#usedIn, length);
      this.#numbers = copied(this.#numbers, length);
    }
    if (this.#usedIn[symbol] === this.#request) return this.#numbers[symbol]!;
    this.#usedIn[symbol] = this.#request;
    this.#numbers[symbol] = this.#count;
    const { bytes, starts } = this.#table!;
    this.#out.putByte(0x22);
    this.#out.putBytes(bytes.subarray(starts[symbol], starts[symbol + 1]));
    return this.#count++;
  }

  /** Of a text that is too special for the table. */
  #ownNumber(text: string): number {
    let number = this.#own.get(text);
    if (number !== undefined) return number;
    number = this.#count++;
    this.#own.set(text, number);
    this.#out.putByte(0x22);
    this.#out.putUvarintText(text);
    return number;
  }

  #special(
    special: NonNullable<SendQueue['specials'][number]>,
    timestampMs: number,
    startMs: number,
  ): Uint8Array {
    const message = this.#message;
    message.clear();
    if (special.kind === 'exemplar') this.#exemplar(special, timestampMs);
    else writeHistogram(message, timestampMs, special, startMs);
    return message.view();
  }

  #exemplar(exemplar: Exemplar, timestampMs: number): void {
    const message = this.#message;
    const refs = exemplar.labels.flat.map((text) => this.#ownNumber(text));
    message.message(1, () => refs.forEach((ref) => message.out.putUvarint(ref)));
    message.double(2, exemplar.value);
    message.int64(3, timestampMs);
  }

  /** Symbols come first. */
  #finish(): Uint8Array {
    const out = this.#out;
    out.putBytes(this.#series.view());
    return out.view();
  }
}

function putField(bytes: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  bytes[at] = tag;
  return writeUvarint(bytes, at + 1, value);
}

function copied(from: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(length);
  to.set(from);
  return to;
}
