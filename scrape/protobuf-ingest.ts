/**
 * Reads protobuf bodies into a target's series.
 *
 * A series has no text here, so its entry in the cache is keyed by the bytes that make it:
 *
 *   sample    role (u8) │ bound (f64 LE, of buckets and quantiles) │ name │ NUL │ LabelPair fields
 *   metadata  0xff │ type (u8) │ name │ NUL │ unit │ NUL │ help
 */
import {
  ByteWriter,
  decodeUtf8,
  METRIC_NAME,
  type MetricMetadata,
  type MetricType,
  messageOf,
  ProtobufReader,
  validateHistogram,
  ValueError,
} from '../model/index.ts';
import { ClassicHistogram } from './exposition/classic-to-custom.ts';
import { BucketLimitError, ExpositionError } from './exposition/exposition-error.ts';
import { decodeStrict, quoteBytes } from './exposition/go-quote.ts';
import { fitHistogram } from './exposition/histogram-limits.ts';
import {
  FAMILY_TYPES,
  type HistogramMessage,
  readExemplar,
  readHistogram,
  readLabelPair,
  readMessage,
  readTimestamp,
} from './exposition/metric-family.ts';
import { formatBound, type RawLabels } from './exposition/series-text.ts';
import { EntryFlag, NO_ENTRY } from './series-cache.ts';
import type { EntryReader, TargetSeries } from './target-series.ts';

const Role = { Value: 0, Count: 1, Sum: 2, Bucket: 3, Quantile: 4, Native: 5, Custom: 6 } as const;
type Role = (typeof Role)[keyof typeof Role];
const SUFFIXES = ['', '_count', '_sum', '_bucket', '', '', ''] as const;
const METADATA = 0xff;
const BOUND_SIZE_BYTES = 8;
const NUL = 0;

const FAMILY_FIELDS = ['', 'Name', 'Help', 'Type', 'Metric', 'Unit'] as const;

export class ProtobufIngest implements EntryReader {
  readonly #reader = new ProtobufReader();
  readonly #key = new ByteWriter(256);
  #keyView = new DataView(this.#key.bytes.buffer);
  #keyStorage: Uint8Array = this.#key.bytes;
  /** Where each Metric of the family begins and ends. */
  readonly #metrics: number[] = [];
  readonly #classic = new ClassicHistogram();

  // Of the body being read.
  #series!: TargetSeries;
  #bytes: Uint8Array = new Uint8Array(0);
  #name: Uint8Array = new Uint8Array(0);
  #metadata: MetricMetadata = { type: 'unknown', unit: '', help: '' };
  #metadataIsNew = false;
  /** Where the labels of the metric being read begin and end, field by field. */
  readonly #labels: number[] = [];
  #ownTimeMs = NaN;
  /** Counters and histograms, which count from a start that may have to be made up. */
  #isCumulative = false;
  /** When the metric began; 0 where it does not say so, or nobody wants to know. */
  #startMs = 0;

  /**
   * Reads the body `bytes[0…sizeBytes)` into `series`, whose scrape has begun.
   * @throws ExpositionError when the body breaks its format; the scrape is then to be abandoned
   */
  read(series: TargetSeries, bytes: Uint8Array, sizeBytes: number): void {
    this.#series = series;
    this.#bytes = bytes;
    let at = 0;
    while (at < sizeBytes) {
      const { size, length } = readDelimiter(bytes, at, sizeBytes);
      const end = at + size + length;
      if (end > sizeBytes) {
        throw new ExpositionError(
          `clientpb: insufficient length of buffer, expected at least ${size + length} bytes, ` +
            `got ${sizeBytes - at} bytes`,
          at,
        );
      }
      this.#family(at + size, end);
      at = end;
    }
  }

  rawLabelsOf(series: TargetSeries, entry: number): RawLabels {
    const key = series.cache.textOf(entry);
    const role = key[0]! as Role;
    const nameStart = 1 + (hasBound(role) ? BOUND_SIZE_BYTES : 0);
    const nameEnd = key.indexOf(NUL, nameStart);
    const raw: RawLabels = [METRIC_NAME, nameOf(key.subarray(nameStart, nameEnd)) + SUFFIXES[role]];
    const reader = new ProtobufReader();
    reader.reset(key, nameEnd + 1);
    while (reader.next()) raw.push(...readLabelPair(reader));
    if (hasBound(role)) {
      const bound = new DataView(key.buffer, key.byteOffset).getFloat64(1, true);
      raw.push(role === Role.Bucket ? 'le' : 'quantile', formatBound(bound));
    }
    return raw;
  }

