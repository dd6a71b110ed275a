/**
 * `prometheus.WriteRequest`, the body of remote write 1.0:
 *
 *   request   1 series …            3 metadata …
 *   series    1 label …             2 sample …           3 exemplar …        4 histogram …
 *   label     1 name                2 value
 *   sample    1 value (double)      2 timestamp (int64, ms)
 *   exemplar  1 label …             2 value (double)     3 timestamp (int64, ms)
 *
 * A series' labels stand together in front in every request that was ever seen; their bytes as they
 * are tell the series. Metadata is per metric, not per series: it is checked and passed over, as
 * Prometheus does. Source: Prometheus remote write specification 1.0.
 */
import { ProtobufReader, WireType } from '../../model/index.ts';
import type { Fingerprint } from './fingerprint.ts';
import { readHistogram } from './histogram-message.ts';
import { decodeLabelText } from './received-labels.ts';
import { readSample } from './sample-message.ts';
import { unexpectedEnd } from './wire-error.ts';
import { WireScan } from './wire-scan.ts';
import type { WriteColumns } from './write-columns.ts';
import type { WriteMessage } from './write-message.ts';

const SERIES_TAG = 0x0a;
const METADATA_TAG = 0x1a;
const LABEL_TAG = 0x0a;
const SAMPLE_TAG = 0x12;
const SERIES_FIELDS = ['', 'Labels', 'Samples', 'Exemplars', 'Histograms'];
/** By field number. */
const METADATA_TEXTS = [undefined, undefined, 'MetricFamilyName', undefined, 'Help', 'Unit'];

export class WriteMessageV1 implements WriteMessage {
  readonly #scan = new WireScan();
  readonly #reader = new ProtobufReader();
  #columns!: WriteColumns;
  /** Labels of series that had something else in between, put together. */
  readonly #scattered = new Map<number, Uint8Array>();

  read(bytes: Uint8Array, columns: WriteColumns): void {
    const scan = this.#scan;
    scan.reset(bytes);
    this.#columns = columns;
    this.#scattered.clear();
    const end = bytes.length;
    while (scan.at < end) {
      const tag = scan.uvarint(end);
      if (tag === SERIES_TAG) {
        this.#series(scan.enter(end));
      } else {
        scan.requireTag(tag, 'WriteRequest');
        if (tag >>> 3 === 1) scan.expect(tag, WireType.Length, 'Timeseries');
        if (tag >>> 3 === 3) scan.expect(tag, WireType.Length, 'Metadata');
        if (tag === METADATA_TAG) this.#metadata(scan.enter(end));
        else scan.skip(tag & 7, end);
      }
    }
  }

  fingerprint(series: number, out: Fingerprint): boolean {
    const { labelStarts, labelEnds } = this.#columns;
    const scattered = this.#scattered.size === 0 ? undefined : this.#scattered.get(series);
    if (scattered === undefined) {
      const { bytes, view } = this.#scan;
      out.ofBytes(bytes, view, labelStarts[series]!, labelEnds[series]!);
    } else {
      const view = new DataView(scattered.buffer, scattered.byteOffset, scattered.length);
      out.ofBytes(scattered, view, 0, scattered.length);
    }
    return true;
  }

