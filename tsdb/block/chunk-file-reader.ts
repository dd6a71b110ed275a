/**
 * Reads chunks of a block. Chunks are used once, right after they were read, so there is no cache: one
 * buffer per reader, filled for a run of neighbouring chunks in one call, and further and further ahead
 * when reads turn out to be sequential. A chunk's checksum is verified when it is read for the first time.
 * Format: chunk-file.ts.
 */
import { CorruptionError, crc32c } from '../../model/index.ts';
import { type Encoding, isEncoding } from '../chunk/encoding.ts';
import type { FileHandle, Files } from '../io/files.ts';
import {
  CHUNK_CHECKSUM_SIZE_BYTES,
  CHUNK_FILE_HEADER_SIZE_BYTES,
  CHUNK_PREFIX_SIZE_BYTES_MAX,
  checkChunkFileHeader,
  chunkRefOffset,
  chunkRefSegment,
  isChunkFileName,
} from './chunk-file.ts';

/** The smallest read: most chunks fit. */
const READ_SIZE_BYTES_MIN = 2048;
/**
 * While reads are sequential, each takes so many times as much as the one before, up to a limit. A query
 * for a few neighbouring series would throw most of a large read away, and with it what the
 * processor's caches held.
 */
const READ_AHEAD_FACTOR = 4;
const READ_AHEAD_SIZE_BYTES_MAX = 128 * 1024;
/** A read that begins so close behind the last one is sequential. */
const SEQUENTIAL_GAP_BYTES = 4096;
/** Two chunks cannot begin within so many bytes, so one bit per 16 bytes tells them apart. */
const VERIFIED_SHIFT = 4;

type Segment = {
  readonly path: string;
  readonly file: FileHandle;
  readonly sizeBytes: number;
  /** Which chunks were verified; memory that is not touched costs nothing. */
  verified: Uint8Array | null;
};

export class ChunkFileReader {
  /** The data of the chunk read last is `bytes[start, end)`, good until the next read. */
  bytes = new Uint8Array(READ_SIZE_BYTES_MIN);
  start = 0;
  end = 0;
  encoding: Encoding = 0;
  readonly #segments: Segment[] = [];
  /** What the buffer holds. */
  #bufferSegment = -1;
  #bufferStart = 0;
  #bufferEnd = 0;

