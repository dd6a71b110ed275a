/**
 * Puts samples that were judged already into series: appends to the open chunk, or finishes it and
 * begins the next. Commits and replay both end here. The caller has opened the record for change
 * (isolation.ts).
 */
import {
  type FloatHistogram,
  type Histogram,
  type SampleBuffer,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import { Encoding } from '../chunk/encoding.ts';
import { type HistogramEncoder, HistogramFit } from '../chunk/histogram-encoder.ts';
import { ResetFlag } from '../chunk/histogram-layout.ts';
import type { Heap } from '../memory/heap.ts';
import {
  estimateCutMs,
  HISTOGRAM_CHUNK_SAMPLES_MIN,
  HISTOGRAM_CHUNK_SIZE_BYTES,
  rangeEndMs,
} from './cut-rules.ts';
import type { EncodedChunks } from './encoded-chunk.ts';
import {
  type OpenChunks,
  type RecordColumns,
  XOR_CHUNK_COUNT_SAFE,
  XOR_CHUNK_SIZE_BYTES_MAX,
} from './open-chunk.ts';
import {
  CHUNK_SPAN_MS_MAX,
  PLACE_CHAIN,
  PLACE_ENCODED,
  type SealedChunks,
} from './sealed-chunks.ts';
import * as Rec from './series-record.ts';

export type SeriesWriterOptions = {
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
};

/** Finished chunks that wait to be written to a file, in order: whose, and where their bytes are. */
export type WaitingChunk = {
  readonly ref: number;
  readonly place: number;
  readonly address: number;
};

const VALUE_FLAGS = Rec.FLAG_VALUE_KNOWN | Rec.FLAG_STALE | Rec.FLAG_HISTOGRAM;

export class SeriesWriter {
  readonly #heap: Heap;
  readonly #open: OpenChunks;
  readonly #encoded: EncodedChunks;
  readonly #sealed: SealedChunks;
  readonly #chunkRangeMs: number;
  readonly #samplesPerChunk: number;
  /** Chunks finished since somebody last took them away. */
  waiting: WaitingChunk[] = [];
  /** How many series have a staleness marker as their newest sample. */
  staleCount = 0;
  /** How many series have a histogram as their newest sample. */
  histogramSeriesCount = 0;
  createdChunkCount = 0;
  /** Whether new chunks of floats are XOR2, which also hold start timestamps, instead of XOR. */
  usesXor2 = false;
  /** Whether chunks of histograms hold start timestamps where they are known; else the log alone. */
  histogramChunksHoldStarts = true;

  constructor(
    heap: Heap,
    open: OpenChunks,
    encoded: EncodedChunks,
    sealed: SealedChunks,
    options: SeriesWriterOptions,
  ) {
    this.#heap = heap;
    this.#open = open;
    this.#encoded = encoded;
    this.#sealed = sealed;
    this.#chunkRangeMs = options.chunkRangeMs;
    this.#samplesPerChunk = options.samplesPerChunk;
  }

  /**
   * Appends a float that is newer than all others in order. Returns false when it is not.
   * A start timestamp (0: unknown) makes the chunk one that can hold them.
   */
  appendFloat(
    record: number,
    timestampMs: number,
    low: number,
    high: number,
    startMs = 0,
  ): boolean {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const double = record >>> 3;
    if (!(timestampMs > f64[double + Rec.MAX_TIME]!)) return false;
    const state = u32[word + Rec.STATE]!;
    const encoding = state >>> 24;
    if (startMs !== 0 || encoding > Encoding.Xor) {
      this.#appendEncodedFloat(record, timestampMs, low, high, startMs);
    } else {
      const count = state & 0xffff;
      if (count !== 0 && this.#floatGoesOn(record, count, timestampMs)) {
        this.#open.append(record, timestampMs, low, high);
      } else if (this.usesXor2) {
        this.#appendEncodedFloat(record, timestampMs, low, high, startMs);
      } else {
        if (count !== 0) this.seal(record);
        this.#open.begin(record, timestampMs, low, high);
        this.#noteBegin(record, timestampMs);
      }
    }
    const isStale = low === STALE_NAN_LOW && high === STALE_NAN_HIGH;
    this.#noteFlags(word, Rec.FLAG_VALUE_KNOWN | (isStale ? Rec.FLAG_STALE : 0));
    return true;
  }

  /**
   * Appends floats `[first, last)` that are newer than all others in order and of the usual kind.
   * @returns the first that is not, for `appendFloat`
   */
  appendRun(columns: RecordColumns, first: number, last: number, notBeforeMs: number): number {
    return this.#open.appendRun(columns, first, last, notBeforeMs, this.#samplesPerChunk);
  }

  /** The same for a histogram. */
  appendHistogram(
    record: number,
    timestampMs: number,
    histogram: Histogram | FloatHistogram,
    knownStartMs = 0,
  ): boolean {
    const { f64 } = this.#heap;
    const startMs = this.histogramChunksHoldStarts ? knownStartMs : 0;
    if (!(timestampMs > f64[(record >>> 3) + Rec.MAX_TIME]!)) return false;
    const isFloat = histogram.kind === 'float';
    let encoder = this.#encoded.histogramEncoder(record);
    let resetFlag: ResetFlag = ResetFlag.Unknown;
    let keepsEstimate = false;
    if (encoder !== null) {
      const fit = encoder.fit(histogram);
      const fits = fit === HistogramFit.Fits || fit === HistogramFit.Wider;
      if (fit === HistogramFit.Reset) resetFlag = ResetFlag.Reset;
      else if (fits && histogram.hint !== 'gauge') resetFlag = ResetFlag.NotReset;
      const canHold = encoder.isFloat === isFloat && (encoder.withStarts || startMs === 0);
      const goesOn = canHold && this.#histogramGoesOn(record, encoder, timestampMs);
      // As Prometheus does: a chunk begun because buckets or counts did not fit the last one has
      // no estimated end of its own once there was one, so it grows to twice the size.
      keepsEstimate = goesOn && !fits;
      if (!goesOn || !fits) encoder = null;
    }
    if (encoder === null) {
      this.seal(record);
      if (!keepsEstimate) this.#heap.u32[(record >>> 2) + Rec.WINDOW]! &= ~Rec.FLAG_ESTIMATED;
      encoder = this.#encoded.beginHistograms(record, isFloat, startMs !== 0, resetFlag);
      encoder.append(timestampMs, histogram, startMs);
      this.#encoded.save(record, encoder);
      this.#noteBegin(record, timestampMs);
    } else {
      encoder.append(timestampMs, histogram, startMs);
      this.#encoded.save(record, encoder);
    }
    this.#noteFlags(record >>> 2, Rec.FLAG_HISTOGRAM | (histogram.stale ? Rec.FLAG_STALE : 0));
    return true;
  }

  /** Finishes the open chunk, if there is one, and files it under the finished ones. */
  seal(record: number): void {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    if (u32[word + Rec.OPEN_CHUNK] === 0) return;
    const minMs = f64[(record >>> 3) + Rec.OPEN_MIN_TIME]!;
    const maxMs = f64[(record >>> 3) + Rec.MAX_TIME]!;
    const isEncoded = (u32[word + Rec.WINDOW]! & Rec.FLAG_ENCODED) !== 0;
    const place = isEncoded ? PLACE_ENCODED : PLACE_CHAIN;
    const address = isEncoded ? this.#encoded.finish(record) : this.#open.finish(record);
    this.#sealed.add(word + Rec.SEALED, minMs, maxMs, place, address);
    this.waiting.push({ ref: this.#heap.u32[word + Rec.REF]!, place, address });
  }

  /** Forgets the open chunk of a series. */
  dropOpen(record: number): void {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    if ((u32[word + Rec.WINDOW]! & Rec.FLAG_ENCODED) !== 0) {
      this.#encoded.retire(this.#encoded.finish(record));
      return;
    }
    this.#open.retireChain(u32[word + Rec.OPEN_CHUNK]!);
    u32[word + Rec.OPEN_CHUNK] = 0;
    u32[word + Rec.STATE] = 0;
  }

  /** Remembers the value of the newest sample, which is in a finished chunk. */
  noteNewestFloat(record: number, low: number, high: number): void {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    if (u32[word + Rec.OPEN_CHUNK] !== 0) return;
    u32[word + Rec.VALUE_LOW] = low;
    u32[word + Rec.VALUE_HIGH] = high;
    const isStale = low === STALE_NAN_LOW && high === STALE_NAN_HIGH;
    this.#noteFlags(word, Rec.FLAG_VALUE_KNOWN | (isStale ? Rec.FLAG_STALE : 0));
  }

  /**
   * For a start from a snapshot: an open chunk was put back into the record. When it should end is
   * what it was before, or nearly so for histograms, whose size at each sample is not known any more.
   */
  noteRestored(record: number, samples: SampleBuffer, sizeBytes: number, isStale: boolean): void {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const double = record >>> 3;
    const { timestampsMs, count } = samples;
    const firstMs = timestampsMs[0]!;
    const limitMs = rangeEndMs(firstMs, this.#chunkRangeMs);
    const estimateCount = this.#samplesPerChunk >>> 2;
    const isHistogram = samples.histograms !== null;
    this.createdChunkCount++;
    f64[double + Rec.NEXT_CUT] = limitMs;
    if (isHistogram && sizeBytes >= HISTOGRAM_CHUNK_SIZE_BYTES / 4) {
      const ratioToFull = HISTOGRAM_CHUNK_SIZE_BYTES / sizeBytes;
      u32[word + Rec.WINDOW]! |= Rec.FLAG_ESTIMATED;
      f64[double + Rec.NEXT_CUT] = estimateCutMs(
        firstMs,
        timestampsMs[count - 1]!,
        limitMs,
        ratioToFull,
      );
    } else if (!isHistogram && count > estimateCount && estimateCount > 0) {
      const atMs = timestampsMs[estimateCount - 1]!;
      f64[double + Rec.NEXT_CUT] = estimateCutMs(firstMs, atMs, limitMs, 4);
    }
    const kind = isHistogram ? Rec.FLAG_HISTOGRAM : Rec.FLAG_VALUE_KNOWN;
    this.#noteFlags(word, kind | (isStale ? Rec.FLAG_STALE : 0));
  }

  /** The series goes away: takes it out of the figures. */
  forget(record: number): void {
    this.#noteFlags(record >>> 2, 0);
  }

  #appendEncodedFloat(
    record: number,
    timestampMs: number,
    low: number,
    high: number,
    startMs: number,
  ): void {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    let encoder = this.#encoded.floatEncoder(record);
    if (encoder !== null && !this.#floatGoesOn(record, encoder.count, timestampMs)) encoder = null;
    if (encoder === null && startMs === 0 && !this.usesXor2) {
      // Nothing asks for the wider encoding any more.
      this.seal(record);
      this.#open.begin(record, timestampMs, low, high);
      this.#noteBegin(record, timestampMs);
      return;
    }
    const isNew = encoder === null;
    if (isNew) this.seal(record);
    encoder ??= this.#encoded.beginFloats(record);
    encoder.append(timestampMs, high, low, startMs);
    this.#encoded.save(record, encoder);
    if (isNew) this.#noteBegin(record, timestampMs);
    u32[word + Rec.VALUE_LOW] = low;
    u32[word + Rec.VALUE_HIGH] = high;
  }

  #noteBegin(record: number, timestampMs: number): void {
    this.#heap.f64[(record >>> 3) + Rec.NEXT_CUT] = rangeEndMs(timestampMs, this.#chunkRangeMs);
    this.createdChunkCount++;
  }

  /** Whether a float may go into the open chunk; estimates the chunk's end on the way. */
  #floatGoesOn(record: number, count: number, timestampMs: number): boolean {
    const { u32, f64 } = this.#heap;
    const double = record >>> 3;
    if (count > XOR_CHUNK_COUNT_SAFE) {
      const isEncoded = (u32[(record >>> 2) + Rec.WINDOW]! & Rec.FLAG_ENCODED) !== 0;
      const sizeBytes = isEncoded
        ? this.#encoded.floatEncoder(record)!.sizeBytes
        : this.#open.sizeBytes(record);
      if (sizeBytes > XOR_CHUNK_SIZE_BYTES_MAX) return false;
    }
    const perChunk = this.#samplesPerChunk;
    if (count === perChunk >>> 2) {
      f64[double + Rec.NEXT_CUT] = estimateCutMs(
        f64[double + Rec.OPEN_MIN_TIME]!,
        f64[double + Rec.MAX_TIME]!,
        f64[double + Rec.NEXT_CUT]!,
        4,
      );
    }
    if (timestampMs >= f64[double + Rec.NEXT_CUT]! || count >= perChunk * 2) return false;
    return timestampMs - f64[double + Rec.OPEN_MIN_TIME]! <= CHUNK_SPAN_MS_MAX;
  }

  /** The same for histograms, which are cut by size. */
  #histogramGoesOn(record: number, encoder: HistogramEncoder, timestampMs: number): boolean {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const double = record >>> 3;
    const { sizeBytes } = encoder;
    const openMinMs = f64[double + Rec.OPEN_MIN_TIME]!;
    const isEstimated = (u32[word + Rec.WINDOW]! & Rec.FLAG_ESTIMATED) !== 0;
    if (!isEstimated && sizeBytes >= HISTOGRAM_CHUNK_SIZE_BYTES / 4) {
      u32[word + Rec.WINDOW]! |= Rec.FLAG_ESTIMATED;
      f64[double + Rec.NEXT_CUT] = estimateCutMs(
        openMinMs,
        f64[double + Rec.MAX_TIME]!,
        f64[double + Rec.NEXT_CUT]!,
        HISTOGRAM_CHUNK_SIZE_BYTES / sizeBytes,
      );
    }
    if (timestampMs - openMinMs > CHUNK_SPAN_MS_MAX) return false;
    const isFull =
      timestampMs >= f64[double + Rec.NEXT_CUT]! || sizeBytes >= HISTOGRAM_CHUNK_SIZE_BYTES * 2;
    if (!isFull) return true;
    if (timestampMs >= rangeEndMs(openMinMs, this.#chunkRangeMs)) return false;
    return encoder.count < HISTOGRAM_CHUNK_SAMPLES_MIN;
  }

  /** Replaces the flags about the newest sample and keeps the figures made of them. */
  #noteFlags(word: number, flags: number): void {
    const { u32 } = this.#heap;
    const window = u32[word + Rec.WINDOW]!;
    const before = window & VALUE_FLAGS;
    if (before === flags) return;
    const changed = before ^ flags;
    if ((changed & Rec.FLAG_STALE) !== 0) {
      this.staleCount += (flags & Rec.FLAG_STALE) !== 0 ? 1 : -1;
    }
    if ((changed & Rec.FLAG_HISTOGRAM) !== 0) {
      this.histogramSeriesCount += (flags & Rec.FLAG_HISTOGRAM) !== 0 ? 1 : -1;
    }
    u32[word + Rec.WINDOW] = (window & ~VALUE_FLAGS) | flags;
  }
}