  /** What the target says about its metrics, by name, as of the last scrape. */
  metadataOf(series: TargetSeries): Map<string, MetricMetadata> {
    const { cache } = series;
    const byName = new Map<string, MetricMetadata>();
    for (let entry = 0; entry < cache.count; entry++) {
      if ((cache.flags[entry]! & EntryFlag.Comment) === 0 || !series.isLive(entry)) continue;
      const key = cache.textOf(entry);
      const nameEnd = key.indexOf(NUL, 2);
      const unitEnd = key.indexOf(NUL, nameEnd + 1);
      byName.set(decodeUtf8(key.subarray(2, nameEnd)), {
        type: FAMILY_TYPES[key[1]!]!,
        unit: decodeUtf8(key.subarray(nameEnd + 1, unitEnd)),
        help: decodeUtf8(key.subarray(unitEnd + 1)),
      });
    }
    return byName;
  }

  #family(start: number, end: number): void {
    const reader = this.#reader;
    reader.reset(this.#bytes, start, end);
    this.#metrics.length = 0;
    this.#name = this.#bytes.subarray(start, start);
    let help = this.#name;
    let unit = this.#name;
    let typeNumber = 0;
    while (reader.next()) {
      const { field, wireType } = reader;
      if (field >= 1 && field <= 5 && wireType !== (field === 3 ? 0 : 2)) {
        const what = `proto: wrong wireType = ${wireType} for field ${FAMILY_FIELDS[field]}`;
        throw new ExpositionError(what, reader.position);
      }
      if (field === 1) this.#name = reader.takeBytes();
      else if (field === 2) help = reader.takeBytes();
      else if (field === 3) typeNumber = reader.takeUint64();
      else if (field === 5) unit = reader.takeBytes();
      else if (field === 4) {
        const metricEnd = reader.takeLength();
        this.#metrics.push(reader.position, metricEnd);
        reader.position = metricEnd;
      } else reader.skip();
    }
    if (reader.failed) throw new ExpositionError('unexpected EOF', end);
    if (this.#metrics.length === 0) return;

    const name = decodeStrict(this.#name);
    if (name === null || name === '') {
      throw new ExpositionError(`invalid metric name: ${name ?? quoteBytes(this.#name)}`, start);
    }
    const type = FAMILY_TYPES[typeNumber];
    if (type === undefined) {
      const what = `unknown metric type for metric ${JSON.stringify(name)}: ${typeNumber}`;
      throw new ExpositionError(what, start);
    }
    if (decodeStrict(help) === null) {
      throw new ExpositionError(`invalid help for metric ${JSON.stringify(name)}`, start);
    }
    this.#takeMetadata(typeNumber, type, unit, help);
    this.#isCumulative = type === 'counter' || type === 'histogram';
    for (let i = 0; i < this.#metrics.length; i += 2) {
      this.#metric(name, type, this.#metrics[i]!, this.#metrics[i + 1]!);
    }
  }

  #takeMetadata(typeNumber: number, type: MetricType, unit: Uint8Array, help: Uint8Array): void {
    const series = this.#series;
    const key = this.#key;
    key.clear();
    key.putByte(METADATA);
    key.putByte(typeNumber);
    key.putBytes(this.#name);
    key.putByte(NUL);
    key.putBytes(unit);
    key.putByte(NUL);
    key.putBytes(help);
    let entry = series.lookup(key.bytes, 0, key.length);
    const isNew = entry === NO_ENTRY;
    if (isNew) entry = series.addText(key.bytes, 0, key.length, 0, EntryFlag.Comment);
    series.cache.seen[entry] = series.scrape;
    series.advanceTo(entry);
    if (series.options.appendMetadata) {
      this.#metadataIsNew = isNew;
      this.#metadata = { type, unit: decodeUtf8(unit), help: decodeUtf8(help) };
    }
  }

  #metric(name: string, type: MetricType, start: number, end: number): void {
    const reader = this.#reader;
    reader.reset(this.#bytes, start, end);
    this.#labels.length = 0;
    this.#ownTimeMs = NaN;
    this.#startMs = 0;
    const isHistogram = type === 'histogram' || type === 'gaugehistogram';
    const wanted = WANTED_FIELD[type];
    /** Where the message with the numbers begins, its tag passed; it is read once all is known. */
    let numbers = -1;
    let fieldStart = start;
    while (reader.next()) {
      const { field } = reader;
      if (field === 6) {
        this.#ownTimeMs = reader.takeInt64();
      } else {
        const content = reader.position;
        reader.skip();
        if (field === 1) this.#labels.push(fieldStart, reader.position);
        else if (field === wanted) numbers = content;
      }
      fieldStart = reader.position;
    }
    if (reader.failed) throw new ExpositionError('unexpected EOF', end);
    if (numbers >= 0) {
      reader.position = numbers;
      reader.wireType = 2;
    }
    if (isHistogram) {
      if (numbers >= 0) this.#histogram(name, readHistogram(reader), type === 'gaugehistogram');
    } else if (type === 'summary') {
      if (numbers >= 0) this.#summary();
    } else {
      this.#simple(numbers >= 0);
    }
    if (reader.failed) throw new ExpositionError('unexpected EOF', end);
  }

  #simple(hasNumbers: boolean): void {
    const reader = this.#reader;
    let value = 0;
    let exemplar = null;
    if (hasNumbers) {
      readMessage(reader, () => {
        if (reader.field === 1) value = reader.takeDouble();
        else if (reader.field === 2) exemplar = readExemplar(reader);
        else if (reader.field === 3) this.#takeStart(readTimestamp(reader));
        else reader.skip();
      });
    }
    const entry = this.#sample(Role.Value, NaN, value);
    if (entry !== NO_ENTRY && exemplar !== null) this.#series.exemplar(entry, exemplar);
  }

  #summary(): void {
    const reader = this.#reader;
    let count = 0;
    let sum = 0;
    const quantiles: number[] = [];
    readMessage(reader, () => {
      if (reader.field === 1) count = reader.takeUint64();
      else if (reader.field === 2) sum = reader.takeDouble();
      else if (reader.field === 4) this.#takeStart(readTimestamp(reader));
      else if (reader.field !== 3) reader.skip();
      else {
        let quantile = 0;
        let value = 0;
        readMessage(reader, () => {
          if (reader.field === 1) quantile = reader.takeDouble();
          else if (reader.field === 2) value = reader.takeDouble();
          else reader.skip();
        });
        quantiles.push(quantile, value);
      }
    });
    this.#sample(Role.Count, NaN, count);
    this.#sample(Role.Sum, NaN, sum);
    for (let i = 0; i < quantiles.length; i += 2) {
      this.#sample(Role.Quantile, quantiles[i]!, quantiles[i + 1]!);
    }
  }

