/**
 * Appends records to a log of numbered segments.
 *
 * A commit (`log`, `logMany`, or `stage` … `flush`) ends in exactly one write call, whatever the
 * number of records and pages, so it is in the log as a whole or not at all. For that a segment may
 * outgrow its size by what is left of the last commit, which the format allows. After the call the
 * bytes are in the operating system's hands: a killed process loses nothing. Only `sync` protects
 * from a power loss; finished segments are synced in the background.
 *
 * When a write fails (disk full), the segment is cut back to where the commit began, so that what
 * follows is not lost behind half a record; if even that fails, the next commit tries again first.
 */
import { dirname } from 'node:path';
import { assert } from '../../model/index.ts';
import type { FileHandle, Files } from '../io/files.ts';
import { RecordCompressor, type WalCompression } from './compression.ts';
import {
  encodeFragment,
  FRAGMENT_HEADER_SIZE_BYTES,
  FragmentKind,
  PAGE_SIZE_BYTES,
} from './fragment.ts';
import { listSegments, segmentPath } from './segment-name.ts';

export const SEGMENT_SIZE_BYTES_DEFAULT = 128 * 1024 * 1024;

export type WalWriterOptions = {
  readonly segmentSizeBytes?: number;
  readonly compression?: WalCompression;
  /** Hears when a finished segment could not be synced. */
  readonly onSyncError?: (error: unknown) => void;
  /** Hears how long a sync of a segment took. */
  readonly onSynced?: (seconds: number) => void;
};

/** Counted since opening; the metrics of the log are made of these. */
export type WalWriterStats = {
  pageFlushCount: number;
  /** A record is written in one part, or in several where it crosses pages. */
  partCount: number;
  completedPageCount: number;
  /** Stored bytes, with headers and padding. */
  writtenSizeBytes: number;
  /** Bytes of records before compression. */
  recordSizeBytes: number;
  /** How many of these compression spared. */
  savedSizeBytes: number;
  failedWriteCount: number;
};

export class WalWriter {
  readonly directory: string;
  readonly segmentSizeBytes: number;
  readonly compression: WalCompression;
  readonly stats: WalWriterStats = {
    pageFlushCount: 0,
    partCount: 0,
    completedPageCount: 0,
    writtenSizeBytes: 0,
    recordSizeBytes: 0,
    savedSizeBytes: 0,
    failedWriteCount: 0,
  };
  readonly #files: Files;
  readonly #compressor: RecordCompressor;
  readonly #onSyncError: (error: unknown) => void;
  readonly #onSynced: (seconds: number) => void;
  #segment: FileHandle;
  #segmentIndex: number;
  /** Bytes of the segment that are written and count. */
  #segmentEnd = 0;
  /** Fragments waiting for the end of the commit. */
  #pending = new Uint8Array(64 * 1024);
  #pendingEnd = 0;
  #isBroken = false;
  /** Finished segments that are still being synced. */
  readonly #syncing = new Set<number>();

  /** Opens a log for writing; like Prometheus it always begins a new segment. */
  constructor(files: Files, directory: string, options: WalWriterOptions = {}) {
    const { segmentSizeBytes = SEGMENT_SIZE_BYTES_DEFAULT, compression = 'snappy' } = options;
    assert(segmentSizeBytes % PAGE_SIZE_BYTES === 0, 'segment size must be a multiple of the page');
    this.directory = directory;
    this.segmentSizeBytes = segmentSizeBytes;
    this.compression = compression;
    this.#files = files;
    this.#compressor = new RecordCompressor(compression);
    this.#onSyncError = options.onSyncError ?? (() => {});
    this.#onSynced = options.onSynced ?? (() => {});
    files.makeDirectory(directory);
    files.syncDirectory(dirname(directory));
    this.#segmentIndex = (listSegments(files, directory).at(-1) ?? -1) + 1;
    this.#segment = this.#createSegment(this.#segmentIndex);
  }

  /** Number of the segment that is being written. */
  get segmentIndex(): number {
    return this.#segmentIndex;
  }

  /** Bytes of the current segment that are filled. */
  get segmentOffsetBytes(): number {
    return this.#segmentEnd;
  }

  /** Writes one record. When it throws, the log is as if it had not been called. */
  log(record: Uint8Array, start = 0, end = record.length): void {
    this.#stage(record, start, end);
    this.#commit();
  }

  /** Writes several records with one write call. */
  logMany(records: readonly Uint8Array[]): void {
    for (const record of records) this.#stage(record, 0, record.length);
    this.#commit();
  }

  /** Adds a record to the commit that {@link flush} finishes; `record` may be reused afterwards. */
  stage(record: Uint8Array, start = 0, end = record.length): void {
    this.#stage(record, start, end);
  }

  /** Writes what was staged. When it throws, nothing of it is in the log. */
  flush(): void {
    this.#commit();
  }

  /** Forgets what was staged. */
  discard(): void {
    this.#pendingEnd = 0;
  }

