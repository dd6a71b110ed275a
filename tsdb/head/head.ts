/**
 * The head: the newest samples of all series, in shared memory, with its log and the files of its
 * finished chunks. This is the writer's side; one thread has it. Readers in any thread use
 * head-reader.ts on the same memory.
 */
import { AppendOutcome, type Appender, type Labels, NO_SERIES } from '../../model/index.ts';
import { Allocator } from '../memory/allocator.ts';
import { FIRST_BLOCK_ADDRESS, initControlBlock, Time, Word } from '../memory/control-block.ts';
import { Heap } from '../memory/heap.ts';
import { Retired } from '../memory/retired.ts';
import type { ExemplarRow } from '../record/exemplars.ts';
import type { MetadataRow } from '../record/metadata.ts';
import { appendBounds } from './append-rules.ts';
import { ChunkFlusher } from './chunk-flusher.ts';
import { EncodedChunks } from './encoded-chunk.ts';
import { ExemplarRing } from './exemplar-ring.ts';
import { HeadAppender } from './head-appender.ts';
import type { HeadChunkWriter } from './head-chunk-files.ts';
import type { HeadLog } from './head-log.ts';
import { CHANGE_BATCH, Isolation } from './isolation.ts';
import { LabelPairs } from './label-pairs.ts';
import { type LateFiles, LateWriter } from './late-writer.ts';
import { MetadataTable } from './metadata-table.ts';
import { OpenChunks } from './open-chunk.ts';
import { OutOfOrder } from './out-of-order.ts';
import { SealedChunks } from './sealed-chunks.ts';
import * as Rec from './series-record.ts';
import { hashLabels, REF_MAX, SeriesTable } from './series-table.ts';
import { SeriesWriter } from './series-writer.ts';
import { StagedKind, StagedSamples } from './staged-samples.ts';
import type { StartTimestampUse } from './start-timestamps.ts';
import { Symbols } from './symbols.ts';
import { TextBytes } from './text-bytes.ts';

export type HeadOptions = {
  /** Length of the blocks that the head is cut into. */
  readonly chunkRangeMs: number;
  readonly samplesPerChunk: number;
  /** New series are refused when the head's memory has reached this. */
  readonly memoryLimitBytes: number;
  readonly exemplarCountMax: number;
  /** Samples in an out-of-order chunk. */
  readonly outOfOrderCapacity: number;
  /** Whether metadata of series goes into the log. */
  readonly logsMetadata: boolean;
  readonly startTimestamps: StartTimestampUse;
};

/** Where the head writes to. Without a log nothing survives, which is fine for tests. */
export type HeadFiles = {
  readonly log: HeadLog | null;
  readonly chunkFiles: HeadChunkWriter | null;
  /** Late chunks have files of their own, so that these can go when a block holds them all. */
  readonly late: LateFiles | null;
};

/** Finished chunks are written when so many wait, or when `flushChunks` is called. */
const WAITING_CHUNK_COUNT_MAX = 256;
/** Commits give memory back; in between it is done when so much waits. */
const RETIRED_BYTES_MAX = 1024 * 1024;

export class Head {
  readonly heap: Heap;
  readonly options: HeadOptions;
  readonly allocator: Allocator;
  readonly retired: Retired;
  readonly symbols: Symbols;
  readonly pairs: LabelPairs;
  readonly series: SeriesTable;
  readonly open: OpenChunks;
  readonly sealed: SealedChunks;
  readonly histograms: EncodedChunks;
  readonly writer: SeriesWriter;
  readonly outOfOrder: OutOfOrder;
  readonly isolation: Isolation;
  readonly flusher: ChunkFlusher;
  readonly late: LateWriter;
  readonly exemplars: ExemplarRing;
  readonly metadata = new MetadataTable();
  /** Counted since the start; the metrics are made of these. */
  readonly counters = {
    unknownSeries: 0,
    /** New series, because of the memory limit, and because all references are used up. */
    refusedSeries: 0,
    refusedReferences: 0,
    createdSeries: 0,
    removedSeries: 0,
    createdAppenders: 0,
    floatSamples: 0,
    histogramSamples: 0,
    outOfOrder: { float: 0, histogram: 0 },
    outOfBounds: { float: 0, histogram: 0 },
    tooOld: { float: 0, histogram: 0 },
    duplicate: { float: 0, histogram: 0 },
    removedChunks: 0,
  };
  /** Hears how far behind the newest sample of the head one is that is out of order, taken or not. */
  onLate: (behindMs: number) => void = () => {};
  /** Out-of-order samples up to this far behind the newest one are taken; 0: none. */
  outOfOrderWindowMs = 0;
  /** A block is being cut up to here: what lies before and was not committed yet comes too late. */
  refuseBeforeMs = -Infinity;
  #files: HeadFiles = { log: null, chunkFiles: null, late: null };
  #lastRef = 0;
  #notedMinMs = Infinity;
  #nextOwner = 1;
  readonly #openOwners = new Set<number>();
  readonly #stagedPool: StagedSamples[] = [];
  readonly #texts = new TextBytes();

