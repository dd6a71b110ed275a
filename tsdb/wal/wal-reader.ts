/**
 * Reads a log back, record by record, and stops at the first thing that cannot be right.
 *
 * Each segment is read a few hundred KiB at a time. A record that lies in one fragment and is not
 * compressed is handed out in place; nothing is allocated per record.
 */
import { CorruptionError, messageOf } from '../../model/index.ts';
import type { FileHandle, Files } from '../io/files.ts';
import { RecordDecompressor } from './compression.ts';
import {
  decodeFragment,
  FRAGMENT_HEADER_SIZE_BYTES,
  FragmentKind,
  type FragmentView,
  PAGE_SIZE_BYTES,
} from './fragment.ts';
import { segmentPath } from './segment-name.ts';

const BUFFER_SIZE_BYTES = 16 * PAGE_SIZE_BYTES;

/** A file to read and the number it counts as. Records before `startBytes` are left out. */
export type SegmentSource = {
  readonly path: string;
  readonly index: number;
  readonly startBytes?: number;
};

/** Segments of a log directory, the first of them from `startBytes` on, where a record begins. */
export function segmentSources(
  directory: string,
  indexes: readonly number[],
  startBytes = 0,
): SegmentSource[] {
  return indexes.map((index, i) => {
    const path = segmentPath(directory, index);
    return i === 0 ? { path, index, startBytes } : { path, index };
  });
}

export class WalReader {
  /** The record is `bytes[start, end)` until the next call of `next`. */
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  /** Number of the segment that the record lies in. */
  segmentIndex = -1;
  /** Where the record begins in its segment; after an error, where to cut the segment. */
  recordOffsetBytes = 0;
  readonly #files: Files;
  readonly #sources: readonly SegmentSource[];
  #sourceIndex = -1;
  #path = '';
  #file: FileHandle | null = null;
  readonly #buffer = new Uint8Array(BUFFER_SIZE_BYTES);
  /** Where `#buffer[0]` lies in the segment, how much of it is filled, and where we are. */
  #bufferStartBytes = 0;
  #bufferEnd = 0;
  #position = 0;
  readonly #fragment: FragmentView = { flag: 0, kind: 0, dataStart: 0, dataEnd: 0 };
  /** Collects records of several fragments. */
  #assembled = new Uint8Array(4096);
  readonly #decompressor = new RecordDecompressor();

  constructor(files: Files, sources: readonly SegmentSource[]) {
    this.#files = files;
    this.#sources = sources;
  }

  /** Segments of a log directory, the first of them from `startBytes` on, where a record begins. */
  static forSegments(
    files: Files,
    directory: string,
    indexes: readonly number[],
    startBytes = 0,
  ): WalReader {
    return new WalReader(files, segmentSources(directory, indexes, startBytes));
  }

  /** Path of the segment that the record lies in. */
  get path(): string {
    return this.#path;
  }

  /** Bytes of the current segment read so far, for progress. */
  get offsetBytes(): number {
    return this.#bufferStartBytes + this.#position;
  }

  /**
   * Moves to the next record; false at the end.
   * @throws CorruptionError; `segmentIndex` and `recordOffsetBytes` then say where the good part ends
   */
  next(): boolean {
    const fragment = this.#fragment;
    let assembledEnd = -1; // ≥ 0 while inside a record of several fragments
    let recordFlag = 0;
    for (;;) {
      if (!this.#readFragment()) return false;
      const { kind, dataStart, dataEnd } = fragment;
      const begins = kind === FragmentKind.Full || kind === FragmentKind.First;
      if (begins !== assembledEnd < 0) this.#fail(`unexpected fragment kind ${kind}`);
      if (begins) {
        this.recordOffsetBytes = this.#bufferStartBytes + dataStart - FRAGMENT_HEADER_SIZE_BYTES;
        recordFlag = fragment.flag;
      }
      if (kind === FragmentKind.Full) {
        this.#finish(this.#buffer, dataStart, dataEnd, recordFlag);
        return true;
      }
      assembledEnd = this.#assemble(Math.max(0, assembledEnd), dataStart, dataEnd);
      if (kind === FragmentKind.Last) {
        this.#finish(this.#assembled, 0, assembledEnd, recordFlag);
        return true;
      }
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  #finish(bytes: Uint8Array, start: number, end: number, flag: number): void {
    const decompressor = this.#decompressor;
    try {
      decompressor.decompress(bytes, start, end, flag);
    } catch (error) {
      this.#fail(messageOf(error));
    }
    this.bytes = decompressor.bytes;
    this.start = decompressor.start;
    this.end = decompressor.end;
  }

  #assemble(at: number, start: number, end: number): number {
    const newEnd = at + end - start;
    if (newEnd > this.#assembled.length) {
      const grown = new Uint8Array(newEnd * 2);
      grown.set(this.#assembled.subarray(0, at));
      this.#assembled = grown;
    }
    this.#assembled.set(this.#buffer.subarray(start, end), at);
    return newEnd;
  }

  /** The next fragment that is not a page's end, into `#fragment`; false at the end of the log. */
  #readFragment(): boolean {
    const fragment = this.#fragment;
    for (;;) {
      if (this.#position >= this.#bufferEnd && !this.#fill()) return false;
      const pageStart = this.#position - (this.#position % PAGE_SIZE_BYTES);
      const pageEnd = Math.min(this.#bufferEnd, pageStart + PAGE_SIZE_BYTES);
      // Where a next record would begin; if this fragment is bad, this is where to cut.
      if (!this.#isInRecord()) this.recordOffsetBytes = this.#bufferStartBytes + this.#position;
      decodeFragment(
        this.#buffer,
        this.#position,
        pageEnd,
        fragment,
        this.#path,
        this.#bufferStartBytes,
      );
      this.#position = fragment.dataEnd;
      if (fragment.kind !== FragmentKind.PageEnd) return true;
    }
  }

  /** Whether the fragment before left its record unfinished. */
  #isInRecord(): boolean {
    const { kind } = this.#fragment;
    return kind === FragmentKind.First || kind === FragmentKind.Middle;
  }

  /** More bytes of this segment or the first of the next; false when there are none. */
  #fill(): boolean {
    for (;;) {
      if (this.#file !== null) {
        this.#bufferStartBytes += this.#bufferEnd;
        this.#position = 0;
        this.#bufferEnd = this.#file.read(
          this.#bufferStartBytes,
          this.#buffer,
          0,
          BUFFER_SIZE_BYTES,
        );
        if (this.#bufferEnd > 0) return true;
        if (this.#isInRecord()) this.#fail('record ends early');
        this.#file.close();
        this.#file = null;
      }
      const source = this.#sources[this.#sourceIndex + 1];
      if (source === undefined) return false;
      this.#sourceIndex++;
      this.#file = this.#files.open(source.path, 'read');
      this.#path = source.path;
      this.segmentIndex = source.index;
      this.#bufferEnd = this.#position = 0;
      // Fragments are counted by pages.
      const startBytes = source.startBytes ?? 0;
      this.#bufferStartBytes = startBytes - (startBytes % PAGE_SIZE_BYTES);
      if (startBytes > this.#bufferStartBytes) {
        this.#bufferEnd = this.#file.read(
          this.#bufferStartBytes,
          this.#buffer,
          0,
          BUFFER_SIZE_BYTES,
        );
        this.#position = Math.min(this.#bufferEnd, startBytes - this.#bufferStartBytes);
        if (this.#position < this.#bufferEnd) return true;
      }
    }
  }

  #fail(what: string): never {
    throw new CorruptionError(what, { file: this.#path, offsetBytes: this.recordOffsetBytes });
  }
}