  /** Makes everything logged so far survive a power loss. */
  sync(): void {
    const startMs = performance.now();
    for (const index of this.#syncing) {
      const path = segmentPath(this.directory, index);
      if (this.#files.stat(path) === null) continue;
      const earlier = this.#files.open(path, 'append');
      try {
        earlier.sync();
      } finally {
        earlier.close();
      }
    }
    this.#syncing.clear();
    this.#segment.sync();
    this.#onSynced((performance.now() - startMs) / 1000);
  }

  /** Completes the current segment and begins the next; returns the new one's number. */
  cutSegment(): number {
    assert(this.#pendingEnd === 0, 'a commit is under way');
    this.#finishSegment();
    return this.#segmentIndex;
  }

  close(): void {
    assert(this.#pendingEnd === 0, 'a commit is under way');
    this.#padPage();
    this.#write();
    this.sync();
    this.#segment.close();
  }

  #stage(record: Uint8Array, start: number, end: number): void {
    this.#repairTail();
    const compressor = this.#compressor;
    compressor.compress(record, start, end);
    this.stats.recordSizeBytes += end - start;
    const size = compressor.end - compressor.start;
    this.stats.savedSizeBytes += end - start - size;
    if (this.#pendingEnd === 0 && this.#segmentEnd > 0 && size > this.#dataRoom(this.#segmentEnd)) {
      this.#finishSegment();
    }
    this.#fragment(compressor.bytes, compressor.start, compressor.end, compressor.flag);
  }

  /** How much of one record the rest of the segment can take. */
  #dataRoom(segmentUsed: number): number {
    const pageUsed = segmentUsed % PAGE_SIZE_BYTES;
    const pageRoom = Math.max(0, PAGE_SIZE_BYTES - pageUsed - FRAGMENT_HEADER_SIZE_BYTES);
    const pagesDone = Math.ceil((segmentUsed + 1) / PAGE_SIZE_BYTES);
    const pagesLeft = Math.max(0, this.segmentSizeBytes / PAGE_SIZE_BYTES - pagesDone);
    return pageRoom + pagesLeft * (PAGE_SIZE_BYTES - FRAGMENT_HEADER_SIZE_BYTES);
  }

  #fragment(data: Uint8Array, start: number, end: number, flag: number): void {
    this.#reserve(end - start);
    let at = start;
    let isFirst = true;
    do {
      let pageUsed = (this.#segmentEnd + this.#pendingEnd) % PAGE_SIZE_BYTES;
      if (PAGE_SIZE_BYTES - pageUsed < FRAGMENT_HEADER_SIZE_BYTES) {
        this.#padPage();
        pageUsed = 0;
      }
      const room = PAGE_SIZE_BYTES - pageUsed - FRAGMENT_HEADER_SIZE_BYTES;
      const fragmentEnd = Math.min(end, at + room);
      const isLast = fragmentEnd === end;
      let kind: number = FragmentKind.Middle;
      // The first may be empty, when just its header fits the page.
      if (isFirst) kind = isLast ? FragmentKind.Full : FragmentKind.First;
      else if (isLast) kind = FragmentKind.Last;
      this.#pendingEnd = encodeFragment(
        this.#pending,
        this.#pendingEnd,
        kind | flag,
        data,
        at,
        fragmentEnd,
      );
      this.stats.partCount++;
      at = fragmentEnd;
      isFirst = false;
    } while (at < end);
  }

  #reserve(dataSize: number): void {
    const pages = Math.ceil(dataSize / (PAGE_SIZE_BYTES - FRAGMENT_HEADER_SIZE_BYTES)) + 2;
    const needed = this.#pendingEnd + dataSize + pages * 2 * FRAGMENT_HEADER_SIZE_BYTES;
    if (needed <= this.#pending.length) return;
    const grown = new Uint8Array(needed * 2);
    grown.set(this.#pending.subarray(0, this.#pendingEnd));
    this.#pending = grown;
  }

  /** Zeros up to the end of the page. */
  #padPage(): void {
    const pageUsed = (this.#segmentEnd + this.#pendingEnd) % PAGE_SIZE_BYTES;
    if (pageUsed === 0) return;
    const end = this.#pendingEnd + PAGE_SIZE_BYTES - pageUsed;
    if (end > this.#pending.length) this.#reserve(PAGE_SIZE_BYTES);
    this.#pending.fill(0, this.#pendingEnd, end);
    this.#pendingEnd = end;
  }

  #commit(): void {
    this.#repairTail();
    this.#write();
  }

  #write(): void {
    const size = this.#pendingEnd;
    if (size === 0) return;
    this.#pendingEnd = 0;
    try {
      this.#segment.append(this.#pending, 0, size);
    } catch (error) {
      this.stats.failedWriteCount++;
      this.#isBroken = true;
      try {
        this.#repairTail();
      } catch {
        // Still broken: the next commit begins by trying again.
      }
      throw error;
    }
    const pageBefore = Math.floor(this.#segmentEnd / PAGE_SIZE_BYTES);
    this.#segmentEnd += size;
    this.stats.pageFlushCount++;
    this.stats.completedPageCount += Math.floor(this.#segmentEnd / PAGE_SIZE_BYTES) - pageBefore;
    this.stats.writtenSizeBytes += size;
  }

  /** After a failed write: back to the end of the last good commit. */
  #repairTail(): void {
    if (!this.#isBroken) return;
    this.#segment.truncate(this.#segmentEnd);
    this.#isBroken = false;
  }

  #finishSegment(): void {
    this.#padPage();
    this.#write();
    const next = this.#createSegment(this.#segmentIndex + 1);
    const startMs = performance.now();
    const index = this.#segmentIndex;
    this.#syncing.add(index);
    this.#segment.closeSynced((error) => {
      this.#syncing.delete(index);
      this.#onSynced((performance.now() - startMs) / 1000);
      if (error !== null) this.#onSyncError(error);
    });
    this.#segment = next;
    this.#segmentIndex++;
    this.#segmentEnd = 0;
  }

  #createSegment(index: number): FileHandle {
    const segment = this.#files.open(segmentPath(this.directory, index), 'append');
    this.#files.syncDirectory(this.directory);
    return segment;
  }
}
