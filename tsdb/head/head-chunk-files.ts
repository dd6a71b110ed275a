/**
 * `chunks_head/NNNNNN`: finished chunks of the head, so that they leave memory long before a block
 * is written, and need not be made again when the log is replayed.
 *
 *   byte 0  magic 0130BC91 · version 1 · 3 bytes 0            then chunk after chunk:
 *
 *   ┌────────────┬─────────────┬─────────────┬─────────────┬────────────┬──────┬────────────┐
 *   │ ref        │ min time    │ max time    │ encoding    │ length     │ data │ CRC-32C    │
 *   │ u64 BE     │ i64 BE      │ i64 BE      │ u8          │ uvarint    │      │ u32 BE     │
 *   └────────────┴─────────────┴─────────────┴─────────────┴────────────┴──────┴────────────┘
 *   The highest bit of the encoding marks out-of-order chunks. The checksum covers all before it.
 *   Where only zeros follow, the file ends: Prometheus fills files up with them.
 *
 * Page: docs/format/head-chunks.md. Source: Prometheus "Head Chunks on Disk Format"; what the
 * checksum covers was found out from files that 2.42 and 3.14 wrote.
 */
import { ByteReader, ByteWriter, CorruptionError, crc32c } from '../../model/index.ts';
import { type Encoding, isEncoding, OUT_OF_ORDER_MASK } from '../chunk/encoding.ts';
import { WindowedFile, type WindowCache } from '../io/file-window.ts';
import type { FileHandle, Files } from '../io/files.ts';

const MAGIC = 0x0130bc91;
const VERSION = 1;
export const FILE_HEADER_SIZE_BYTES = 8;
const FILE_SIZE_BYTES_MAX = 128 * 1024 * 1024;
/** ref, times, encoding. */
const FIXED_SIZE_BYTES = 8 + 8 + 8 + 1;
const LENGTH_SIZE_BYTES_MAX = 5;
const CHECKSUM_SIZE_BYTES = 4;
const FILE_NAME = /^\d{6}$/;

export function headChunkPath(directory: string, file: number): string {
  return `${directory}/${String(file).padStart(6, '0')}`;
}

