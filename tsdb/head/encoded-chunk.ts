/**
 * Open chunks of series that are not plain floats (native histograms, samples with start
 * timestamps): kept in shared memory as finished bytes, which readers copy as they are.
 *
 *   word 0  capacity in bytes
 *   word 1  size in bytes (low 24 bits) · encoding (high 8 bits)
 *   byte 8  the chunk
 *   behind the capacity, for floats: what the encoder remembers from sample to sample, its first
 *           double 0 where that is not known
 *
 * An encoder of histograms remembers much, and its chunk may have to be written anew when buckets
 * appear. So these encoders are objects of the writer's thread, for the series that were appended
 * to last; for another series one is made from the bytes. Floats have one encoder for all series.
 */
import {
  assert,
  type FloatHistogram,
  type Histogram,
  highBits,
  lowBits,
  SampleBuffer,
  type Span,
} from '../../model/index.ts';
import { decodeChunk } from '../chunk/decoder.ts';
import { Encoding, isFloatEncoding } from '../chunk/encoding.ts';
import { HistogramChunkReader } from '../chunk/histogram-decoder.ts';
import { HistogramEncoder } from '../chunk/histogram-encoder.ts';
import type { ResetFlag } from '../chunk/histogram-layout.ts';
import { XOR2_STATE_DOUBLES, Xor2Encoder } from '../chunk/xor2-encoder.ts';
import type { Allocator } from '../memory/allocator.ts';
import type { Heap } from '../memory/heap.ts';
import type { Retired } from '../memory/retired.ts';
import * as Rec from './series-record.ts';

const HEADER_BYTES = 8;
const SIZE_MASK = 0xff_ffff;
const INITIAL_CAPACITY_BYTES = 120;
/** Encoders that are kept; each holds a few KiB. */
const ENCODER_COUNT_MAX = 4096;
const PLACE = { file: 'open chunk', offsetBytes: 0 };

const FLOAT_STATE_BYTES = XOR2_STATE_DOUBLES * 8;

type Cached = { readonly address: number; readonly encoder: HistogramEncoder };

/** The writer's side. */
export class EncodedChunks {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  /** By series record, least recently used first. `address` tells which chunk it is about. */
  readonly #encoders = new Map<number, Cached>();
  readonly #floats = new Xor2Encoder();
  readonly #samples = new SampleBuffer();