  #histogram(name: string, message: HistogramMessage, isGauge: boolean): void {
    const { scrapeNativeHistograms, convertClassicHistograms, keepClassicHistograms } =
      this.#series.options;
    const { buckets } = message;
    this.#takeStart(message.startMs);
    const isNative = scrapeNativeHistograms && message.isNative;
    if (isNative) {
      this.#native(name, message, isGauge);
      if (!keepClassicHistograms || !buckets.some((b) => b.upperBound !== Infinity)) return;
    } else if (convertClassicHistograms) {
      this.#custom(message);
      if (!keepClassicHistograms) return;
    }
    this.#sample(Role.Count, NaN, message.count);
    this.#sample(Role.Sum, NaN, message.sum);
    let hasInfinite = false;
    for (const { upperBound, count, exemplar } of buckets) {
      hasInfinite ||= upperBound === Infinity;
      const entry = this.#sample(Role.Bucket, upperBound, count);
      if (entry !== NO_ENTRY && exemplar !== null) this.#series.exemplar(entry, exemplar);
    }
    if (!hasInfinite) this.#sample(Role.Bucket, Infinity, message.count);
  }

  #native(name: string, message: HistogramMessage, isGauge: boolean): void {
    const series = this.#series;
    const { nativeHistogramSchemaMax, nativeHistogramBucketLimit } = series.options;
    const received = message.toNative(name, isGauge);
    const native = fitHistogram(received, nativeHistogramSchemaMax, nativeHistogramBucketLimit);
    if (native === null) throw new BucketLimitError();
    try {
      validateHistogram(native);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      throw new ExpositionError(messageOf(error), 0);
    }
    const entry = this.#entry(Role.Native, NaN, EntryFlag.Histogram);
    if (entry === NO_ENTRY || !series.histogram(entry, native, this.#ownTimeMs, this.#startMs))
      return;
    for (const exemplar of message.nativeExemplars()) series.exemplar(entry, exemplar);
  }

  #custom(message: HistogramMessage): void {
    const series = this.#series;
    const classic = this.#classic;
    classic.clear();
    for (const { upperBound, count } of message.buckets) classic.addBucket(upperBound, count);
    classic.setSum(message.sum);
    classic.setCount(message.count);
    const native = classic.convert();
    if (native === null) return;
    if (fitHistogram(native, Infinity, series.options.nativeHistogramBucketLimit) === null) {
      throw new BucketLimitError();
    }
    const entry = this.#entry(Role.Custom, NaN, EntryFlag.Histogram);
    if (entry === NO_ENTRY || !series.histogram(entry, native, this.#ownTimeMs, this.#startMs))
      return;
    for (const exemplar of message.nativeExemplars()) series.exemplar(entry, exemplar);
  }

  #sample(role: Role, bound: number, value: number): number {
    const entry = this.#entry(role, bound, 0);
    if (entry !== NO_ENTRY) this.#series.sample(entry, value, this.#ownTimeMs, this.#startMs);
    return entry;
  }

  #takeStart(startMs: number): void {
    if (this.#series.options.readsStarts) this.#startMs = startMs;
  }

  /** The entry of the series of the metric being read; NO_ENTRY beyond the sample limit. */
  #entry(role: Role, bound: number, flags: number): number {
    const series = this.#series;
    const key = this.#writeKey(role, bound);
    let entry = series.lookup(key.bytes, 0, key.length);
    const isNew = entry === NO_ENTRY;
    if (isNew) {
      const raw = this.#rawLabels(role, bound);
      entry = series.addSeries(key.bytes, 0, key.length, raw, flags);
      if (entry === NO_ENTRY) return NO_ENTRY;
      if (this.#isCumulative) series.synthesis?.mark(entry);
    }
    series.advanceTo(entry);
    if (series.options.appendMetadata && (isNew || this.#metadataIsNew)) {
      series.metadata(entry, this.#metadata);
    }
    return entry;
  }

  #writeKey(role: Role, bound: number): ByteWriter {
    const key = this.#key;
    const labels = this.#labels;
    const bytes = this.#bytes;
    let size = 2 + BOUND_SIZE_BYTES + this.#name.length;
    for (let i = 0; i < labels.length; i += 2) size += labels[i + 1]! - labels[i]!;
    key.clear();
    key.reserve(size);
    const out = key.bytes;
    if (out !== this.#keyStorage) {
      this.#keyStorage = out;
      this.#keyView = new DataView(out.buffer);
    }
    let at = 0;
    out[at++] = role;
    if (hasBound(role)) {
      this.#keyView.setFloat64(at, bound, true);
      at += BOUND_SIZE_BYTES;
    }
    for (let i = 0; i < this.#name.length; i++) out[at++] = this.#name[i]!;
    out[at++] = NUL;
    for (let i = 0; i < labels.length; i += 2) {
      const end = labels[i + 1]!;
      for (let from = labels[i]!; from < end; from++) out[at++] = bytes[from]!;
    }
    key.length = at;
    return key;
  }

  #rawLabels(role: Role, bound: number): RawLabels {
    const raw: RawLabels = [METRIC_NAME, nameOf(this.#name) + SUFFIXES[role]];
    const reader = new ProtobufReader();
    for (let i = 0; i < this.#labels.length; i += 2) {
      reader.reset(this.#bytes, this.#labels[i], this.#labels[i + 1]);
      reader.next();
      raw.push(...readLabelPair(reader));
      if (reader.failed) throw new ExpositionError('unexpected EOF', this.#labels[i]!);
    }
    if (hasBound(role)) raw.push(role === Role.Bucket ? 'le' : 'quantile', formatBound(bound));
    return raw;
  }
}

/** The field of a Metric that holds the numbers of a type. */
const WANTED_FIELD: Record<MetricType, number> = {
  gauge: 2,
  counter: 3,
  summary: 4,
  unknown: 5,
  histogram: 7,
  gaugehistogram: 7,
  info: 2,
  stateset: 2,
};

function hasBound(role: Role): boolean {
  return role === Role.Bucket || role === Role.Quantile;
}

function nameOf(bytes: Uint8Array): string {
  return decodeStrict(bytes) ?? '';
}

/** The length in front of a message, and how many bytes it takes itself. */
function readDelimiter(
  bytes: Uint8Array,
  start: number,
  end: number,
): { size: number; length: number } {
  let length = 0;
  let scale = 1;
  for (let at = start; at < end && at < start + 10; at++) {
    const byte = bytes[at]!;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return { size: at + 1 - start, length };
    scale *= 128;
  }
  throw new ExpositionError('clientpb: invalid varint encountered', start);
}
