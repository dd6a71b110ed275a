/**
 * Samples of one series as they are stored: floats by their bits, histograms in their own form (a query's
 * buffer has them as floats). What chunks are merged through when they cannot simply be copied.
 */
import { type FloatHistogram, type Histogram, SampleBuffer } from '../../model/index.ts';
import { decodeChunk, type ChunkPlace } from '../chunk/decoder.ts';
import { type Encoding, isFloatEncoding } from '../chunk/encoding.ts';
import { HistogramChunkReader } from '../chunk/histogram-decoder.ts';
import { HistogramFit } from '../chunk/histogram-buckets.ts';
import { HistogramEncoder } from '../chunk/histogram-encoder.ts';
import { ResetFlag } from '../chunk/histogram-layout.ts';
import type { Intervals } from '../chunk/intervals.ts';
import { Xor2Encoder } from '../chunk/xor2-encoder.ts';
import { XorEncoder } from '../chunk/xor-encoder.ts';
import type { SourceChunk } from '../block/block-source.ts';

/** As many as Prometheus puts into a chunk when it writes one anew. */
const CHUNK_SAMPLES_TARGET = 120;

export type RawHistogram = Histogram | FloatHistogram;

export class RawSamples {
  count = 0;
  timestampsMs: number[] = [];
  /** Value halves of floats. */
  highs: number[] = [];
  lows: number[] = [];
  /** 0 where unknown. */
  startsMs: number[] = [];
  /** Null where a float is. */
  histograms: (RawHistogram | null)[] = [];

  /** Appends the samples of a chunk but those that were deleted. @throws CorruptionError */
  appendChunk(
    encoding: Encoding,
    chunk: Uint8Array,
    deleted: Intervals | null,
    place: ChunkPlace,
  ): void {
    const sieve = new DeletionSieve(deleted);
    if (isFloatEncoding(encoding)) {
      const floats = new SampleBuffer();
      decodeChunk(encoding, chunk, 0, chunk.length, -Infinity, Infinity, floats, place);
      const { timestampsMs, valueHalves, startTimestampsMs } = floats;
      for (let i = 0; i < floats.count; i++) {
        if (sieve.drops(timestampsMs[i]!)) continue;
        const high = valueHalves[i * 2 + 1]!;
        this.push(timestampsMs[i]!, high, valueHalves[i * 2]!, startTimestampsMs?.[i] ?? 0, null);
      }
      return;
    }
    const reader = new HistogramChunkReader(encoding, chunk, 0, chunk.length, place);
    while (reader.next()) {
      if (sieve.drops(reader.timestampMs)) continue;
      this.push(reader.timestampMs, 0, 0, reader.startMs, reader.histogram());
    }
  }

  push(
    timestampMs: number,
    high: number,
    low: number,
    startMs: number,
    histogram: RawHistogram | null,
  ): void {
    this.timestampsMs.push(timestampMs);
    this.highs.push(high);
    this.lows.push(low);
    this.startsMs.push(startMs);
    this.histograms.push(histogram);
    this.count++;
  }

  pushFrom(other: RawSamples, index: number): void {
    this.push(
      other.timestampsMs[index]!,
      other.highs[index]!,
      other.lows[index]!,
      other.startsMs[index]!,
      other.histograms[index]!,
    );
  }
}

/** Of several ascending sequences one; of equal times the sample of the earliest source counts. */
export function mergeRawSamples(sources: readonly RawSamples[]): RawSamples {
  if (sources.length === 1) return sources[0]!;
  const out = new RawSamples();
  const next = sources.map(() => 0);
  for (;;) {
    let chosen = -1;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (let s = 0; s < sources.length; s++) {
      const timestampMs = sources[s]!.timestampsMs[next[s]!];
      if (timestampMs !== undefined && timestampMs < earliestMs) {
        earliestMs = timestampMs;
        chosen = s;
      }
    }
    if (chosen < 0) return out;
    out.pushFrom(sources[chosen]!, next[chosen]!);
    for (let s = 0; s < sources.length; s++) {
      if (sources[s]!.timestampsMs[next[s]!] === earliestMs) next[s]!++;
    }
  }
}

