/**
 * Reads chunks of native histograms, sample by sample: integer ones (encodings 2 and 5) and float ones
 * (3 and 6), with or without start timestamps. What the samples share: histogram-layout.ts.
 *
 *   integer  sample 0   time varbit int · count, zero count varbit uint · sum f64 ·
 *                       buckets varbit int (each the difference to the bucket before)
 *            sample 1   differences to sample 0: varbit ints · sum xor
 *            sample 2…  differences of these differences: varbit ints · sum xor
 *   float    sample 0   time varbit int · count, zero count, sum, buckets f64
 *            others     time as above · all else xor
 *   start    behind each sample, if the encoding has it (start-times.ts)
 *
 * A histogram whose sum is the staleness NaN ends right behind the sum: it has no buckets.
 * Page: docs/format/chunks.md. Source: Prometheus "Chunks Disk Format".
 */
import {
  type CounterResetHint,
  CorruptionError,
  type FloatHistogram,
  type Histogram,
  type SampleBuffer,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
  toFloatHistogram,
} from '../../model/index.ts';
import { BitCursor } from './bit-cursor.ts';
import type { ChunkPlace } from './decoder.ts';
import { Encoding } from './encoding.ts';
import {
  bucketCount,
  HISTOGRAM_HEADER_SIZE_BYTES,
  type HistogramLayout,
  ResetFlag,
  takeLayout,
} from './histogram-layout.ts';
import { padChunk } from './padded-chunk.ts';
import { histogramColumn, startColumn } from './sample-columns.ts';
import { StartTimeReader } from './start-times.ts';
import { takeVarbitInt, takeVarbitUint } from './varbit.ts';
import { XorColumn } from './xor-column.ts';

/** Slots of a float histogram's values; buckets follow. */
const COUNT = 0;
const ZERO_COUNT = 1;
const SUM = 2;
const FIRST_BUCKET = 3;

/**
 * Walks the samples of one chunk. It borrows the decoder's scratch memory: finish one chunk before
 * beginning another.
 */
export class HistogramChunkReader {
  readonly sampleCount: number;
  readonly resetFlag: ResetFlag;
  readonly layout: HistogramLayout;
  readonly isFloat: boolean;
  /** Whether any sample has a start timestamp. */
  readonly hasStarts: boolean;
  // The current sample.
  timestampMs = 0;
  startMs = 0;
  isStale = false;
  readonly #place: ChunkPlace;
  readonly #cursor = new BitCursor();
  readonly #starts: StartTimeReader | null;
  readonly #positiveCount: number;
  readonly #bucketCount: number;
  #index = 0;
  #deltaMs = 0;
  /** Integer: count, zero count, buckets (positive then negative), and how each last changed. */
  readonly #numbers: Float64Array;
  readonly #deltas: Float64Array;
  /** Integer: the sum alone. Float: everything. */
  readonly #floats: XorColumn;

