/**
 * Keeps a snapshot of the head beside the blocks, so that a start, after a kill too, reads only what
 * the log has behind it. A snapshot is due when the log has grown by so much that it pays: a fixed
 * amount, and a multiple of what the last one took, so that its cost stays a small part of the log's.
 * The job runs beside the writer, which only begins a log segment before and publishes afterwards.
 */
import { type Clock, type Logger, messageOf } from '../model/index.ts';
import type { DbBlocks } from './db-blocks.ts';
import type { CompactionJob, JobResult } from './db-jobs.ts';
import type { ResolvedOptions } from './db-options.ts';
import type { Head } from './head/head.ts';
import type { HeadLog } from './head/head-log.ts';
import { type HeadChunkNumbers, headChunkPath } from './head/head-chunk-files.ts';
import { findRecord } from './head/series-table.ts';
import {
  isSamePlace,
  listSnapshots,
  removeSnapshots,
  segmentMark,
  type SnapshotKind,
  snapshotPath,
  type SnapshotPosition,
} from './head/snapshot-dir.ts';
import { publishSnapshot } from './head/snapshot-writer.ts';
import { treeSizeBytes } from './io/files.ts';
import type { WalWriter } from './wal/wal-writer.ts';

/** After one that failed, the log has to grow again by this part of the usual amount. */
const RETRY_PART = 0.25;

export type HeadSnapshotParts = {
  readonly options: ResolvedOptions;
  readonly head: Head;
  readonly blocks: DbBlocks;
  readonly wal: WalWriter;
  readonly log: HeadLog;
  readonly chunkNumbers: HeadChunkNumbers;
  readonly runJob: (job: CompactionJob) => Promise<JobResult>;
  /** Refs of the log that stand for a series with another one, since the start. */
  readonly aliases: ReadonlyMap<number, number>;
  /** Bytes of the log that a start now would read. */
  readonly unsavedSizeBytes: number;
  /** Bytes of the snapshot that the start began with; 0 when there was none. */
  readonly lastSizeBytes: number;
};

export class HeadSnapshots {
  readonly #parts: HeadSnapshotParts;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What the log's counter of written bytes was when the last snapshot was made. */
  #savedAtBytes: number;
  #lastSizeBytes: number;
  #isSuspended = false;

  constructor(parts: HeadSnapshotParts) {
    this.#parts = parts;
    this.#clock = parts.options.clock;
    this.#logger = parts.options.logger;
    this.#savedAtBytes = parts.wal.stats.writtenSizeBytes - parts.unsavedSizeBytes;
    this.#lastSizeBytes = parts.lastSizeBytes;
  }