/**
 * Encodes samples anew, 120 to a chunk, with a new chunk wherever the kind changes or a histogram
 * does not fit the chunk.
 * @param usesXor2  for floats without start timestamps; those with have no choice
 */
export function encodeRawSamples(samples: RawSamples, usesXor2: boolean): SourceChunk[] {
  const chunks: SourceChunk[] = [];
  let first = 0;
  while (first < samples.count) {
    const histogram = samples.histograms[first]!;
    first =
      histogram === null
        ? encodeFloats(samples, first, usesXor2, chunks)
        : encodeHistograms(samples, first, histogram.kind === 'float', chunks);
  }
  return chunks;
}

/** One chunk of floats from `first` on; returns where the next one begins. */
function encodeFloats(
  samples: RawSamples,
  first: number,
  usesXor2: boolean,
  out: SourceChunk[],
): number {
  const { histograms, timestampsMs, highs, lows, startsMs } = samples;
  let last = first;
  let hasStarts = false;
  while (last < samples.count && last < first + CHUNK_SAMPLES_TARGET && histograms[last] === null) {
    if (startsMs[last++] !== 0) hasStarts = true;
  }
  const isXor2 = usesXor2 || hasStarts;
  const encoder = isXor2 ? new Xor2Encoder() : new XorEncoder();
  for (let i = first; i < last; i++) {
    if (encoder instanceof Xor2Encoder) {
      encoder.append(timestampsMs[i]!, highs[i]!, lows[i]!, startsMs[i]);
    } else {
      encoder.append(timestampsMs[i]!, highs[i]!, lows[i]!);
    }
  }
  out.push({
    minMs: encoder.firstMs,
    maxMs: encoder.lastMs,
    encoding: encoder.encoding,
    sampleCount: encoder.count,
    bytes: encoder.finish(),
  });
  return last;
}

/** One chunk of histograms from `first` on; returns where the next one begins. */
function encodeHistograms(
  samples: RawSamples,
  first: number,
  isFloat: boolean,
  out: SourceChunk[],
): number {
  const { histograms, timestampsMs, startsMs } = samples;
  const end = Math.min(samples.count, first + CHUNK_SAMPLES_TARGET);
  let withStarts = false;
  for (let i = first; i < end; i++) {
    if (histograms[i] !== null && startsMs[i] !== 0) withStarts = true;
  }
  const encoder = new HistogramEncoder(isFloat, withStarts);
  // Samples from elsewhere may now lie before this chunk, so nothing is known about a reset.
  encoder.reset(ResetFlag.Unknown);
  let next = first;
  while (next < end) {
    const histogram = histograms[next]!;
    if (histogram === null || (histogram.kind === 'float') !== isFloat) break;
    const fit = encoder.fit(histogram);
    if (fit === HistogramFit.Reset || fit === HistogramFit.Differs) break;
    encoder.append(timestampsMs[next]!, histogram, startsMs[next]);
    next++;
  }
  out.push({
    minMs: encoder.firstMs,
    maxMs: encoder.lastMs,
    encoding: encoder.encoding,
    sampleCount: encoder.count,
    bytes: encoder.finish(),
  });
  return next;
}

/** Asked about ascending times only. */
class DeletionSieve {
  readonly #deleted: Intervals;
  #next = 0;

  constructor(deleted: Intervals | null) {
    this.#deleted = deleted ?? [];
  }

  drops(timestampMs: number): boolean {
    const deleted = this.#deleted;
    while (this.#next < deleted.length && deleted[this.#next + 1]! < timestampMs) this.#next += 2;
    return this.#next < deleted.length && deleted[this.#next]! <= timestampMs;
  }
}