  /** Opens all chunk files of a directory. @throws CorruptionError */
  constructor(files: Files, directory: string) {
    try {
      for (const name of files.list(directory)) {
        if (isChunkFileName(name)) this.#open(files, `${directory}/${name}`);
      }
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Bytes of all files. */
  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  close(): void {
    for (const { file } of this.#segments) file.close();
  }

  /** Where the chunk read last lies, for messages; the same object changes with every read. */
  readonly lastPlace = { file: '', offsetBytes: 0 };

  /** Where a chunk lies, for messages. */
  place(ref: number): { file: string; offsetBytes: number } {
    const path = this.#segments[chunkRefSegment(ref)]?.path ?? `chunk segment of ${ref}`;
    return { file: path, offsetBytes: chunkRefOffset(ref) };
  }

  /**
   * Reads the chunk at `ref` into the fields.
   * @param lastRef  the last chunk of a run that will be read next, so that it is read in one call
   * @throws CorruptionError
   */
  read(ref: number, lastRef = ref): void {
    const segmentIndex = chunkRefSegment(ref);
    const offset = chunkRefOffset(ref);
    const segment = this.#segments[segmentIndex];
    if (segment === undefined || offset < CHUNK_FILE_HEADER_SIZE_BYTES) {
      throw new CorruptionError('chunk reference leads nowhere', this.place(ref));
    }
    if (
      segmentIndex !== this.#bufferSegment ||
      offset < this.#bufferStart ||
      offset + CHUNK_PREFIX_SIZE_BYTES_MAX > this.#bufferEnd
    ) {
      const runSize = chunkRefSegment(lastRef) === segmentIndex ? lastRef - ref : 0;
      this.#fill(segmentIndex, offset, runSize + READ_SIZE_BYTES_MIN);
    }
    if (!this.#decode(ref, segment, offset)) {
      // Its length is known now: #decode left it in `end`.
      this.#fill(segmentIndex, offset, this.end - this.start);
      if (!this.#decode(ref, segment, offset)) {
        throw new CorruptionError('chunk leaves its file', this.place(ref));
      }
    }
  }

  /** False when the buffer does not hold all of the chunk; `start` and `end` then give its size. */
  #decode(ref: number, segment: Segment, offset: number): boolean {
    const { bytes } = this;
    const available = this.#bufferEnd - this.#bufferStart;
    let at = offset - this.#bufferStart;
    const frameStart = at;
    let length = 0;
    let scale = 1;
    let byte: number;
    do {
      if (at >= available || scale > 2 ** 28) {
        throw new CorruptionError('chunk length is malformed', this.place(ref));
      }
      byte = bytes[at++]!;
      length += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    const checksumAt = at + 1 + length;
    if (checksumAt + CHUNK_CHECKSUM_SIZE_BYTES > available) {
      this.start = frameStart;
      this.end = checksumAt + CHUNK_CHECKSUM_SIZE_BYTES;
      if (offset + this.end - this.start > segment.sizeBytes) {
        throw new CorruptionError('chunk leaves its file', this.place(ref));
      }
      return false;
    }
    this.#verify(ref, segment, offset, at, checksumAt);
    const encoding = bytes[at]!;
    if (!isEncoding(encoding)) {
      throw new CorruptionError(`invalid chunk encoding ${encoding}`, this.place(ref));
    }
    this.lastPlace.file = segment.path;
    this.lastPlace.offsetBytes = offset;
    this.encoding = encoding;
    this.start = at + 1;
    this.end = checksumAt;
    return true;
  }

  #verify(
    ref: number,
    segment: Segment,
    offset: number,
    dataStart: number,
    checksumAt: number,
  ): void {
    segment.verified ??= new Uint8Array((segment.sizeBytes >>> (VERIFIED_SHIFT + 3)) + 1);
    const slot = offset >>> (VERIFIED_SHIFT + 3);
    const bit = 1 << ((offset >>> VERIFIED_SHIFT) & 7);
    if ((segment.verified[slot]! & bit) !== 0) return;
    const { bytes } = this;
    const stored =
      ((bytes[checksumAt]! << 24) |
        (bytes[checksumAt + 1]! << 16) |
        (bytes[checksumAt + 2]! << 8) |
        bytes[checksumAt + 3]!) >>>
      0;
    if (crc32c(bytes, dataStart, checksumAt) !== stored) {
      throw new CorruptionError('chunk: checksum differs', this.place(ref));
    }
    segment.verified[slot]! |= bit;
  }

  #fill(segmentIndex: number, offset: number, sizeWanted: number): void {
    const segment = this.#segments[segmentIndex]!;
    const isSequential =
      segmentIndex === this.#bufferSegment &&
      offset >= this.#bufferStart &&
      offset <= this.#bufferEnd + SEQUENTIAL_GAP_BYTES;
    const lastSize = this.#bufferEnd - this.#bufferStart;
    const ahead = isSequential
      ? Math.min(lastSize * READ_AHEAD_FACTOR, READ_AHEAD_SIZE_BYTES_MAX)
      : 0;
    const size = Math.min(Math.max(sizeWanted, ahead), Math.max(0, segment.sizeBytes - offset));
    if (size > this.bytes.length) this.bytes = new Uint8Array(size * 2);
    const count = segment.file.read(offset, this.bytes, 0, size);
    this.#bufferSegment = segmentIndex;
    this.#bufferStart = offset;
    this.#bufferEnd = offset + count;
  }

  #open(files: Files, path: string): void {
    const file = files.open(path, 'read');
    this.#segments.push({ path, file, sizeBytes: file.sizeBytes(), verified: null });
    const header = new Uint8Array(CHUNK_FILE_HEADER_SIZE_BYTES);
    const count = file.read(0, header, 0, header.length);
    checkChunkFileHeader(header.subarray(0, count), path);
  }
}