  constructor(options: HeadOptions, heap = Heap.create()) {
    this.heap = heap;
    this.options = options;
    initControlBlock(heap);
    this.allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
    this.retired = new Retired(heap, this.allocator);
    this.symbols = new Symbols(heap, this.allocator, this.retired);
    this.pairs = new LabelPairs(heap, this.allocator, this.retired, this.symbols);
    this.series = new SeriesTable(heap, this.allocator, this.retired, this.pairs);
    this.open = new OpenChunks(heap, this.allocator, this.retired);
    this.sealed = new SealedChunks(heap, this.allocator, this.retired);
    this.histograms = new EncodedChunks(heap, this.allocator, this.retired);
    this.writer = new SeriesWriter(heap, this.open, this.histograms, this.sealed, options);
    this.outOfOrder = new OutOfOrder(
      heap,
      this.allocator,
      this.retired,
      this.sealed,
      options.outOfOrderCapacity,
    );
    this.isolation = new Isolation(heap, this.allocator, this.retired);
    this.flusher = new ChunkFlusher(heap, this.open, this.histograms, this.isolation, this.writer);
    this.late = new LateWriter(heap, this.outOfOrder, this.isolation);
    this.exemplars = new ExemplarRing(options.exemplarCountMax);
  }

  /** From here on commits are logged. Replay happens before. */
  attachFiles(files: HeadFiles): void {
    this.#files = files;
    if (files.late !== null) this.late.attachFiles(files.late);
  }

  /** For replay: the newest file of finished chunks, whose number their places are relative to. */
  noteNewestChunkFile(file: number): void {
    Atomics.store(this.heap.u32, Word.HeadChunkFile, file);
  }

  get logsMetadata(): boolean {
    return this.options.logsMetadata;
  }

  /** Smallest and largest timestamp in order; +Infinity, -Infinity while there is none. */
  get minMs(): number {
    return this.heap.f64[Time.MinMs]!;
  }
  get maxMs(): number {
    return this.heap.f64[Time.MaxMs]!;
  }
  /** The same for samples out of order. */
  get minLateMs(): number {
    return this.heap.f64[Time.MinOutOfOrderMs]!;
  }
  get maxLateMs(): number {
    return this.heap.f64[Time.MaxOutOfOrderMs]!;
  }
  get minValidMs(): number {
    return this.heap.f64[Time.MinValidMs]!;
  }
  set minValidMs(timestampMs: number) {
    this.heap.f64[Time.MinValidMs] = timestampMs;
  }

  /** From here on the smallest timestamp of commits is noted, for the collection. */
  startNotingMin(): void {
    this.#notedMinMs = Infinity;
  }
  notedMinMs(): number {
    return this.#notedMinMs;
  }

  get lastRef(): number {
    return this.#lastRef;
  }

  /** Bytes of shared memory in use; what the memory limit is about. */
  get memoryBytes(): number {
    return this.allocator.usedBytes + this.retired.bytes;
  }

  /** Number of the newest chunks_head file, 0 when there is none. */
  get newestChunkFile(): number {
    return this.heap.u32[Word.HeadChunkFile]!;
  }