  /** @throws CorruptionError when the beginning of the chunk cannot be right */
  constructor(
    encoding: Encoding,
    chunk: Uint8Array,
    start: number,
    end: number,
    place: ChunkPlace,
  ) {
    const size = end - start;
    this.#place = place;
    if (size < HISTOGRAM_HEADER_SIZE_BYTES) this.#fail('chunk has no header');
    const withStarts = encoding === Encoding.HistogramSt || encoding === Encoding.FloatHistogramSt;
    this.isFloat = encoding === Encoding.FloatHistogram || encoding === Encoding.FloatHistogramSt;
    const padded = padChunk(chunk, start, end);
    const first = padded.bytes[0]!;
    const third = padded.bytes[2]!;
    this.resetFlag = ((withStarts ? first : third) >>> 6) as ResetFlag;
    this.sampleCount = ((withStarts ? first & 0x3f : first) << 8) | padded.bytes[1]!;
    this.#starts = withStarts ? new StartTimeReader() : null;
    this.hasStarts = this.#starts?.reset(third) ?? false;

    this.#cursor.reset(padded, size, HISTOGRAM_HEADER_SIZE_BYTES * 8);
    const layout = this.sampleCount === 0 ? EMPTY_LAYOUT : takeLayout(this.#cursor);
    if (layout === null) this.#fail('histogram layout is malformed');
    this.layout = layout;
    this.#positiveCount = bucketCount(layout.positiveSpans);
    this.#bucketCount = this.#positiveCount + bucketCount(layout.negativeSpans);
    // A bucket takes at least a bit, unless all samples are stale.
    const slots = FIRST_BUCKET + this.#bucketCount;
    this.#floats = new XorColumn(this.isFloat ? slots : 1);
    this.#numbers = new Float64Array(this.isFloat ? 0 : slots);
    this.#deltas = new Float64Array(this.isFloat ? 0 : slots);
  }

  /** Moves to the next sample; false at the end. @throws CorruptionError */
  next(): boolean {
    if (this.#index === this.sampleCount) return false;
    const cursor = this.#cursor;
    const previousMs = this.timestampMs;
    if (this.#index === 0) {
      this.timestampMs = takeVarbitInt(cursor);
    } else {
      this.#deltaMs += takeVarbitInt(cursor);
      this.timestampMs += this.#deltaMs;
    }
    if (this.isFloat) this.#takeFloats();
    else this.#takeIntegers();
    if (this.#starts !== null) {
      if (this.#index === 0) this.#starts.takeFirst(cursor, this.timestampMs);
      else this.#starts.take(cursor, this.#index, previousMs);
      this.startMs = this.#starts.startMs;
    }
    this.#index++;
    if (cursor.isPastEnd) this.#fail('chunk ends before its samples');
    return true;
  }

  /** The current sample, as it is stored. */
  histogram(): Histogram | FloatHistogram {
    return this.isFloat ? this.#floatHistogram() : this.#integerHistogram();
  }

  /** The current sample in float form. */
  asFloat(): FloatHistogram {
    return this.isFloat ? this.#floatHistogram() : toFloatHistogram(this.#integerHistogram());
  }

  #takeIntegers(): void {
    const cursor = this.#cursor;
    const numbers = this.#numbers;
    const deltas = this.#deltas;
    const index = this.#index;
    if (index === 0) {
      numbers[COUNT] = takeVarbitUint(cursor);
      numbers[ZERO_COUNT] = takeVarbitUint(cursor);
      this.#floats.takeRaw(cursor, 0);
    } else {
      // The first difference counts from zero, so that samples 1 and 2… are read alike.
      numbers[COUNT]! += deltas[COUNT]! += takeVarbitInt(cursor);
      numbers[ZERO_COUNT]! += deltas[ZERO_COUNT]! += takeVarbitInt(cursor);
      if (!this.#floats.takeChange(cursor, 0)) this.#fail('sum is malformed');
    }
    this.isStale = this.#isStaleAt(0);
    if (this.isStale) return;
    const end = FIRST_BUCKET + this.#bucketCount;
    if (index === 0) {
      for (let i = FIRST_BUCKET; i < end; i++) numbers[i] = takeVarbitInt(cursor);
    } else {
      for (let i = FIRST_BUCKET; i < end; i++) {
        numbers[i]! += deltas[i]! += takeVarbitInt(cursor);
      }
    }
  }

  #takeFloats(): void {
    const cursor = this.#cursor;
    const floats = this.#floats;
    const end = FIRST_BUCKET + this.#bucketCount;
    if (this.#index === 0) {
      for (let i = 0; i < FIRST_BUCKET; i++) floats.takeRaw(cursor, i);
      this.isStale = this.#isStaleAt(SUM);
      if (this.isStale) return;
      for (let i = FIRST_BUCKET; i < end; i++) floats.takeRaw(cursor, i);
      return;
    }
    let isFine = true;
    for (let i = 0; i < FIRST_BUCKET; i++) isFine = floats.takeChange(cursor, i) && isFine;
    this.isStale = this.#isStaleAt(SUM);
    if (!this.isStale) {
      for (let i = FIRST_BUCKET; i < end; i++) isFine = floats.takeChange(cursor, i) && isFine;
    }
    if (!isFine) this.#fail('histogram value is malformed');
  }

  #isStaleAt(slot: number): boolean {
    const { halves } = this.#floats;
    return halves[slot * 2] === STALE_NAN_LOW && halves[slot * 2 + 1] === STALE_NAN_HIGH;
  }

  /** Whatever the chunk before held may be gone, so its flag says nothing about the first sample. */
  #hint(): CounterResetHint {
    if (this.resetFlag === ResetFlag.Gauge) return 'gauge';
    return this.#index > 1 ? 'not_reset' : 'unknown';
  }

