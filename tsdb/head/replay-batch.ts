/**
 * What is read of a log at a time, on its way to the head: in memory that two threads can share, so
 * that one can read, check, decompress and decode while the other one makes series and chunks of it.
 *
 *   word  0  kind, below               word  1  count of samples or series
 *   word  2  number of the segment     word  3  bytes in use behind the header
 *   word  4  1 when samples have start timestamps
 *   word  5  of a record: 1 when more of it follows
 *   byte 32  where the first record of it begins in its segment, f64
 *   byte 64  samples:  refs, times, values, start times, each a column of 8,192 f64
 *            series:   as label-changes.ts says
 *            record:   its bytes, without compression; a long one goes on in the next batches
 *            failed:   JSON of a ReplayFailure
 */
import { SampleBatch } from '../record/sample-batch.ts';

export const BatchKind = {
  /** Nothing yet. */
  None: 0,
  Samples: 1,
  Series: 2,
  /** Of another kind, or not as usual; to be decoded by the taker. */
  Record: 3,
  /** Behind the last record. */
  End: 4,
  Failed: 5,
} as const;
export type BatchKind = (typeof BatchKind)[keyof typeof BatchKind];

const Word = { Kind: 0, Count: 1, Segment: 2, Size: 3, HasStarts: 4, GoesOn: 5 } as const;
/** Index into f64. */
const OFFSET = 4;
const HEADER_SIZE_BYTES = 64;

export const BATCH_SAMPLE_COUNT_MAX = 8192;
const COLUMN_SIZE_BYTES = BATCH_SAMPLE_COUNT_MAX * 8;
export const BATCH_CONTENT_SIZE_BYTES = 4 * COLUMN_SIZE_BYTES;
export const BATCH_SIZE_BYTES = HEADER_SIZE_BYTES + BATCH_CONTENT_SIZE_BYTES;

/** Why reading ended before the end of the log. */
export type ReplayFailure = {
  /** Of a CorruptionError; otherwise the file could not be read. */
  readonly isCorruption: boolean;
  readonly what: string;
  readonly file: string;
  readonly offsetBytes: number;
  /** Where the good part ends. */
  readonly segment: number;
  readonly goodSizeBytes: number;
};

export class ReplayBatch {
  /** Columns of the content; their `count` is only the writer's, see `close`. */
  readonly samples: SampleBatch;
  readonly bytes: Uint8Array;
  /** The same memory as `bytes`. */
  readonly words: Uint32Array;
  readonly #header: Int32Array;
  readonly #doubles: Float64Array;

  /** @param start  of BATCH_SIZE_BYTES, a multiple of 8 */
  constructor(memory: ArrayBufferLike, start: number) {
    this.#header = new Int32Array(memory, start, HEADER_SIZE_BYTES / 4);
    this.#doubles = new Float64Array(memory, start, HEADER_SIZE_BYTES / 8);
    const content = start + HEADER_SIZE_BYTES;
    this.samples = SampleBatch.over(memory, content, BATCH_SAMPLE_COUNT_MAX);
    this.bytes = new Uint8Array(memory, content, BATCH_CONTENT_SIZE_BYTES);
    this.words = new Uint32Array(memory, content, BATCH_CONTENT_SIZE_BYTES / 4);
  }

  get kind(): BatchKind {
    return this.#header[Word.Kind]! as BatchKind;
  }
  get count(): number {
    return this.#header[Word.Count]!;
  }
  get segment(): number {
    return this.#header[Word.Segment]!;
  }
  get sizeBytes(): number {
    return this.#header[Word.Size]!;
  }
  get hasStartTimestamps(): boolean {
    return this.#header[Word.HasStarts] === 1;
  }
  get goesOn(): boolean {
    return this.#header[Word.GoesOn] === 1;
  }
  get recordOffsetBytes(): number {
    return this.#doubles[OFFSET]!;
  }

  clear(): void {
    this.#header.fill(0);
    this.samples.clear();
  }

  /** Says what is in it from now on, and from where. */
  begin(kind: BatchKind, segment: number, recordOffsetBytes: number): void {
    this.#header[Word.Kind] = kind;
    this.#header[Word.Segment] = segment;
    this.#doubles[OFFSET] = recordOffsetBytes;
  }

  /** One more series, which ends there. */
  addSeries(endBytes: number): void {
    this.#header[Word.Count]! += 1;
    this.#header[Word.Size] = endBytes;
  }

  /** Says what has come into `samples`. */
  noteSamples(): void {
    this.#header[Word.Count] = this.samples.count;
    this.#header[Word.HasStarts] = this.samples.hasStartTimestamps ? 1 : 0;
  }

  /** A record from `start` on, or as much of it as there is room for; returns where the rest begins. */
  putRecord(record: Uint8Array, start: number, end: number): number {
    const pieceEnd = Math.min(end, start + BATCH_CONTENT_SIZE_BYTES);
    this.bytes.set(record.subarray(start, pieceEnd));
    this.#header[Word.Size] = pieceEnd - start;
    this.#header[Word.GoesOn] = pieceEnd < end ? 1 : 0;
    return pieceEnd;
  }

  putFailure(failure: ReplayFailure): void {
    const text = Buffer.from(JSON.stringify(failure));
    this.bytes.set(text);
    this.#header[Word.Size] = text.length;
  }

  get failure(): ReplayFailure {
    const text = Buffer.from(this.bytes.subarray(0, this.sizeBytes)).toString();
    return JSON.parse(text) as ReplayFailure;
  }
}
