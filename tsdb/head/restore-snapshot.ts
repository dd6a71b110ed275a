/**
 * Fills an empty head from a snapshot, so that of the log only what came after it has to be read.
 *
 * Every record is checked before it is used, and true by itself: when something turns out to be
 * wrong half way, what was restored stays and the whole log is read on top of it, which
 * passes over what is known already. So a snapshot can make a start faster, never wrong.
 */
import {
  CorruptionError,
  type FloatHistogram,
  type Histogram,
  messageOf,
  SampleBuffer,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import { addInterval } from '../chunk/intervals.ts';
import { decodeChunk } from '../chunk/decoder.ts';
import { chunkSampleCount, Encoding, isFloatEncoding } from '../chunk/encoding.ts';
import { HistogramChunkReader } from '../chunk/histogram-decoder.ts';
import type { Files } from '../io/files.ts';
import type { ExemplarRow } from '../record/exemplars.ts';
import {
  decodeSnapshotChunk,
  decodeSnapshotExemplars,
  decodeSnapshotExtent,
  decodeSnapshotTombstones,
  type SnapshotChunk,
  type SnapshotExtent,
  SnapshotRecordType,
} from '../record/memory-snapshot.ts';
import type { RecordPlace } from '../record/samples.ts';
import { SeriesCursor } from '../record/series.ts';
import type { TombstoneRow } from '../record/tombstones.ts';
import { findSegments } from '../wal/segment-name.ts';
import { WalReader } from '../wal/wal-reader.ts';
import { readDeletedRanges, writeDeletedRanges } from './deleted-ranges.ts';
import type { Head } from './head.ts';
import { restoreXorChunk } from './restore-open-chunk.ts';
import type { SeriesRestore } from './restore-series.ts';
import * as Rec from './series-record.ts';
import { findRecord } from './series-table.ts';
import {
  extentDirectory,
  isSameLog,
  listSnapshots,
  type SnapshotKind,
  type SnapshotPlace,
  whyChunksMissing,
  whyNotContinued,
} from './snapshot-dir.ts';

export type SnapshotSource = {
  readonly files: Files;
  readonly dataDirectory: string;
  /** Which kinds may be used. */
  readonly kinds: readonly SnapshotKind[];
};

export type RestoredSnapshot = {
  readonly place: SnapshotPlace;
  readonly seriesCount: number;
  /** Whether it says of which series chunk files may hold chunks. */
  readonly hasExtent: boolean;
  /** Series that are gone while the log still speaks of them. */
  readonly deadRefs: readonly number[];
};

export type SnapshotProblem = { readonly path: string; readonly reason: string };

/** Restores the newest snapshot that is good; null when there is none. */
export function restoreSnapshot(
  head: Head,
  restore: SeriesRestore,
  source: SnapshotSource,
  problems: SnapshotProblem[],
): RestoredSnapshot | null {
  const { files, dataDirectory, kinds } = source;
  for (const place of listSnapshots(files, dataDirectory)) {
    if (!kinds.includes(place.kind)) continue;
    const { path } = place;
    let reason = whyNotContinued(files, `${dataDirectory}/wal`, place);
    if (reason === null) {
      const loader = new SnapshotLoader(head, restore, source, place);
      try {
        loader.load();
        const { seriesCount, hasExtent, deadRefs } = loader;
        return { place, seriesCount, hasExtent, deadRefs };
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error;
        reason = messageOf(error);
      }
    }
    problems.push({ path, reason });
  }
  return null;
}

class SnapshotLoader {
  seriesCount = 0;
  deadRefs: readonly number[] = [];
  hasExtent = false;
  readonly #head: Head;
  readonly #restore: SeriesRestore;
  readonly #source: SnapshotSource;
  readonly #place: SnapshotPlace;
  readonly #cursor = new SeriesCursor();
  readonly #samples = new SampleBuffer();
  readonly #chunk: SnapshotChunk = {
    minMs: 0,
    maxMs: 0,
    encoding: Encoding.Xor,
    bytes: new Uint8Array(0),
    start: 0,
    end: 0,
  };

  constructor(head: Head, restore: SeriesRestore, source: SnapshotSource, place: SnapshotPlace) {
    this.#head = head;
    this.#restore = restore;
    this.#source = source;
    this.#place = place;
  }

  /** @throws CorruptionError */
  load(): void {
    const { files } = this.#source;
    const { path } = this.#place;
    const extent = this.#readExtent();
    if (extent !== null) this.#takeOver(extent);
    const indexes = findSegments(files, path);
    if (indexes.length === 0 || indexes.some((index, i) => index !== i)) {
      this.#fail('a file is missing');
    }
    const reader = WalReader.forSegments(files, path, indexes);
    const exemplars: ExemplarRow[] = [];
    let hasTombstones = false;
    try {
      while (reader.next()) {
        const { bytes, start, end } = reader;
        const place = { file: reader.path, offsetBytes: reader.recordOffsetBytes };
        const type = bytes[start];
        if (type === SnapshotRecordType.Series) {
          if (hasTombstones) this.#fail('series behind the tombstones');
          this.#series(bytes, start, end, place);
        } else if (type === SnapshotRecordType.Tombstones) {
          for (const row of decodeSnapshotTombstones(bytes, start, end, place)) this.#delete(row);
          hasTombstones = true;
        } else if (type === SnapshotRecordType.Exemplars) {
          exemplars.push(...decodeSnapshotExemplars(bytes, start, end, place));
        } else {
          this.#fail(`unknown record type ${type}`);
        }
      }
    } finally {
      reader.close();
    }
    if (!hasTombstones) this.#fail('it ends early');
    if (extent !== null && extent.seriesCount !== this.seriesCount) this.#fail('it ends early');
    this.#finish(exemplars, extent?.aliases ?? new Map());
  }

  /** Null for a snapshot that Prometheus wrote. */
  #readExtent(): SnapshotExtent | null {
    const { files } = this.#source;
    const { path, kind } = this.#place;
    const directory = extentDirectory(path);
    if (files.stat(directory) === null) {
      if (kind === 'head') this.#fail('it does not say what it is of');
      return null;
    }
    const reader = WalReader.forSegments(files, directory, findSegments(files, directory));
    try {
      if (!reader.next()) this.#fail('it does not say what it is of');
      const { bytes, start, end } = reader;
      const place = { file: reader.path, offsetBytes: reader.recordOffsetBytes };
      return decodeSnapshotExtent(bytes, start, end, place);
    } finally {
      reader.close();
    }
  }

  /**
   * Looks whether everything is there that the snapshot counts on, which has to be known before the
   * first series: without the finished chunks that belong to them, open ones would hide from the log
   * what only the log has then.
   */
  #takeOver(extent: SnapshotExtent): void {
    const { files, dataDirectory } = this.#source;
    const head = this.#head;
    // Something before that time would be in nothing at all.
    if (head.minValidMs < extent.blocksEndMs) this.#fail('a block is missing');
    if (!isSameLog(files, `${dataDirectory}/wal`, this.#place, extent)) {
      this.#fail('it was made of another log');
    }
    const reason = whyChunksMissing(extent, this.#restore.stored);
    if (reason !== null) this.#fail(reason);
    head.minValidMs = Math.max(head.minValidMs, extent.minValidMs);
    this.hasExtent = true;
    this.deadRefs = extent.deadRefs;
    for (const ref of extent.deadRefs) head.noteRef(ref);
    head.noteRef(extent.lastRef);
  }

  #finish(exemplars: readonly ExemplarRow[], said: ReadonlyMap<number, number>): void {
    const { heap, minValidMs } = this.#head;
    const { aliases } = this.#restore;
    for (const [ref, own] of said) {
      const record = findRecord(heap, own);
      this.#head.noteRef(ref);
      if (record === 0 || aliases.has(ref)) continue;
      aliases.set(ref, own);
      this.#restore.attachStored(record, ref);
    }
    for (const { ref, labels, value, timestampMs } of exemplars) {
      if (timestampMs < minValidMs || findRecord(heap, ref) === 0) continue;
      this.#head.exemplars.add(ref, labels, value, timestampMs);
    }
  }

  #series(bytes: Uint8Array, start: number, end: number, place: RecordPlace): void {
    const cursor = this.#cursor;
    cursor.reset(bytes, start, end, place);
    if (!cursor.next()) this.#fail('a series without labels');
    this.seriesCount++;
    const { position } = cursor;
    const chunk = this.#chunk;
    const hasChunk = decodeSnapshotChunk(bytes, position, end, place, chunk);
    if (hasChunk) this.#decode(place);
    const record = this.#restore.series(cursor);
    if (!hasChunk || chunk.maxMs < this.#head.minValidMs) return;
    this.#restore.noteTime(chunk.minMs);
    this.#restore.noteTime(chunk.maxMs);
    this.#putChunk(record);
  }

  /** Fills `#samples` and makes sure that the chunk is what was said of it. */
  #decode(place: RecordPlace): void {
    const { encoding, bytes, start, end, minMs, maxMs } = this.#chunk;
    const samples = this.#samples;
    samples.clear();
    decodeChunk(encoding, bytes, start, end, -Infinity, Infinity, samples, place);
    const { count, timestampsMs } = samples;
    const isAsSaid =
      count > 0 &&
      count === chunkSampleCount(encoding, bytes, start) &&
      timestampsMs[0] === minMs &&
      timestampsMs[count - 1] === maxMs;
    if (!isAsSaid) throw new CorruptionError('chunk of a snapshot is not what it should be', place);
  }

  #putChunk(record: number): void {
    const { heap, open, histograms, writer } = this.#head;
    const { encoding, bytes, start, end, minMs, maxMs } = this.#chunk;
    const samples = this.#samples;
    const word = record >>> 2;
    const isFree =
      heap.u32[word + Rec.OPEN_CHUNK] === 0 && minMs > heap.f64[(record >>> 3) + Rec.MAX_TIME]!;
    if (!isFree) {
      // Finished since, or there was another snapshot before this one.
      if (maxMs > heap.f64[(record >>> 3) + Rec.MAX_TIME]!) this.#appendAll(record);
      return;
    }
    if (encoding === Encoding.Xor) {
      if (!restoreXorChunk(heap, open, record, bytes, start, end, samples)) {
        this.#appendAll(record);
        return;
      }
    } else {
      const copy = bytes.slice(start, end);
      histograms.restore(record, encoding, copy, samples.count, minMs, maxMs);
      this.#noteValue(record);
    }
    writer.noteRestored(record, samples, end - start, this.#endsStale());
  }

  /** Of an XOR2 chunk: the record knows the newest value of floats. */
  #noteValue(record: number): void {
    const { valueHalves, count, histograms } = this.#samples;
    if (histograms !== null) return;
    const { u32 } = this.#head.heap;
    u32[(record >>> 2) + Rec.VALUE_LOW] = valueHalves[count * 2 - 2]!;
    u32[(record >>> 2) + Rec.VALUE_HIGH] = valueHalves[count * 2 - 1]!;
  }

  #endsStale(): boolean {
    const { valueHalves, count, histograms } = this.#samples;
    if (histograms !== null) return histograms[count - 1]?.stale ?? false;
    return (
      valueHalves[count * 2 - 2] === STALE_NAN_LOW && valueHalves[count * 2 - 1] === STALE_NAN_HIGH
    );
  }

  /** Appends what is newer than what the series has. */
  #appendAll(record: number): void {
    const { writer } = this.#head;
    const { encoding, bytes, start, end } = this.#chunk;
    if (isFloatEncoding(encoding)) {
      const { timestampsMs, valueHalves, startTimestampsMs, count } = this.#samples;
      for (let i = 0; i < count; i++) {
        const low = valueHalves[i * 2]!;
        const high = valueHalves[i * 2 + 1]!;
        writer.appendFloat(record, timestampsMs[i]!, low, high, startTimestampsMs?.[i] ?? 0);
      }
      return;
    }
    const place = { file: this.#place.path, offsetBytes: 0 };
    const rows: { atMs: number; histogram: Histogram | FloatHistogram; startMs: number }[] = [];
    const reader = new HistogramChunkReader(encoding, bytes, start, end, place);
    while (reader.next()) {
      const { timestampMs: atMs, startMs } = reader;
      rows.push({ atMs, histogram: reader.histogram(), startMs });
    }
    for (const row of rows) writer.appendHistogram(record, row.atMs, row.histogram, row.startMs);
  }

  #delete({ ref, minMs, maxMs }: TombstoneRow): void {
    const { heap, allocator, retired } = this.#head;
    const record = findRecord(heap, ref);
    if (record === 0) return;
    const owner = (record >>> 2) + Rec.DELETED;
    const intervals = addInterval(readDeletedRanges(heap, heap.u32[owner]!), minMs, maxMs);
    writeDeletedRanges(heap, allocator, retired, owner, intervals);
  }

  #fail(reason: string): never {
    throw new CorruptionError(reason, { file: this.#place.path, offsetBytes: 0 });
  }
}
