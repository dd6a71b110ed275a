/**
 * Follows a log that is being written, record by record: what remote write reads from. At the end of
 * what is there `next` says so, and can be called again later.
 *
 * What looks broken at the very end of the newest segment may be half of a write that is going on, so it
 * counts as "not there yet"; it is an error once a later segment exists.
 */
import { CorruptionError } from '../../model/index.ts';
import type { FileHandle, Files } from '../io/files.ts';
import { RecordDecompressor } from './compression.ts';
import { decodeFragment, FragmentKind, type FragmentView, PAGE_SIZE_BYTES } from './fragment.ts';
import { findSegments, segmentPath } from './segment-name.ts';

/** Between two records of a log. */
export type LogPosition = { readonly segmentIndex: number; readonly offsetBytes: number };

export class TailReader {
  /** The record is `bytes[start, end)` until the next call of `next`. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  readonly #files: Files;
  readonly #directory: string;
  #segmentIndex: number;
  #file: FileHandle | null = null;
  /** Where the next record begins. */
  #offset: number;
  readonly #page = new Uint8Array(PAGE_SIZE_BYTES);
  #pageStart = -1;
  #pageEnd = 0;
  readonly #fragment: FragmentView = { flag: 0, kind: 0, dataStart: 0, dataEnd: 0 };
  #assembled = new Uint8Array(4096);
  readonly #decompressor = new RecordDecompressor();

  /** Begins at `position`, which must be one that a reader gave, or the begin of a segment. */
  constructor(files: Files, directory: string, position: LogPosition) {
    this.#files = files;
    this.#directory = directory;
    this.#segmentIndex = position.segmentIndex;
    this.#offset = position.offsetBytes;
  }

  /** Behind the last record that was read; a later reader can go on from here. */
  get position(): LogPosition {
    return { segmentIndex: this.#segmentIndex, offsetBytes: this.#offset };
  }

  /**
   * Moves to the next record; false when there is none yet.
   * @throws CorruptionError when a finished segment is broken; {@link skipSegment} goes on behind it
   */
  next(): boolean {
    // Usually the page in memory has it.
    if (this.#file !== null && this.#readRecord(false) === 'record') return true;
    for (;;) {
      // Looked up first: a segment that exists now was begun after the current one was finished.
      const hasLater = this.#hasLaterSegment();
      if (!this.#open()) {
        if (!hasLater) return false;
        this.skipSegment();
        continue;
      }
      this.#pageStart = -1; // the page may have grown
      const outcome = this.#readRecord(hasLater);
      if (outcome === 'record') return true;
      if (!hasLater) return false;
      this.skipSegment();
    }
  }

  /** Goes to the begin of the next segment, wherever that is. */
  skipSegment(): void {
    const later = findSegments(this.#files, this.#directory).find((i) => i > this.#segmentIndex);
    this.close();
    this.#segmentIndex = later ?? this.#segmentIndex + 1;
    this.#offset = 0;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** `end` when the segment has no more records for now. */
  #readRecord(isFinished: boolean): 'record' | 'end' {
    const fragment = this.#fragment;
    let at = this.#offset;
    let assembledEnd = 0;
    let isInRecord = false;
    for (;;) {
      if (!this.#loadPage(at)) {
        if (isInRecord && isFinished) this.#fail('record ends early', at);
        return 'end';
      }
      const inPage = at - this.#pageStart;
      try {
        const { path } = this.#file!;
        decodeFragment(this.#page, inPage, this.#pageEnd, fragment, path, this.#pageStart);
      } catch (error) {
        if (!isFinished && error instanceof CorruptionError) return 'end';
        throw error;
      }
      const { kind, dataStart, dataEnd, flag } = fragment;
      if (kind === FragmentKind.PageEnd) {
        // Padding is only complete with its page.
        if (this.#pageEnd < PAGE_SIZE_BYTES) return 'end';
        at = this.#pageStart + PAGE_SIZE_BYTES;
        if (!isInRecord) this.#offset = at;
        continue;
      }
      const begins = kind === FragmentKind.Full || kind === FragmentKind.First;
      if (begins === isInRecord) this.#fail(`unexpected fragment kind ${kind}`, at);
      at = this.#pageStart + dataEnd;
      if (kind === FragmentKind.Full) {
        this.#finish(this.#page, dataStart, dataEnd, flag, at);
        return 'record';
      }
      isInRecord = true;
      assembledEnd = this.#assemble(assembledEnd, dataStart, dataEnd);
      if (kind === FragmentKind.Last) {
        this.#finish(this.#assembled, 0, assembledEnd, flag, at);
        return 'record';
      }
    }
  }

  #finish(bytes: Uint8Array, start: number, end: number, flag: number, next: number): void {
    const decompressor = this.#decompressor;
    try {
      decompressor.decompress(bytes, start, end, flag);
    } catch (error) {
      throw new CorruptionError(
        'record cannot be decompressed',
        { file: this.#file!.path, offsetBytes: this.#offset },
        { cause: error },
      );
    }
    this.bytes = decompressor.bytes;
    this.start = decompressor.start;
    this.end = decompressor.end;
    this.#offset = next;
  }

  #assemble(at: number, start: number, end: number): number {
    const newEnd = at + end - start;
    if (newEnd > this.#assembled.length) {
      const grown = new Uint8Array(newEnd * 2);
      grown.set(this.#assembled.subarray(0, at));
      this.#assembled = grown;
    }
    this.#assembled.set(this.#page.subarray(start, end), at);
    return newEnd;
  }

  /** Makes the page around `at` available; false when there is nothing at `at` yet. */
  #loadPage(at: number): boolean {
    const pageStart = at - (at % PAGE_SIZE_BYTES);
    if (pageStart !== this.#pageStart) {
      this.#pageStart = pageStart;
      this.#pageEnd = this.#file!.read(pageStart, this.#page, 0, PAGE_SIZE_BYTES);
    }
    return at < this.#pageStart + this.#pageEnd;
  }

  #open(): boolean {
    if (this.#file !== null) return true;
    const path = segmentPath(this.#directory, this.#segmentIndex);
    if (this.#files.stat(path) === null) return false;
    this.#file = this.#files.open(path, 'read');
    return true;
  }

  #hasLaterSegment(): boolean {
    const next = segmentPath(this.#directory, this.#segmentIndex + 1);
    if (this.#files.stat(next) !== null) return true;
    // Ours may have been removed together with some after it, even while it is open.
    const own = segmentPath(this.#directory, this.#segmentIndex);
    if (this.#file !== null && this.#files.stat(own) !== null) return false;
    return findSegments(this.#files, this.#directory).some((index) => index > this.#segmentIndex);
  }

  #fail(what: string, offsetBytes: number): never {
    throw new CorruptionError(what, { file: this.#file!.path, offsetBytes });
  }
}
