/**
 * `io.prometheus.write.v2.Request`, the body of remote write 2.0:
 *
 *   request   4 symbol …            5 series …
 *   series    1 label refs          2 sample …           3 histogram …     4 exemplar …
 *             5 metadata
 *   sample    1 value (double)      2 timestamp (int64, ms)                3 start timestamp
 *   exemplar  1 label refs          2 value (double)     3 timestamp (int64, ms)
 *   metadata  1 type                3 help ref           4 unit ref
 *
 * Label refs are numbers of symbols, name and value by turns. Start timestamps are read and not
 * stored, as in Prometheus. Source: Prometheus remote write specification 2.0.
 */
import { METRIC_TYPES, ProtobufReader, ValueError, WireType } from '../../model/index.ts';
import { Fingerprint } from './fingerprint.ts';
import { readHistogram } from './histogram-message.ts';
import { decodeLabelText } from './received-labels.ts';
import { readSample } from './sample-message.ts';
import { unexpectedEnd } from './wire-error.ts';
import { WireScan } from './wire-scan.ts';
import type { WriteColumns } from './write-columns.ts';
import type { WriteMessage } from './write-message.ts';

const SYMBOL_TAG = 0x22;
const SERIES_TAG = 0x2a;
const LABEL_REFS_TAG = 0x0a;
const SAMPLE_TAG = 0x12;
const METADATA_TAG = 0x2a;
const SERIES_FIELDS = ['', 'LabelsRefs', 'Samples', 'Histograms', 'Exemplars', 'Metadata'];

type RawExemplar = {
  readonly series: number;
  readonly refs: readonly number[];
  readonly value: number;
  readonly timestampMs: number;
};

export class WriteMessageV2 implements WriteMessage {
  readonly #readsMetadata: boolean;
  readonly #scan = new WireScan();
  readonly #reader = new ProtobufReader();
  #columns!: WriteColumns;
  #symbolCount = 0;
  #symbolStarts = new Uint32Array(1024);
  #symbolEnds = new Uint32Array(1024);
  /** Three words per symbol. */
  #symbolPrints = new Int32Array(3 * 1024);
  /** Label refs of all series, one behind the other. */
  #refs = new Uint32Array(4096);
  #refCount = 0;
  #exemplars: RawExemplar[] = [];
  #metadata: { series: number; type: number; help: number; unit: number }[] = [];

  /** @param readsMetadata  or leaves it out of the columns */
  constructor(readsMetadata: boolean) {
    this.#readsMetadata = readsMetadata;
  }

  read(bytes: Uint8Array, columns: WriteColumns): void {
    const scan = this.#scan;
    scan.reset(bytes);
    this.#columns = columns;
    this.#symbolCount = 0;
    this.#refCount = 0;
    this.#exemplars.length = 0;
    this.#metadata.length = 0;
    const end = bytes.length;
    while (scan.at < end) {
      const tag = scan.uvarint(end);
      if (tag === SYMBOL_TAG) {
        this.#symbol(scan.enter(end));
      } else if (tag === SERIES_TAG) {
        this.#series(scan.enter(end));
      } else {
        scan.requireTag(tag, 'Request');
        if (tag >>> 3 === 4) scan.expect(tag, WireType.Length, 'Symbols');
        if (tag >>> 3 === 5) scan.expect(tag, WireType.Length, 'Timeseries');
        scan.skip(tag & 7, end);
      }
    }
    this.#finish();
  }