  constructor(heap: Heap, allocator: Allocator, retired: Retired) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
  }

  /** The encoder of the series' open chunk when that one holds histograms, else null. */
  histogramEncoder(record: number): HistogramEncoder | null {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    if (!this.#isEncoded(word) || isFloatEncoding(encodingOf(u32[word + Rec.STATE]!))) return null;
    const address = u32[word + Rec.OPEN_CHUNK]!;
    const cached = this.#encoders.get(record);
    if (cached !== undefined && cached.address === address) {
      // To the end of the order of use.
      this.#encoders.delete(record);
      this.#encoders.set(record, cached);
      return cached.encoder;
    }
    const encoder = this.#resumeHistograms(address);
    this.#remember(record, { address, encoder });
    return encoder;
  }

  /** The same for floats with start timestamps; good until the next call for floats. */
  floatEncoder(record: number): Xor2Encoder | null {
    const { u32, u8, f64 } = this.#heap;
    const word = record >>> 2;
    if (!this.#isEncoded(word) || !isFloatEncoding(encodingOf(u32[word + Rec.STATE]!))) return null;
    const address = u32[word + Rec.OPEN_CHUNK]!;
    const state = this.#stateOf(address);
    const encoder = this.#floats;
    if (f64[state] === 0) this.#rebuildFloats(address, encoder);
    else {
      const from = address + HEADER_BYTES;
      const size = u32[(address >>> 2) + 1]! & SIZE_MASK;
      encoder.resume(u8, from, from + size, f64, state);
    }
    return encoder;
  }

  /** An encoder for a new chunk of the series, which has no open one. */
  beginHistograms(
    record: number,
    isFloat: boolean,
    withStarts: boolean,
    resetFlag: ResetFlag,
  ): HistogramEncoder {
    const encoder = new HistogramEncoder(isFloat, withStarts);
    encoder.reset(resetFlag);
    assert(this.#heap.u32[(record >>> 2) + Rec.OPEN_CHUNK] === 0, 'the series has an open chunk');
    this.#remember(record, { address: 0, encoder });
    return encoder;
  }

  beginFloats(record: number): Xor2Encoder {
    assert(this.#heap.u32[(record >>> 2) + Rec.OPEN_CHUNK] === 0, 'the series has an open chunk');
    this.#floats.reset();
    return this.#floats;
  }

  /** Copies what the encoder holds into shared memory and notes it in the record. */
  save(record: number, encoder: HistogramEncoder | Xor2Encoder): void {
    const word = record >>> 2;
    const size = encoder.sizeBytes;
    assert(size <= SIZE_MASK, 'open chunk too large');
    let address = this.#heap.u32[word + Rec.OPEN_CHUNK]!;
    if (address === 0 || this.#heap.u32[address >>> 2]! < size) {
      const capacity = Math.max(INITIAL_CAPACITY_BYTES, wholeDoubles(size + (size >>> 1)));
      const stateBytes = encoder instanceof Xor2Encoder ? FLOAT_STATE_BYTES : 0;
      const grown = this.#allocator.allocate(HEADER_BYTES + capacity + stateBytes);
      this.#heap.u32[grown >>> 2] = capacity;
      if (address !== 0) this.retire(address);
      address = grown;
      this.#heap.u32[word + Rec.OPEN_CHUNK] = address;
      if (encoder instanceof HistogramEncoder) this.#remember(record, { address, encoder });
    }
    const { u32, u8, f64 } = this.#heap;
    u8.set(encoder.bytes.subarray(0, size), address + HEADER_BYTES);
    const encoding = encoder instanceof Xor2Encoder ? Encoding.Xor2 : encoder.encoding;
    u32[(address >>> 2) + 1] = size | (encoding << 24);
    u32[word + Rec.STATE] = encoder.count | (encoding << 24);
    u32[word + Rec.WINDOW]! |= Rec.FLAG_ENCODED;
    f64[(record >>> 3) + Rec.OPEN_MIN_TIME] = encoder.firstMs;
    f64[(record >>> 3) + Rec.MAX_TIME] = encoder.lastMs;
    if (encoder instanceof Xor2Encoder) encoder.saveState(f64, this.#stateOf(address));
  }

  /** Makes a chunk that was copied out once the open one of a series that has none. */
  restore(
    record: number,
    encoding: Encoding,
    bytes: Uint8Array,
    sampleCount: number,
    minMs: number,
    maxMs: number,
  ): void {
    const word = record >>> 2;
    assert(bytes.length <= SIZE_MASK, 'open chunk too large');
    assert(this.#heap.u32[word + Rec.OPEN_CHUNK] === 0, 'the series has an open chunk');
    const capacity = Math.max(INITIAL_CAPACITY_BYTES, wholeDoubles(bytes.length));
    const stateBytes = isFloatEncoding(encoding) ? FLOAT_STATE_BYTES : 0;
    const address = this.#allocator.allocate(HEADER_BYTES + capacity + stateBytes);
    const { u32, u8, f64 } = this.#heap;
    u32[address >>> 2] = capacity;
    u32[(address >>> 2) + 1] = bytes.length | (encoding << 24);
    u8.set(bytes, address + HEADER_BYTES);
    if (stateBytes > 0) f64[this.#stateOf(address)] = 0;
    u32[word + Rec.OPEN_CHUNK] = address;
    u32[word + Rec.STATE] = sampleCount | (encoding << 24);
    u32[word + Rec.WINDOW]! |= Rec.FLAG_ENCODED;
    f64[(record >>> 3) + Rec.OPEN_MIN_TIME] = minMs;
    f64[(record >>> 3) + Rec.MAX_TIME] = maxMs;
  }

  /** Takes the open chunk out of the record; its bytes stay at the address that is returned. */
  finish(record: number): number {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    const address = u32[word + Rec.OPEN_CHUNK]!;
    this.#encoders.delete(record);
    u32[word + Rec.OPEN_CHUNK] = 0;
    u32[word + Rec.STATE] = 0;
    u32[word + Rec.WINDOW]! &= ~Rec.FLAG_ENCODED;
    return address;
  }

  retire(address: number): void {
    const { u32 } = this.#heap;
    const stateBytes = isFloatEncoding(encodingOf(u32[(address >>> 2) + 1]!))
      ? FLOAT_STATE_BYTES
      : 0;
    this.#retired.add(address, HEADER_BYTES + u32[address >>> 2]! + stateBytes);
  }

  bytesOf(address: number): { readonly bytes: Uint8Array; readonly encoding: Encoding } {
    const bytes = new Uint8Array(encodedChunkSize(this.#heap, address));
    const encoding = copyEncodedChunk(this.#heap, address, bytes.length, bytes, 0);
    return { bytes, encoding };
  }

  /** Whether the newest sample of the series is this histogram. */
  equalsNewest(record: number, histogram: Histogram | FloatHistogram): boolean {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    if ((u32[word + Rec.WINDOW]! & Rec.FLAG_ENCODED) === 0) return false;
    const { bytes, encoding } = this.bytesOf(u32[word + Rec.OPEN_CHUNK]!);
    if (isFloatEncoding(encoding)) return false;
    const reader = new HistogramChunkReader(encoding, bytes, 0, bytes.length, PLACE);
    let newest: Histogram | FloatHistogram | undefined;
    while (reader.next()) newest = reader.histogram();
    return this.equals(newest, histogram);
  }

  /** Whether two histograms say the same, however their empty buckets are written. */
  equals(
    a: Histogram | FloatHistogram | undefined,
    b: Histogram | FloatHistogram | undefined,
  ): boolean {
    if (a === undefined || b === undefined || a.kind !== b.kind) return false;
    if (a.stale || b.stale) return a.stale && b.stale;
    return describe(a) === describe(b);
  }

  #isEncoded(word: number): boolean {
    return (this.#heap.u32[word + Rec.WINDOW]! & Rec.FLAG_ENCODED) !== 0;
  }

  /** Where the state of a chunk of floats begins, in doubles. */
  #stateOf(address: number): number {
    return (address + HEADER_BYTES + this.#heap.u32[address >>> 2]!) >>> 3;
  }

  #rebuildFloats(address: number, encoder: Xor2Encoder): void {
    const { bytes, encoding } = this.bytesOf(address);
    const samples = this.#samples;
    samples.clear();
    decodeChunk(encoding, bytes, 0, bytes.length, -Infinity, Infinity, samples, PLACE);
    encoder.reset();
    const { timestampsMs, valueHalves, startTimestampsMs } = samples;
    for (let i = 0; i < samples.count; i++) {
      const startMs = startTimestampsMs?.[i] ?? 0;
      encoder.append(timestampsMs[i]!, valueHalves[i * 2 + 1]!, valueHalves[i * 2]!, startMs);
    }
  }

  #resumeHistograms(address: number): HistogramEncoder {
    const { bytes, encoding } = this.bytesOf(address);
    const isFloat = encoding === Encoding.FloatHistogram || encoding === Encoding.FloatHistogramSt;
    const withStarts = encoding === Encoding.HistogramSt || encoding === Encoding.FloatHistogramSt;
    const encoder = new HistogramEncoder(isFloat, withStarts);
    encoder.resume(bytes, 0, bytes.length);
    return encoder;
  }

  #remember(record: number, cached: Cached): void {
    this.#encoders.delete(record);
    this.#encoders.set(record, cached);
    if (this.#encoders.size <= ENCODER_COUNT_MAX) return;
    const [oldest] = this.#encoders.keys();
    this.#encoders.delete(oldest!);
  }
}

/** Of the state of a record, or of the second word of a chunk. */
function encodingOf(word: number): Encoding {
  return (word >>> 24) as Encoding;
}

function wholeDoubles(sizeBytes: number): number {
  return (sizeBytes + 7) & ~7;
}

/** Size of the chunk at `address`. In any thread. */
export function encodedChunkSize(heap: Heap, address: number): number {
  heap.cover(address + HEADER_BYTES);
  return (heap.u32[(address >>> 2) + 1] ?? 0) & SIZE_MASK;
}

/** Copies the chunk to `target` at `start` and tells its encoding. In any thread. */
export function copyEncodedChunk(
  heap: Heap,
  address: number,
  size: number,
  target: Uint8Array,
  start: number,
): Encoding {
  heap.cover(address + HEADER_BYTES + size);
  const from = address + HEADER_BYTES;
  target.set(heap.u8.subarray(from, from + size), start);
  return ((heap.u32[(address >>> 2) + 1] ?? 0) >>> 24) as Encoding;
}

/** All that makes a histogram, as a text: buckets by index, empty ones left out. */
function describe(h: Histogram | FloatHistogram): string {
  const sides =
    h.kind === 'float'
      ? [h.positiveCounts, h.negativeCounts]
      : [running(h.positiveDeltas), running(h.negativeDeltas)];
  return JSON.stringify([
    h.schema,
    h.zeroThreshold,
    h.zeroCount,
    h.count,
    highBits(h.sum),
    lowBits(h.sum),
    h.customBounds,
    buckets(h.positiveSpans, sides[0]!),
    buckets(h.negativeSpans, sides[1]!),
  ]);
}

function running(deltas: readonly number[]): number[] {
  let count = 0;
  return deltas.map((delta) => (count += delta));
}

function buckets(spans: readonly Span[], counts: readonly number[]): [number, number][] {
  const out: [number, number][] = [];
  let index = 0;
  let at = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++, index++, at++) {
      const count = counts[at] ?? 0;
      if (count !== 0) out.push([index, count]);
    }
  }
  return out;
}