  #integerHistogram(): Histogram {
    const numbers = this.#numbers;
    const { layout } = this;
    const split = FIRST_BUCKET + this.#positiveCount;
    return {
      kind: 'integer',
      hint: this.#hint(),
      stale: this.isStale,
      sum: this.#floats.values[0]!,
      ...(this.isStale ? STALE_BODY : layout),
      count: this.isStale ? 0 : numbers[COUNT]!,
      zeroCount: this.isStale ? 0 : numbers[ZERO_COUNT]!,
      positiveDeltas: this.isStale ? [] : Array.from(numbers.subarray(FIRST_BUCKET, split)),
      negativeDeltas: this.isStale ? [] : Array.from(numbers.subarray(split)),
    };
  }

  #floatHistogram(): FloatHistogram {
    const { values } = this.#floats;
    const { layout } = this;
    const split = FIRST_BUCKET + this.#positiveCount;
    return {
      kind: 'float',
      hint: this.#hint(),
      stale: this.isStale,
      sum: values[SUM]!,
      ...(this.isStale ? STALE_BODY : layout),
      count: this.isStale ? 0 : values[COUNT]!,
      zeroCount: this.isStale ? 0 : values[ZERO_COUNT]!,
      positiveCounts: this.isStale ? [] : Array.from(values.subarray(FIRST_BUCKET, split)),
      negativeCounts: this.isStale ? [] : Array.from(values.subarray(split)),
    };
  }

  #fail(what: string): never {
    throw new CorruptionError(what, this.#place);
  }
}

const EMPTY_LAYOUT: HistogramLayout = {
  schema: 0,
  zeroThreshold: 0,
  positiveSpans: [],
  negativeSpans: [],
  customBounds: [],
};
/** A stale histogram says nothing but that it is stale. */
const STALE_BODY = EMPTY_LAYOUT;

/**
 * Appends the histograms of `chunk[start, end)` with minMs ≤ t ≤ maxMs to `out`, in float form.
 * @throws CorruptionError when the chunk ends before its samples do
 */
export function decodeHistogramChunk(
  encoding: Encoding,
  chunk: Uint8Array,
  start: number,
  end: number,
  minMs: number,
  maxMs: number,
  out: SampleBuffer,
  place: ChunkPlace,
): void {
  const reader = new HistogramChunkReader(encoding, chunk, start, end, place);
  out.reserve(out.count + reader.sampleCount);
  const histograms = histogramColumn(out);
  const starts = reader.hasStarts || out.startTimestampsMs !== null ? startColumn(out) : null;
  const { timestampsMs, valueHalves } = out;
  let { count } = out;
  while (reader.next()) {
    if (reader.timestampMs > maxMs) break;
    if (reader.timestampMs < minMs) continue;
    timestampsMs[count] = reader.timestampMs;
    // So that whoever looks for staleness markers finds these, too.
    valueHalves[count * 2] = reader.isStale ? STALE_NAN_LOW : 0;
    valueHalves[count * 2 + 1] = reader.isStale ? STALE_NAN_HIGH : 0;
    histograms[count] = reader.asFloat();
    if (starts !== null) starts[count] = reader.startMs;
    count++;
  }
  out.count = count;
}