  fingerprint(series: number, out: Fingerprint): boolean {
    const start = this.#columns.labelStarts[series]!;
    const end = this.#columns.labelEnds[series]!;
    if ((end - start) % 2 !== 0) return false;
    const prints = this.#symbolPrints;
    out.begin(end - start);
    for (let i = start; i < end; i++) {
      const symbol = this.#refs[i]!;
      if (symbol >= this.#symbolCount) return false;
      out.add(prints[symbol * 3]!, prints[symbol * 3 + 1]!, prints[symbol * 3 + 2]!);
    }
    out.finish();
    return true;
  }

  labels(series: number): string[] {
    const start = this.#columns.labelStarts[series]!;
    const end = this.#columns.labelEnds[series]!;
    return this.#texts(Array.from(this.#refs.subarray(start, end)), 'series');
  }

  #symbol(end: number): void {
    const symbol = this.#symbolCount++;
    if (symbol === this.#symbolStarts.length) {
      this.#symbolStarts = doubled(this.#symbolStarts);
      this.#symbolEnds = doubled(this.#symbolEnds);
      const prints = new Int32Array(this.#symbolPrints.length * 2);
      prints.set(this.#symbolPrints);
      this.#symbolPrints = prints;
    }
    this.#symbolStarts[symbol] = this.#scan.at;
    this.#symbolEnds[symbol] = end;
    this.#scan.at = end;
  }

  #series(end: number): void {
    const scan = this.#scan;
    const columns = this.#columns;
    const series = columns.addSeries();
    columns.labelStarts[series] = this.#refCount;
    const contentBefore = this.#contentCount;
    while (scan.at < end) {
      const tag = scan.uvarint(end);
      if (tag === SAMPLE_TAG) {
        readSample(scan, scan.enter(end), this.#columns, series, true);
      } else if (tag === LABEL_REFS_TAG) {
        const refsEnd = scan.enter(end);
        while (scan.at < refsEnd) this.#addRef(scan.uvarint(refsEnd));
      } else {
        this.#otherField(series, tag, end);
      }
    }
    columns.labelEnds[series] = this.#refCount;
    if (this.#contentCount === contentBefore) columns.emptySeries.push(series);
  }

  get #contentCount(): number {
    return this.#columns.count + this.#columns.histograms.length + this.#exemplars.length;
  }

  #otherField(series: number, tag: number, end: number): void {
    const scan = this.#scan;
    scan.requireTag(tag, 'TimeSeries');
    const field = tag >>> 3;
    if (field === 1 && (tag & 7) === WireType.Varint) {
      this.#addRef(scan.uvarint(end));
      return;
    }
    const name = SERIES_FIELDS[field];
    if (name === undefined) {
      scan.skip(tag & 7, end);
      return;
    }
    scan.expect(tag, WireType.Length, name);
    const messageEnd = scan.enter(end);
    const reader = this.#reader;
    reader.reset(scan.bytes, scan.at, messageEnd);
    if (field === 3) {
      const timed = readHistogram(reader);
      const { histograms, count } = this.#columns;
      histograms.push({ series, floatsBefore: count, ...timed });
    } else if (field === 4) {
      this.#exemplar(series);
    } else if (tag === METADATA_TAG) {
      this.#takeMetadata(series);
    }
    scan.at = messageEnd;
  }

  #addRef(ref: number): void {
    if (this.#refCount === this.#refs.length) this.#refs = doubled(this.#refs);
    this.#refs[this.#refCount++] = Math.min(ref, 0xffff_ffff);
  }

  #exemplar(series: number): void {
    const reader = this.#reader;
    const refs: number[] = [];
    let value = 0;
    let timestampMs = 0;
    while (reader.next()) {
      if (reader.field === 1 && reader.wireType === WireType.Length) {
        const refsEnd = reader.takeLength();
        while (reader.hasMore(refsEnd)) refs.push(reader.packedUint64());
      } else if (reader.field === 1) {
        refs.push(reader.takeUint64());
      } else if (reader.field === 2) {
        value = reader.takeDouble();
      } else if (reader.field === 3) {
        timestampMs = reader.takeInt64();
      } else {
        reader.skip();
      }
    }
    if (reader.failed) throw unexpectedEnd();
    this.#exemplars.push({ series, refs, value, timestampMs });
  }

  #takeMetadata(series: number): void {
    const reader = this.#reader;
    const found = { series, type: 0, help: 0, unit: 0 };
    while (reader.next()) {
      if (reader.field === 1) found.type = reader.takeUint64();
      else if (reader.field === 3) found.help = reader.takeUint64();
      else if (reader.field === 4) found.unit = reader.takeUint64();
      else reader.skip();
    }
    if (reader.failed) throw unexpectedEnd();
    if (this.#readsMetadata) this.#metadata.push(found);
  }

  /** What needs all symbols. */
  #finish(): void {
    const { bytes, view } = this.#scan;
    const print = new Fingerprint();
    const prints = this.#symbolPrints;
    for (let symbol = 0; symbol < this.#symbolCount; symbol++) {
      print.ofBytes(bytes, view, this.#symbolStarts[symbol]!, this.#symbolEnds[symbol]!);
      prints[symbol * 3] = print.a;
      prints[symbol * 3 + 1] = print.b;
      prints[symbol * 3 + 2] = print.c;
    }
    const { exemplars, metadata, problems } = this.#columns;
    for (const { refs, ...exemplar } of this.#exemplars) {
      try {
        exemplars.push({ ...exemplar, labels: this.#texts(refs, 'exemplar') });
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        problems.push({ series: exemplar.series, problem: error.message });
      }
    }
    for (const { series, type, help, unit } of this.#metadata) {
      // What Prometheus sends when it knows nothing.
      if (type === 0 && help === 0 && unit === 0) continue;
      metadata.push({
        series,
        metadata: {
          type: METRIC_TYPES[type] ?? 'unknown',
          help: this.#text(help),
          unit: this.#text(unit),
        },
      });
    }
  }

  /** @throws ValueError for refs without a symbol */
  #texts(refs: readonly number[], of: string): string[] {
    const at = `parsing labels for ${of} [${refs.join(' ')}]`;
    if (refs.length % 2 !== 0) {
      throw new ValueError(`${at}: invalid labelRefs length ${refs.length}`);
    }
    const texts: string[] = [];
    for (let i = 0; i < refs.length; i += 2) {
      const name = refs[i]!;
      const value = refs[i + 1]!;
      if (name >= this.#symbolCount || value >= this.#symbolCount) {
        throw new ValueError(
          `${at}: labelRefs ${name} (name) = ${value} (value) outside of symbols table ` +
            `(size ${this.#symbolCount})`,
        );
      }
      texts.push(this.#text(name), this.#text(value));
    }
    return texts;
  }

  #text(symbol: number): string {
    if (symbol >= this.#symbolCount) return '';
    const { bytes } = this.#scan;
    return decodeLabelText(bytes, this.#symbolStarts[symbol]!, this.#symbolEnds[symbol]!);
  }
}

function doubled(from: Uint32Array): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(from.length * 2);
  to.set(from);
  return to;
}
