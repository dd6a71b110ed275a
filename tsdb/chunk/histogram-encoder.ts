/**
 * Writes one chunk of native histograms, integer or float, with or without start timestamps.
 * Format: histogram-decoder.ts (samples), histogram-layout.ts (what they share).
 *
 * All histograms of a chunk have the same buckets. One that has fewer gets empty ones added; one that
 * has more makes the chunk be written anew with these buckets (`recode`). Ask {@link fit} first.
 */
import {
  assert,
  type FloatHistogram,
  type Histogram,
  highBits,
  lowBits,
  type Span,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import { BitSink } from './bit-sink.ts';
import { Encoding } from './encoding.ts';
import {
  absoluteSides,
  fitSide,
  HistogramFit,
  type Sides,
  unitedSpans,
  withSpans,
} from './histogram-buckets.ts';
import { HistogramChunkReader } from './histogram-decoder.ts';
import {
  bucketCount,
  HISTOGRAM_HEADER_SIZE_BYTES,
  type HistogramLayout,
  putLayout,
  ResetFlag,
} from './histogram-layout.ts';
import { StartTimeWriter } from './start-times.ts';
import { XorColumn } from './xor-column.ts';

export { HistogramFit };

const SUM = 2;
const FIRST_BUCKET = 3;
/** The encodings with start timestamps have 14 bits for it. */
const HISTOGRAM_SAMPLES_MAX = 0x3fff;

export class HistogramEncoder {
  readonly isFloat: boolean;
  readonly withStarts: boolean;
  count = 0;
  firstMs = 0;
  lastMs = 0;
  readonly #sink = new BitSink();
  readonly #starts = new StartTimeWriter();
  #resetFlag: ResetFlag = ResetFlag.Unknown;
  #layout: HistogramLayout | null = null;
  #deltaMs = 0;
  #last: Histogram | FloatHistogram | null = null;
  /** Absolute counts of the last histogram, bucket by bucket of the layout. */
  #lastSides: Sides = { positive: [], negative: [] };
  #numbers: number[] = [];
  #deltas: number[] = [];
  #floats = new XorColumn(0);

  constructor(isFloat: boolean, withStarts: boolean) {
    this.isFloat = isFloat;
    this.withStarts = withStarts;
    this.reset();
  }

  get encoding(): Encoding {
    if (this.withStarts) return this.isFloat ? Encoding.FloatHistogramSt : Encoding.HistogramSt;
    return this.isFloat ? Encoding.FloatHistogram : Encoding.Histogram;
  }

  get resetFlag(): ResetFlag {
    return this.#resetFlag;
  }

  get sizeBytes(): number {
    return this.#sink.sizeBytes;
  }

  /** The chunk is `bytes[0, sizeBytes)`. */
  get bytes(): Uint8Array {
    return this.#sink.bytes;
  }

  /** Starts a new chunk; `resetFlag` tells what is known about the one before it. */
  reset(resetFlag: ResetFlag = ResetFlag.Unknown): void {
    this.count = 0;
    this.#resetFlag = resetFlag;
    this.#starts.reset();
    this.#layout = null;
    this.#last = null;
    this.#sink.position = HISTOGRAM_HEADER_SIZE_BYTES * 8;
    this.#putHeader();
  }

  /** Goes on with a chunk that exists. */
  resume(chunk: Uint8Array, start: number, end: number): void {
    const place = { file: 'open chunk', offsetBytes: 0 };
    const reader = new HistogramChunkReader(this.encoding, chunk, start, end, place);
    this.reset(reader.resetFlag);
    while (reader.next()) this.append(reader.timestampMs, reader.histogram(), reader.startMs);
  }

  /** A copy of the finished chunk. */
  finish(): Uint8Array {
    return this.#sink.bytes.slice(0, this.sizeBytes);
  }

  /** Whether `next` can go into this chunk. An empty chunk takes everything of its kind. */
  fit(next: Histogram | FloatHistogram): HistogramFit {
    const last = this.#last;
    const isGauge = next.hint === 'gauge';
    if (last === null) return HistogramFit.Fits;
    if ((next.kind === 'float') !== this.isFloat) return HistogramFit.Differs;
    if (isGauge !== (this.#resetFlag === ResetFlag.Gauge)) return HistogramFit.Differs;
    if (next.stale) return HistogramFit.Fits;
    if (last.stale) return HistogramFit.Differs;
    if (!isGauge && (next.hint === 'reset' || next.count < last.count)) return HistogramFit.Reset;
    const layout = this.#layout!;
    if (next.schema !== layout.schema || next.zeroThreshold !== layout.zeroThreshold) {
      return HistogramFit.Differs;
    }
    if (!sameNumbers(next.customBounds, layout.customBounds)) {
      return isGauge ? HistogramFit.Differs : HistogramFit.Reset;
    }
    if (!isGauge && next.zeroCount < last.zeroCount) return HistogramFit.Reset;
    const sides = absoluteSides(next);
    const positive = fitSide(
      layout.positiveSpans,
      this.#lastSides.positive,
      next.positiveSpans,
      sides.positive,
      isGauge,
    );
    const negative = fitSide(
      layout.negativeSpans,
      this.#lastSides.negative,
      next.negativeSpans,
      sides.negative,
      isGauge,
    );
    return Math.max(positive, negative) as HistogramFit;
  }

  /** Appends a histogram that fits, recoding the chunk if it has to. Times must ascend. */
  append(timestampMs: number, histogram: Histogram | FloatHistogram, startMs = 0): void {
    assert(this.count < HISTOGRAM_SAMPLES_MAX, 'chunk is full');
    assert((histogram.kind === 'float') === this.isFloat, 'histogram of the other kind');
    assert(startMs === 0 || this.withStarts, 'this encoding has no start timestamps');
    if (histogram.stale) {
      this.#appendAligned(timestampMs, { ...histogram, ...NO_BUCKETS }, startMs);
      return;
    }
    const layout = this.#layout;
    if (layout === null) {
      this.#appendAligned(timestampMs, histogram, startMs);
      return;
    }
    const positiveSpans = unitedSpans(layout.positiveSpans, histogram.positiveSpans);
    const negativeSpans = unitedSpans(layout.negativeSpans, histogram.negativeSpans);
    if (positiveSpans !== layout.positiveSpans || negativeSpans !== layout.negativeSpans) {
      this.#recode(positiveSpans, negativeSpans);
    }
    const aligned = withSpans(histogram, this.#layout!.positiveSpans, this.#layout!.negativeSpans);
    this.#appendAligned(timestampMs, aligned, startMs);
  }

  /** Writes the chunk anew with more buckets. */
  #recode(positiveSpans: readonly Span[], negativeSpans: readonly Span[]): void {
    const place = { file: 'open chunk', offsetBytes: 0 };
    const chunk = this.finish();
    const reader = new HistogramChunkReader(this.encoding, chunk, 0, chunk.length, place);
    const rows: [number, Histogram | FloatHistogram, number][] = [];
    while (reader.next()) rows.push([reader.timestampMs, reader.histogram(), reader.startMs]);
    this.reset(this.#resetFlag);
    for (const [timestampMs, histogram, startMs] of rows) {
      const wide = histogram.stale ? histogram : withSpans(histogram, positiveSpans, negativeSpans);
      this.#appendAligned(timestampMs, wide, startMs);
    }
  }

  #appendAligned(
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    startMs: number,
  ): void {
    const previousMs = this.lastMs;
    if (this.count === 0) {
      this.#begin(timestampMs, histogram);
    } else {
      const deltaMs = timestampMs - previousMs;
      this.#sink.putVarbitInt(deltaMs - this.#deltaMs);
      this.#deltaMs = deltaMs;
    }
    if (histogram.kind === 'float') this.#putFloats(histogram);
    else this.#putIntegers(histogram);
    if (this.withStarts) this.#putStart(timestampMs, previousMs, startMs);
    this.lastMs = timestampMs;
    this.#last = histogram;
    if (!histogram.stale) this.#lastSides = absoluteSides(histogram);
    this.count++;
    this.#putHeader();
  }

  #begin(timestampMs: number, histogram: Histogram | FloatHistogram): void {
    if (histogram.hint === 'gauge') this.#resetFlag = ResetFlag.Gauge;
    else if (histogram.hint === 'reset') this.#resetFlag = ResetFlag.Reset;
    const layout = histogram.stale ? NO_BUCKETS : histogram;
    this.#layout = layout;
    putLayout(this.#sink, layout);
    this.#sink.putVarbitInt(timestampMs);
    this.firstMs = timestampMs;
    this.#deltaMs = 0;
    const slots =
      FIRST_BUCKET + bucketCount(layout.positiveSpans) + bucketCount(layout.negativeSpans);
    this.#floats = new XorColumn(this.isFloat ? slots : 1);
    this.#numbers = [];
    this.#deltas = [];
  }

  #putIntegers(histogram: Histogram): void {
    const sink = this.#sink;
    const isFirst = this.count === 0;
    const { count, zeroCount, positiveDeltas, negativeDeltas, stale } = histogram;
    const high = stale ? STALE_NAN_HIGH : highBits(histogram.sum);
    const low = stale ? STALE_NAN_LOW : lowBits(histogram.sum);
    if (isFirst) {
      sink.putVarbitUint(count);
      sink.putVarbitUint(zeroCount);
      this.#floats.putRaw(sink, 0, high, low);
      this.#numbers = [count, zeroCount, ...positiveDeltas, ...negativeDeltas];
      this.#deltas = this.#numbers.map(() => 0);
      for (let i = 2; i < this.#numbers.length; i++) sink.putVarbitInt(this.#numbers[i]!);
      return;
    }
    if (stale) {
      // Their counts mean nothing, so they cost as little as possible.
      sink.putVarbitInt(0);
      sink.putVarbitInt(0);
    } else {
      this.#putNumber(0, count);
      this.#putNumber(1, zeroCount);
    }
    this.#floats.putChange(sink, 0, high, low);
    let slot = 2;
    for (const delta of positiveDeltas) this.#putNumber(slot++, delta);
    for (const delta of negativeDeltas) this.#putNumber(slot++, delta);
  }

  /** The difference of the difference to what the slot had before. */
  #putNumber(slot: number, value: number): void {
    const delta = value - this.#numbers[slot]!;
    this.#sink.putVarbitInt(delta - this.#deltas[slot]!);
    this.#numbers[slot] = value;
    this.#deltas[slot] = delta;
  }

  #putFloats(histogram: FloatHistogram): void {
    const { count, zeroCount, sum, stale, positiveCounts, negativeCounts } = histogram;
    this.#putFloat(0, highBits(count), lowBits(count));
    this.#putFloat(1, highBits(zeroCount), lowBits(zeroCount));
    if (stale) this.#putFloat(SUM, STALE_NAN_HIGH, STALE_NAN_LOW);
    else this.#putFloat(SUM, highBits(sum), lowBits(sum));
    let slot = FIRST_BUCKET;
    for (const bucket of positiveCounts) this.#putFloat(slot++, highBits(bucket), lowBits(bucket));
    for (const bucket of negativeCounts) this.#putFloat(slot++, highBits(bucket), lowBits(bucket));
  }

  #putFloat(slot: number, high: number, low: number): void {
    if (this.count === 0) this.#floats.putRaw(this.#sink, slot, high, low);
    else this.#floats.putChange(this.#sink, slot, high, low);
  }

  #putStart(timestampMs: number, previousMs: number, startMs: number): void {
    const sink = this.#sink;
    const starts = this.#starts;
    sink.reserve();
    sink.position =
      this.count === 0
        ? starts.putFirst(sink.bytes, sink.position, timestampMs, startMs)
        : starts.put(sink.bytes, sink.position, this.count, previousMs, startMs);
  }

  #putHeader(): void {
    const { bytes } = this.#sink;
    const flag = this.#resetFlag << 6;
    bytes[0] = (this.count >>> 8) | (this.withStarts ? flag : 0);
    bytes[1] = this.count;
    bytes[2] = this.withStarts ? this.#starts.header : flag;
  }
}

const NO_BUCKETS = {
  schema: 0,
  zeroThreshold: 0,
  count: 0,
  zeroCount: 0,
  positiveSpans: [],
  negativeSpans: [],
  positiveDeltas: [],
  negativeDeltas: [],
  positiveCounts: [],
  negativeCounts: [],
  customBounds: [],
} as const;

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