  labels(series: number): string[] {
    const { labelStarts, labelEnds } = this.#columns;
    const scattered = this.#scattered.get(series);
    const reader = this.#reader;
    if (scattered !== undefined) reader.reset(scattered);
    else reader.reset(this.#scan.bytes, labelStarts[series], labelEnds[series]);
    const flat: string[] = [];
    while (reader.next()) readLabel(reader, flat);
    if (reader.failed) throw unexpectedEnd();
    return flat;
  }

  #series(end: number): void {
    const scan = this.#scan;
    const columns = this.#columns;
    const { bytes } = scan;
    const series = columns.addSeries();
    const start = scan.at;
    columns.labelStarts[series] = start;
    while (scan.at < end && bytes[scan.at] === LABEL_TAG) {
      scan.at++;
      scan.at = scan.enter(end);
    }
    columns.labelEnds[series] = scan.at;
    let isEmpty = true;
    let isScattered = false;
    while (scan.at < end) {
      const tag = scan.uvarint(end);
      if (tag === SAMPLE_TAG) {
        readSample(scan, scan.enter(end), this.#columns, series, false);
        isEmpty = false;
        continue;
      }
      scan.requireTag(tag, 'TimeSeries');
      const name = SERIES_FIELDS[tag >>> 3];
      if (name !== undefined) scan.expect(tag, WireType.Length, name);
      if (tag === LABEL_TAG) isScattered = true;
      if (tag >>> 3 === 3 || tag >>> 3 === 4) {
        const messageEnd = scan.enter(end);
        if (tag >>> 3 === 3) this.#exemplar(series, messageEnd);
        else this.#histogram(series, messageEnd);
        scan.at = messageEnd;
        isEmpty = false;
      } else {
        scan.skip(tag & 7, end);
      }
    }
    if (isEmpty) columns.emptySeries.push(series);
    if (isScattered) this.#scattered.set(series, gatherLabels(bytes, start, end));
  }

  #histogram(series: number, end: number): void {
    const reader = this.#reader;
    reader.reset(this.#scan.bytes, this.#scan.at, end);
    const { timestampMs, histogram } = readHistogram(reader);
    const { histograms, count } = this.#columns;
    histograms.push({ series, floatsBefore: count, timestampMs, histogram, startMs: 0 });
  }

  #exemplar(series: number, end: number): void {
    const reader = this.#reader;
    reader.reset(this.#scan.bytes, this.#scan.at, end);
    const labels: string[] = [];
    let value = 0;
    let timestampMs = 0;
    while (reader.next()) {
      if (reader.field === 1) readLabel(reader, labels);
      else if (reader.field === 2) value = reader.takeDouble();
      else if (reader.field === 3) timestampMs = reader.takeInt64();
      else reader.skip();
    }
    if (reader.failed) throw unexpectedEnd();
    this.#columns.exemplars.push({ series, labels, value, timestampMs });
  }

  #metadata(end: number): void {
    const reader = this.#reader;
    reader.reset(this.#scan.bytes, this.#scan.at, end);
    while (reader.next()) {
      const text = METADATA_TEXTS[reader.field];
      if (text !== undefined) this.#scan.expect(reader.wireType, WireType.Length, text);
      if (reader.field === 1) reader.takeUint64();
      else reader.skip();
    }
    if (reader.failed) throw unexpectedEnd();
    this.#scan.at = end;
  }
}

/** Appends name and value of a label, which is the field that `reader` stands at. */
function readLabel(reader: ProtobufReader, flat: string[]): void {
  const { end } = reader;
  let name = '';
  let value = '';
  reader.end = reader.takeLength();
  while (reader.next()) {
    if (reader.field === 1) name = takeText(reader);
    else if (reader.field === 2) value = takeText(reader);
    else reader.skip();
  }
  reader.end = end;
  flat.push(name, value);
}

function takeText(reader: ProtobufReader): string {
  const end = reader.takeLength();
  const text = decodeLabelText(reader.bytes, reader.position, end);
  reader.position = end;
  return text;
}

/** The label fields of the series message `bytes[start, end)`, which was found well-formed. */
function gatherLabels(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const out: number[] = [];
  const scan = new WireScan();
  scan.reset(bytes);
  scan.at = start;
  while (scan.at < end) {
    const fieldStart = scan.at;
    const tag = scan.uvarint(end);
    scan.skip(tag & 7, end);
    if (tag !== LABEL_TAG) continue;
    for (let at = fieldStart; at < scan.at; at++) out.push(bytes[at]!);
  }
  return Uint8Array.from(out);
}
