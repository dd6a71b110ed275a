/**
 * Writes `prometheus.WriteRequest`, the body of remote write 1.0 (fields: write-message-v1.ts). Each
 * sample is a series of its own, as Prometheus sends them. Source: remote write specification 1.0.
 */
import {
  ByteWriter,
  type Exemplar,
  METRIC_TYPES,
  type MetricMetadata,
  ProtobufWriter,
  uvarintSize,
  writeUvarint,
} from '../../../model/index.ts';
import { writeHistogram } from '../histogram-message.ts';
import type { SendQueue } from './send-queue.ts';
import type { SentSeries } from './sent-series.ts';
import { sampleSize, writeSampleFields } from './sample-fields.ts';

/** Name or value of a label: tags and lengths around the texts take at most so much. */
const LABEL_EXTRA_BYTES = 2 + 5;
const SERIES_EXTRA_BYTES = 64;

export class RequestV1 {
  readonly #out = new ByteWriter(64 * 1024);
  readonly #message = new ProtobufWriter(new ByteWriter(1024));

  /** The oldest `count` entries that are not older than `minMs`; a view until the next call. */
  encode(series: SentSeries, queue: SendQueue, count: number, minMs: number): Uint8Array {
    const out = this.#out;
    out.clear();
    const { labelIds, labelStarts, labelCounts } = series;
    const { bytes: texts, starts } = series.symbols;
    for (let position = 0; position < count; position++) {
      const i = queue.at(position);
      const timestampMs = queue.timestampsMs[i]!;
      if (timestampMs < minMs) continue;
      const row = queue.series[i]!;
      const first = labelStarts[row]!;
      const last = first + labelCounts[row]!;
      let labelsSize = 0;
      for (let l = first; l < last; l += 2) {
        const name = labelIds[l]!;
        const value = labelIds[l + 1]!;
        const size = labelSize(starts, name, value);
        labelsSize += 1 + uvarintSize(size) + size;
      }
      const special = queue.specials[i]!;
      const content = special === null ? null : this.#special(special, timestampMs);
      const contentSize = content === null ? sampleSize(timestampMs, 0) : content.length;
      const contentOuter = 1 + uvarintSize(contentSize) + contentSize;
      out.reserve(labelsSize + contentOuter + SERIES_EXTRA_BYTES + LABEL_EXTRA_BYTES);
      const { bytes } = out;
      let at = out.length;
      bytes[at++] = 0x0a;
      at = writeUvarint(bytes, at, labelsSize + contentOuter);
      for (let l = first; l < last; l += 2) {
        const name = labelIds[l]!;
        const value = labelIds[l + 1]!;
        bytes[at++] = 0x0a;
        at = writeUvarint(bytes, at, labelSize(starts, name, value));
        bytes[at++] = 0x0a;
        for (let from = starts[name]!, end = starts[name + 1]!; from < end; ) {
          bytes[at++] = texts[from++]!;
        }
        bytes[at++] = 0x12;
        for (let from = starts[value]!, end = starts[value + 1]!; from < end; ) {
          bytes[at++] = texts[from++]!;
        }
      }
      if (content === null) {
        bytes[at++] = 0x12;
        at = writeUvarint(bytes, at, contentSize);
        at = writeSampleFields(bytes, at, queue.valueHalves, i, timestampMs, 0);
      } else {
        bytes[at++] = special.kind === 'exemplar' ? 0x1a : 0x22;
        at = writeUvarint(bytes, at, contentSize);
        bytes.set(content, at);
        at += contentSize;
      }
      out.length = at;
    }
    return out.view();
  }

  /** A request that holds nothing but metadata. */
  encodeMetadata(entries: readonly (MetricMetadata & { readonly name: string })[]): Uint8Array {
    const message = new ProtobufWriter(this.#out);
    message.clear();
    for (const { name, type, help, unit } of entries) {
      message.message(3, () => {
        message.uint64(1, METRIC_TYPES.indexOf(type));
        message.text(2, name);
        if (help !== '') message.text(4, help);
        if (unit !== '') message.text(5, unit);
      });
    }
    return message.view();
  }

  #special(special: NonNullable<SendQueue['specials'][number]>, timestampMs: number): Uint8Array {
    const message = this.#message;
    message.clear();
    if (special.kind === 'exemplar') writeExemplar(message, special, timestampMs);
    else writeHistogram(message, timestampMs, special);
    return message.view();
  }
}

function writeExemplar(message: ProtobufWriter, exemplar: Exemplar, timestampMs: number): void {
  for (const [name, value] of exemplar.labels) {
    message.message(1, () => {
      message.text(1, name);
      message.text(2, value);
    });
  }
  message.double(2, exemplar.value);
  message.int64(3, timestampMs);
}

/** Of the content of a label message. Symbols have their length in front. */
function labelSize(starts: Uint32Array, name: number, value: number): number {
  return 2 + starts[name + 1]! - starts[name]! + starts[value + 1]! - starts[value]!;
}
