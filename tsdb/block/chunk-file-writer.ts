/** Writes the chunk files of a block, one chunk behind the other. Format: chunk-file.ts. */
import { assert, ByteWriter } from '../../model/index.ts';
import type { Encoding } from '../chunk/encoding.ts';
import { BufferedWriter } from '../io/buffered-writer.ts';
import type { Files, OpenMode } from '../io/files.ts';
import {
  CHUNK_CHECKSUM_SIZE_BYTES,
  CHUNK_PREFIX_SIZE_BYTES_MAX,
  CHUNK_SEGMENT_SIZE_BYTES_MAX,
  chunkFileName,
  encodeChunk,
  encodeChunkFileHeader,
  packChunkRef,
} from './chunk-file.ts';

export type ChunkFileOptions = {
  /** Never exceeded, but by a single chunk. */
  readonly segmentSizeBytesMax?: number;
  /** Leaves the page cache to what is read. */
  readonly bypassesCache?: boolean;
};

export class ChunkFileWriter {
  readonly #files: Files;
  readonly #directory: string;
  readonly #segmentSizeBytesMax: number;
  readonly #mode: OpenMode;
  readonly #frame = new ByteWriter(4096);
  #segment = -1;
  #out: BufferedWriter | null = null;
  /**
   * Where the segment would end if each chunk of the series had the longest length field: by this
   * Prometheus decides when to begin the next one, so that segments have the same borders.
   */
  #reservedEnd = 0;

  constructor(files: Files, directory: string, options: ChunkFileOptions = {}) {
    const { segmentSizeBytesMax = CHUNK_SEGMENT_SIZE_BYTES_MAX, bypassesCache = false } = options;
    this.#files = files;
    this.#directory = directory;
    this.#segmentSizeBytesMax = segmentSizeBytesMax;
    this.#mode = bypassesCache ? 'create-uncached' : 'create';
    files.makeDirectory(directory);
  }

  /** The chunks that follow are of another series. */
  beginSeries(): void {
    this.#reservedEnd = this.#out?.position ?? 0;
  }

  /** Writes a chunk with the data `bytes[start, end)` and returns its reference. */
  write(encoding: Encoding, bytes: Uint8Array, start = 0, end = bytes.length): number {
    const frameSizeMax = CHUNK_PREFIX_SIZE_BYTES_MAX + end - start + CHUNK_CHECKSUM_SIZE_BYTES;
    let out = this.#out;
    if (out === null || this.#reservedEnd + frameSizeMax > this.#segmentSizeBytesMax) {
      out = this.#nextSegment();
      this.#reservedEnd = out.position;
    }
    this.#reservedEnd += frameSizeMax;
    const frame = this.#frame;
    frame.clear();
    encodeChunk(frame, encoding, bytes, start, end);
    const ref = packChunkRef(this.#segment, out.position);
    out.append(frame.bytes, 0, frame.length);
    return ref;
  }

  /** Makes everything durable. A block without chunks gets no file. */
  finish(): void {
    this.#out?.finish();
    this.#out = null;
    this.#files.syncDirectory(this.#directory);
  }

  /** Closes the unfinished file. */
  abandon(): void {
    this.#out?.abandon();
    this.#out = null;
  }

  #nextSegment(): BufferedWriter {
    this.#out?.finish();
    this.#segment++;
    assert(this.#segment < 2 ** 21, 'too many chunk files');
    const path = `${this.#directory}/${chunkFileName(this.#segment)}`;
    this.#out = new BufferedWriter(this.#files.open(path, this.#mode));
    this.#out.append(encodeChunkFileHeader());
    return this.#out;
  }
}
