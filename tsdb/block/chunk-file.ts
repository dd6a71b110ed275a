/**
 * The chunk files of a block, `chunks/000001` …: the encoded samples of all series, one chunk behind
 * the other in the order of the index.
 *
 *   file   ┌──────────────────────┬───────────┬─────────────┬─────────┬─────────┬───
 *          │ magic 0x85bd40dd u32 │ version 1 │ three zeros │ chunk 0 │ chunk 1 │ …
 *          └──────────────────────┴───────────┴─────────────┴─────────┴─────────┴───
 *   chunk  ┌─────────────────┬─────────────┬──────────────┬────────────────┐
 *          │ length uvarint  │ encoding u8 │ length bytes │ CRC-32C u32 BE │
 *          └─────────────────┴─────────────┴──────────────┴────────────────┘
 *          the checksum covers encoding and data
 *
 * A file holds at most 512 MiB. A chunk's reference is segment « 32 | offset, file 000001 being segment 0.
 * Page: docs/format/chunks.md. Source: Prometheus "Chunks Disk Format".
 */
import { ByteReader, ByteWriter, CorruptionError, crc32c } from '../../model/index.ts';
import type { Encoding } from '../chunk/encoding.ts';

export const CHUNKS_DIRECTORY_NAME = 'chunks';
const CHUNK_FILE_MAGIC = 0x85bd40dd;
export const CHUNK_FILE_HEADER_SIZE_BYTES = 8;
export const CHUNK_SEGMENT_SIZE_BYTES_MAX = 512 * 1024 * 1024;
export const CHUNK_CHECKSUM_SIZE_BYTES = 4;
/** Length prefix and encoding byte at most. */
export const CHUNK_PREFIX_SIZE_BYTES_MAX = 5 + 1;
const VERSION = 1;
const SEGMENT_SPAN = 0x1_0000_0000;

export function chunkFileName(segment: number): string {
  return String(segment + 1).padStart(6, '0');
}

export function isChunkFileName(name: string): boolean {
  return /^\d{6,}$/.test(name);
}

export function packChunkRef(segment: number, offsetBytes: number): number {
  return segment * SEGMENT_SPAN + offsetBytes;
}

export function chunkRefSegment(ref: number): number {
  return Math.floor(ref / SEGMENT_SPAN);
}

export function chunkRefOffset(ref: number): number {
  return ref % SEGMENT_SPAN;
}

export function encodeChunkFileHeader(): Uint8Array {
  const out = new ByteWriter(CHUNK_FILE_HEADER_SIZE_BYTES);
  out.putUint32(CHUNK_FILE_MAGIC);
  out.putUint32(VERSION << 24);
  return out.view();
}

/** @throws CorruptionError */
export function checkChunkFileHeader(header: Uint8Array, file: string): void {
  const reader = new ByteReader(header);
  const magic = reader.takeUint32();
  const version = reader.takeByte();
  if (reader.failed) throw new CorruptionError('header is cut off', { file, offsetBytes: 0 });
  if (magic !== CHUNK_FILE_MAGIC) {
    const what = `invalid magic number ${magic.toString(16)}`;
    throw new CorruptionError(what, { file, offsetBytes: 0 });
  }
  if (version !== VERSION) {
    const what = `invalid chunk format version ${version}`;
    throw new CorruptionError(what, { file, offsetBytes: 4 });
  }
}

/** Appends the frame of a chunk, whose data is `bytes[start, end)`, to `out`. */
export function encodeChunk(
  out: ByteWriter,
  encoding: Encoding,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  out.putUvarint(end - start);
  const checkedFrom = out.length;
  out.putByte(encoding);
  out.putBytes(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  out.putUint32(crc32c(out.bytes, checkedFrom, out.length));
}