  /** Numbers of the chunks_head files that are being written. */
  get openChunkFiles(): readonly number[] {
    return [this.#files.chunkFiles?.file ?? Infinity, this.late.file];
  }

  /** Chunks of all series, open ones included. */
  get chunkCount(): number {
    return this.createdChunkCount - this.removedChunkCount;
  }
  get createdChunkCount(): number {
    const { chunkCount, removedChunkCount } = this.outOfOrder;
    return this.writer.createdChunkCount + chunkCount + removedChunkCount;
  }
  get removedChunkCount(): number {
    return this.counters.removedChunks + this.outOfOrder.removedChunkCount;
  }

  get openAppenderCount(): number {
    return this.#openOwners.size;
  }

  appender(): Appender {
    const { chunkRangeMs } = this.options;
    const window = this.outOfOrderWindowMs;
    const bounds = appendBounds(this.minValidMs, this.maxMs, chunkRangeMs, window);
    const owner = this.#nextOwner;
    this.#nextOwner = (owner + 1) >>> 0 || 1;
    this.#openOwners.add(owner);
    this.counters.createdAppenders++;
    const staged = this.#stagedPool.pop() ?? new StagedSamples();
    return new HeadAppender(this, owner, bounds, staged);
  }

  /** @internal for the appender */
  endAppender(owner: number, staged: StagedSamples): void {
    this.#openOwners.delete(owner);
    if (!staged.isPoolable) return;
    staged.clear();
    this.#stagedPool.push(staged);
  }

  /** Whether samples that nobody has committed yet hang on this series. */
  isPending(record: number): boolean {
    const owner = this.heap.u32[(record >>> 2) + Rec.PENDING_OWNER]!;
    return owner !== 0 && this.#openOwners.has(owner);
  }

  /** The series' ref, made when it is new; NO_SERIES when the memory limit forbids it. */
  findOrCreate(labels: Labels): number {
    const texts = this.#texts;
    texts.clear();
    for (const text of labels.flat) texts.add(text);
    const hash = hashLabels(texts);
    const found = this.series.find(texts, hash);
    if (found !== 0) return this.heap.u32[(found >>> 2) + Rec.REF]!;
    if (this.#lastRef >= REF_MAX) {
      this.counters.refusedReferences++;
      return NO_SERIES;
    }
    if (this.memoryBytes >= this.options.memoryLimitBytes) {
      this.counters.refusedSeries++;
      return NO_SERIES;
    }
    // Lists and tables that grow leave a lot behind while many series are made in one batch.
    if (this.retired.bytes > RETIRED_BYTES_MAX) this.retired.reclaim();
    const ref = this.#lastRef + 1;
    this.series.create(texts, hash, ref);
    this.#lastRef = ref;
    this.counters.createdSeries++;
    this.#files.log?.addSeries(ref, texts);
    return ref;
  }

  /** For replay: the record of the series with these label pairs, made with `ref` when it is new. */
  restoreSeries(pairs: Uint32Array, pairCount: number, hash: number, ref: number): number {
    const found = this.series.findByPairs(pairs, pairCount, hash);
    this.noteRef(ref);
    if (found !== 0) return found;
    this.counters.createdSeries++;
    if (this.retired.bytes > RETIRED_BYTES_MAX) this.retired.reclaim();
    return this.series.createFromPairs(pairs, pairCount, hash, ref);
  }

  /** For replay: this ref was given out once. */
  noteRef(ref: number): void {
    if (ref > this.#lastRef) this.#lastRef = ref;
  }

  /** @internal for the appender: log, apply, publish. */
  commit(
    staged: StagedSamples,
    exemplars: readonly ExemplarRow[],
    metadata: readonly MetadataRow[],
  ): void {
    const { log } = this.#files;
    const hasContent = staged.count + exemplars.length + metadata.length > 0;
    if (!hasContent && !(log?.hasNewSeries ?? false)) return;
    log?.commit(staged, exemplars, metadata);
    this.retired.reclaim();
    if (staged.hasLate) this.late.log(staged);
    if (staged.count > 0) this.#apply(staged);
    for (const e of exemplars) this.exemplars.add(e.ref, e.labels, e.value, e.timestampMs);
    if (this.writer.waiting.length < WAITING_CHUNK_COUNT_MAX) return;
    try {
      this.flushChunks();
    } catch {
      // Counted there. The commit itself is logged and visible.
    }
  }

  /** @internal Counts a refused sample. */
  countRefused(outcome: AppendOutcome, isHistogram: boolean): void {
    const { outOfOrder, outOfBounds, tooOld, duplicate } = this.counters;
    const kind = isHistogram ? 'histogram' : 'float';
    if (outcome === AppendOutcome.OutOfOrder) outOfOrder[kind]++;
    else if (outcome === AppendOutcome.OutOfBounds) outOfBounds[kind]++;
    else if (outcome === AppendOutcome.TooOld) tooOld[kind]++;
    else if (outcome === AppendOutcome.DuplicateTimestamp) duplicate[kind]++;
  }

  /** Moves finished chunks into files. Throws when that fails; then they wait on. */
  flushChunks(): void {
    const { chunkFiles } = this.#files;
    if (chunkFiles !== null) this.flusher.flush(chunkFiles);
  }

  /** Makes logged samples visible, all at once. */
  #apply(staged: StagedSamples): void {
    const { records, count } = staged;
    const { isolation } = this;
    isolation.begin();
    const times = { minMs: Infinity, maxMs: -Infinity };
    for (let first = 0; first < count; first += CHANGE_BATCH) {
      const last = Math.min(count, first + CHANGE_BATCH);
      isolation.open(records, first, last);
      try {
        if (staged.isPlain) this.#applyFloats(staged, first, last, times);
        else this.#applyMixed(staged, first, last, times);
      } finally {
        isolation.close(records, first, last);
      }
    }
    const { f64 } = this.heap;
    this.#notedMinMs = Math.min(this.#notedMinMs, times.minMs);
    if (times.minMs < f64[Time.MinMs]!) f64[Time.MinMs] = times.minMs;
    if (times.maxMs > f64[Time.MaxMs]!) f64[Time.MaxMs] = times.maxMs;
    isolation.publish();
  }

  #applyFloats(
    staged: StagedSamples,
    first: number,
    last: number,
    times: { minMs: number; maxMs: number },
  ): void {
    const { records, timestampsMs, valueHalves, startTimestampsMs, hasStarts } = staged;
    const { isolation, writer } = this;
    const { refuseBeforeMs } = this;
    let { minMs, maxMs } = times;
    let storedCount = 0;
    isolation.markAll(records, first, last);
    for (let i = first; i < last; i++) {
      const startMs = hasStarts ? startTimestampsMs[i]! : 0;
      const runEnd = startMs === 0 ? writer.appendRun(staged, i, last, refuseBeforeMs) : i;
      storedCount += runEnd - i;
      for (; i < runEnd; i++) {
        minMs = Math.min(minMs, timestampsMs[i]!);
        maxMs = Math.max(maxMs, timestampsMs[i]!);
      }
      if (i === last) break;
      const record = records[i]!;
      const timestampMs = timestampsMs[i]!;
      if (timestampMs < refuseBeforeMs) continue;
      // Another appender may have been faster since this sample was judged.
      const low = valueHalves[i * 2]!;
      const high = valueHalves[i * 2 + 1]!;
      if (!writer.appendFloat(record, timestampMs, low, high, startMs)) continue;
      storedCount++;
      if (timestampMs < minMs) minMs = timestampMs;
      if (timestampMs > maxMs) maxMs = timestampMs;
    }
    times.minMs = minMs;
    times.maxMs = maxMs;
    this.counters.floatSamples += storedCount;
    this.counters.outOfOrder.float += last - first - storedCount;
  }

  #applyMixed(
    staged: StagedSamples,
    first: number,
    last: number,
    times: { minMs: number; maxMs: number },
  ): void {
    for (let i = first; i < last; i++) {
      const kind = staged.kinds[i]!;
      if (kind === StagedKind.Float) {
        this.#applyFloats(staged, i, i + 1, times);
      } else if (kind === StagedKind.Histogram) {
        const record = staged.records[i]!;
        const timestampMs = staged.timestampsMs[i]!;
        if (timestampMs < this.refuseBeforeMs) continue;
        this.isolation.mark(record);
        const startMs = staged.hasStarts ? staged.startTimestampsMs[i]! : 0;
        if (!this.writer.appendHistogram(record, timestampMs, staged.histograms[i]!, startMs)) {
          this.counters.outOfOrder.histogram++;
          continue;
        }
        this.counters.histogramSamples++;
        times.minMs = Math.min(times.minMs, timestampMs);
        times.maxMs = Math.max(times.maxMs, timestampMs);
      } else {
        this.late.store(staged, i);
      }
    }
  }
}