/** Numbers of the files in the directory, ascending. */
export function listHeadChunkFiles(files: Files, directory: string): number[] {
  return files
    .list(directory)
    .filter((name) => FILE_NAME.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

export type HeadChunkPlace = { readonly file: number; readonly offset: number };

/** Numbers of the files, which two writers share: one for chunks in order, one for late ones. */
export class HeadChunkNumbers {
  newest: number;
  /** Bytes that count of each file. */
  readonly ends: Map<number, number>;

  /** @param newest  number of the newest file that exists, 0 when there is none */
  constructor(newest: number, ends: ReadonlyMap<number, number> = new Map()) {
    this.newest = newest;
    this.ends = new Map(ends);
  }
}

/** The content of a file without chunks. */
export function emptyHeadChunkFile(): Uint8Array {
  const header = new ByteWriter(FILE_HEADER_SIZE_BYTES);
  header.putUint32(MAGIC);
  header.putByte(VERSION);
  header.putBytes(new Uint8Array(3));
  return header.view();
}

/** Collects chunks and writes them with one call per `flush` and file. */
export class HeadChunkWriter {
  readonly #files: Files;
  readonly #directory: string;
  readonly #out = new ByteWriter(64 * 1024);
  readonly #numbers: HeadChunkNumbers;
  #handle: FileHandle | null = null;
  #file = 0;
  /** Bytes of the current file that are written. */
  #fileEnd = 0;

  constructor(files: Files, directory: string, numbers: HeadChunkNumbers) {
    this.#files = files;
    this.#directory = directory;
    this.#numbers = numbers;
  }

  /** Number of the file that is being written; Infinity when there is none. */
  get file(): number {
    return this.#handle === null ? Infinity : this.#file;
  }

  /** Adds `bytes[start, end)`; tells where it will be once `flush` has returned. */
  add(
    ref: number,
    minMs: number,
    maxMs: number,
    encoding: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): HeadChunkPlace {
    const size = FIXED_SIZE_BYTES + LENGTH_SIZE_BYTES_MAX + end - start + CHECKSUM_SIZE_BYTES;
    if (this.#fileEnd + this.#out.length + size > FILE_SIZE_BYTES_MAX) this.close();
    if (this.#handle === null) this.#begin();
    const out = this.#out;
    const at = out.length;
    const offset = this.#fileEnd + at;
    out.putUint64(ref);
    out.putInt64(minMs);
    out.putInt64(maxMs);
    out.putByte(encoding);
    out.putUvarint(end - start);
    out.reserve(end - start + CHECKSUM_SIZE_BYTES);
    const { bytes: target } = out;
    let to = out.length;
    for (let i = start; i < end; i++) target[to++] = bytes[i]!;
    out.length = to;
    out.putUint32(crc32c(target, at, to));
    return { file: this.#file, offset };
  }

  /** Writes what was added. When it throws, nothing of it counts and the next file is begun. */
  flush(): void {
    if (this.#out.length === 0) return;
    try {
      this.#handle!.append(this.#out.bytes, 0, this.#out.length);
      this.#fileEnd += this.#out.length;
      this.#numbers.ends.set(this.#file, this.#fileEnd);
    } catch (error) {
      this.#handle!.truncate(this.#fileEnd);
      throw error;
    } finally {
      this.#out.clear();
    }
  }

  /** Finishes the current file; the next chunk begins another. */
  close(): void {
    if (this.#handle === null) return;
    this.flush();
    this.#handle.sync();
    this.#handle.close();
    this.#handle = null;
  }

  #begin(): void {
    this.#file = ++this.#numbers.newest;
    this.#files.makeDirectory(this.#directory);
    this.#handle = this.#files.open(headChunkPath(this.#directory, this.#file), 'create');
    this.#files.syncDirectory(this.#directory);
    this.#handle.append(emptyHeadChunkFile());
    this.#fileEnd = FILE_HEADER_SIZE_BYTES;
  }
}

/** What a file says about one chunk, without its data. */
export type HeadChunkEntry = {
  readonly ref: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly encoding: Encoding;
  readonly isOutOfOrder: boolean;
  readonly offset: number;
  readonly endOffset: number;
  readonly sampleCount: number;
};

/**
 * Visits the chunks of a file in order.
 * @throws CorruptionError at the first one that cannot be right; its place tells how much is good
 */
export function scanHeadChunks(
  bytes: Uint8Array,
  path: string,
  visit: (entry: HeadChunkEntry) => void,
): void {
  const fail = (what: string, offsetBytes: number): never => {
    throw new CorruptionError(what, { file: path, offsetBytes });
  };
  const reader = new ByteReader(bytes);
  if (reader.takeUint32() !== MAGIC) fail('not a head chunks file', 0);
  if (reader.takeByte() !== VERSION) fail('unknown version of head chunks', 4);
  reader.position = FILE_HEADER_SIZE_BYTES;
  for (let offset = FILE_HEADER_SIZE_BYTES; offset < bytes.length; offset = reader.position) {
    if (isZeroed(bytes, offset)) return;
    const ref = reader.takeUint64();
    const minMs = reader.takeInt64();
    const maxMs = reader.takeInt64();
    const encoding = reader.takeByte();
    const length = reader.takeUvarint();
    const start = reader.position;
    reader.position += length;
    const checksum = reader.takeUint32();
    if (reader.failed) fail('head chunk is cut off', offset);
    if (checksum !== crc32c(bytes, offset, start + length)) fail('checksum differs', offset);
    const plain = encoding & ~OUT_OF_ORDER_MASK;
    if (!isEncoding(plain)) return fail(`unknown chunk encoding ${plain}`, offset);
    if (ref === 0 || maxMs < minMs) fail('head chunk without series or time', offset);
    visit({
      ref,
      minMs,
      maxMs,
      encoding: plain,
      isOutOfOrder: (encoding & OUT_OF_ORDER_MASK) !== 0,
      offset,
      endOffset: reader.position,
      sampleCount: ((bytes[start]! << 8) | bytes[start + 1]!) & 0x3fff,
    });
  }
}

/** Whether only zeros follow: a ref of 0 alone may be that of a chunk that was damaged. */
function isZeroed(bytes: Uint8Array, offset: number): boolean {
  for (let i = offset; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** A chunk as it lies in a window over its file: good as long as anybody holds it. */
export type StoredChunk = {
  bytes: Uint8Array;
  start: number;
  end: number;
  encoding: Encoding;
};

/** Reads chunks at known places. The newest file grows meanwhile. One per thread. */
export class HeadChunkReader {
  readonly #files: Files;
  readonly #directory: string;
  readonly #cache: WindowCache;
  readonly #open = new Map<number, WindowedFile>();

  constructor(files: Files, directory: string, cache: WindowCache) {
    this.#files = files;
    this.#directory = directory;
    this.#cache = cache;
  }

  /** Opens a file, so that it can still be read after it was removed. */
  hold(file: number): void {
    if (!this.#open.has(file)) this.#reopen(file);
  }

  /** @throws CorruptionError */
  read(file: number, offset: number, out: StoredChunk): void {
    let opened = this.#open.get(file) ?? this.#reopen(file);
    const prefix = FIXED_SIZE_BYTES + LENGTH_SIZE_BYTES_MAX;
    if (offset + prefix > opened.sizeBytes) opened = this.#reopen(file);
    // Usually the whole chunk is inside the window that holds its beginning.
    let window = opened.windowUpTo(offset, prefix);
    let at = offset - window.startBytes + FIXED_SIZE_BYTES;
    let { bytes } = window;
    const encoding = bytes[at - 1]! & ~OUT_OF_ORDER_MASK;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      if (shift > 28) this.#fail('length of a head chunk', opened.path, offset);
    }
    if (!isEncoding(encoding)) {
      throw new CorruptionError(`unknown chunk encoding ${encoding}`, {
        file: opened.path,
        offsetBytes: offset,
      });
    }
    const dataOffset = window.startBytes + at;
    const end = dataOffset + length;
    if (end > opened.sizeBytes) {
      opened = this.#reopen(file);
      if (end > opened.sizeBytes) this.#fail('head chunk is cut off', opened.path, offset);
    }
    if (end > window.endBytes) {
      window = opened.window(dataOffset, length);
      ({ bytes } = window);
      at = dataOffset - window.startBytes;
    }
    out.bytes = bytes;
    out.start = at;
    out.end = at + length;
    out.encoding = encoding;
  }

  /** Closes files that are no longer there. */
  forgetRemoved(): void {
    const present = new Set(listHeadChunkFiles(this.#files, this.#directory));
    for (const [file, opened] of this.#open) {
      if (present.has(file)) continue;
      opened.close();
      this.#open.delete(file);
    }
  }

  close(): void {
    for (const opened of this.#open.values()) opened.close();
    this.#open.clear();
  }

  #reopen(file: number): WindowedFile {
    this.#open.get(file)?.close();
    const handle = this.#files.open(headChunkPath(this.#directory, file), 'read');
    const opened = new WindowedFile(handle, this.#cache);
    this.#open.set(file, opened);
    return opened;
  }

  #fail(what: string, file: string, offsetBytes: number): never {
    throw new CorruptionError(what, { file, offsetBytes });
  }
}