  get isDue(): boolean {
    const { options, wal } = this.#parts;
    if (options.headSnapshotLogSizeBytes === 0 || this.#isSuspended) return false;
    return wal.stats.writtenSizeBytes - this.#savedAtBytes >= this.#dueSizeBytes;
  }

  get #dueSizeBytes(): number {
    const { headSnapshotLogSizeBytes, headSnapshotLogRatio } = this.#parts.options;
    return Math.max(headSnapshotLogSizeBytes, this.#lastSizeBytes * headSnapshotLogRatio);
  }

  /** Writes one, for this server alone. Failing is told, and tried again later. */
  async take(deadRefs: readonly number[]): Promise<void> {
    const { wal, log } = this.#parts;
    const writtenSizeBytes = wal.stats.writtenSizeBytes;
    try {
      // A series that only the snapshot knew would be lost with it.
      log.flushSeries();
      // From a segment's begin on, so that the one before stays as it is.
      const segment = wal.cutSegment();
      await this.#write('head', { segment, offsetBytes: 0 }, deadRefs, () => {
        // Those that began meanwhile are in the snapshot, too, and the log must be enough without it.
        log.flushSeries();
        wal.sync();
      });
      this.#savedAtBytes = writtenSizeBytes;
    } catch (error) {
      this.#savedAtBytes = writtenSizeBytes - this.#dueSizeBytes * (1 - RETRY_PART);
      this.#logger.error('snapshot of the head not written', { error: messageOf(error) });
    }
  }

  /**
   * The one at the end, when nothing is written any more and the log, with all series in it, is closed. Prometheus's kind
   * has no place for refs that stand for others, nor for what is neither in blocks nor wanted, so
   * where there is any of it the snapshot is ours.
   */
  async takeLast(deadRefs: readonly number[]): Promise<void> {
    const { wal, head, blocks } = this.#parts;
    const position = { segment: wal.segmentIndex, offsetBytes: wal.segmentOffsetBytes };
    const { files, directory } = this.#parts.options;
    // Nothing was logged since the last one.
    if (listSnapshots(files, directory).some((place) => isSamePlace(place, position))) return;
    const isPlain = this.liveAliases().size === 0 && head.minValidMs <= blocks.endMs;
    const kind = isPlain ? 'chunk' : 'head';
    try {
      await this.#write(kind, position, deadRefs);
    } catch (error) {
      this.#logger.error('snapshot of the head not written', { error: messageOf(error) });
    }
  }

  /**
   * The log could not be shortened. Maybe it is damaged before the place where a start would begin to
   * read; so the next one has to read, and repair, all of it.
   */
  suspend(): void {
    const { files, directory } = this.#parts.options;
    this.#isSuspended = true;
    removeSnapshots(files, directory, () => true);
  }

  /** After the log was shortened. */
  removeUseless(firstSegment: number): void {
    const { files, directory } = this.#parts.options;
    this.#isSuspended = false;
    removeSnapshots(files, directory, ({ segment }) => segment < firstSegment);
  }

  async #write(
    kind: SnapshotKind,
    position: SnapshotPosition,
    deadRefs: readonly number[],
    beforePublishing: () => void = () => {},
  ): Promise<void> {
    const { options, head, wal, blocks } = this.#parts;
    const { files, directory } = options;
    const startMs = this.#clock.monotonicMs();
    const path = snapshotPath(directory, kind, position);
    head.flushChunks();
    const { seriesCount = 0 } = await this.#parts.runJob({
      kind: 'head-snapshot',
      path,
      exemplars: head.exemplars
        .inOrder()
        .map(({ labels, ...row }) => ({ ...row, labels: labels.flat })),
      // Prometheus may not know the compression of our log.
      compression: options.walCompression === 'lz4' ? 'snappy' : options.walCompression,
    });
    // What was finished meanwhile is in the snapshot's chunks or must be in these.
    head.flushChunks();
    beforePublishing();
    publishSnapshot(files, path, {
      lastSegment: segmentMark(files, wal.directory, position.segment - 1),
      lastRef: head.lastRef,
      minValidMs: head.minValidMs,
      blocksEndMs: blocks.endMs,
      seriesCount,
      chunkFileEnds: this.#chunkFileEnds(),
      aliases: this.liveAliases(),
      deadRefs,
    });
    removeSnapshots(files, directory, (place) => place.path !== path);
    this.#lastSizeBytes = treeSizeBytes(files, path);
    const seconds = (this.#clock.monotonicMs() - startMs) / 1000;
    this.#logger.info('snapshot of the head written', {
      path,
      series: seriesCount,
      bytes: this.#lastSizeBytes,
      duration: `${seconds.toFixed(3)}s`,
    });
  }

  #chunkFileEnds(): ReadonlyMap<number, number> {
    const { options, chunkNumbers } = this.#parts;
    const { files, directory } = options;
    const ends = new Map<number, number>();
    for (const [file, end] of chunkNumbers.ends) {
      const stat = files.stat(headChunkPath(`${directory}/chunks_head`, file));
      // Removed or emptied since.
      if (stat === null) chunkNumbers.ends.delete(file);
      else ends.set(file, Math.min(end, stat.sizeBytes));
    }
    return ends;
  }

  /** Refs of the log that stand for a series with another one, as far as that one is still there. */
  liveAliases(): ReadonlyMap<number, number> {
    const { head, aliases } = this.#parts;
    return new Map([...aliases].filter(([, own]) => findRecord(head.heap, own) !== 0));
  }
}
