/**
 * Compression of whole log records. Snappy is the default, so that directories stay exchangeable
 * with every Prometheus; zstd is read since 2.44; lz4 is ours alone and no Prometheus can read it.
 *
 *   lz4 record   plain size (u32 BE), then one lz4 block
 */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import {
  assert,
  messageOf,
  snappyCompress,
  snappyDecompress,
  snappyPlainSize,
  snappySizeMax,
  ValueError,
} from '../../model/index.ts';
import { lz4Blocks } from '../io/lz4-blocks.ts';
import { LZ4_FLAG, SNAPPY_FLAG, ZSTD_FLAG } from './fragment.ts';

export const WAL_COMPRESSIONS = ['none', 'snappy', 'zstd', 'lz4'] as const;
export type WalCompression = (typeof WAL_COMPRESSIONS)[number];

/** A bound against a small record that claims to become gigabytes. */
const PLAIN_SIZE_BYTES_MAX = 1 << 30;
const LZ4_PREFIX_SIZE_BYTES = 4;

/**
 * Turns records into what is stored. `bytes[0, end)` holds the result after {@link compress} and
 * `flag` says how to undo it; a record that would not get smaller is stored as it is.
 */
export class RecordCompressor {
  readonly compression: WalCompression;
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  flag = 0;
  #scratch = new Uint8Array(0);

  constructor(compression: WalCompression) {
    this.compression = compression;
  }

  compress(record: Uint8Array, start: number, end: number): void {
    this.bytes = record;
    this.start = start;
    this.end = end;
    this.flag = 0;
    switch (this.compression) {
      case 'none':
        return;
      case 'snappy': {
        const out = this.#room(snappySizeMax(end - start));
        this.#keepIfSmaller(out, snappyCompress(record, start, end, out, 0), SNAPPY_FLAG);
        return;
      }
      case 'zstd': {
        const out = zstdCompressSync(record.subarray(start, end));
        this.#keepIfSmaller(out, out.length, ZSTD_FLAG);
        return;
      }
      case 'lz4':
        this.#compressLz4(record, start, end);
    }
  }

  #compressLz4(record: Uint8Array, start: number, end: number): void {
    const blocks = lz4Blocks();
    const plainSize = end - start;
    const out = this.#room(LZ4_PREFIX_SIZE_BYTES + blocks.compressBound(plainSize));
    const target = asBuffer(out, LZ4_PREFIX_SIZE_BYTES, out.length);
    const size = blocks.compress(asBuffer(record, start, end), target);
    if (size <= 0) return;
    new DataView(out.buffer).setUint32(out.byteOffset, plainSize);
    this.#keepIfSmaller(out, LZ4_PREFIX_SIZE_BYTES + size, LZ4_FLAG);
  }

  #keepIfSmaller(out: Uint8Array, size: number, flag: number): void {
    if (size >= this.end - this.start) return;
    this.bytes = out;
    this.start = 0;
    this.end = size;
    this.flag = flag;
  }

  #room(sizeBytes: number): Uint8Array {
    if (this.#scratch.length < sizeBytes) this.#scratch = new Uint8Array(sizeBytes * 2);
    return this.#scratch;
  }
}

/** Undoes {@link RecordCompressor}; `bytes[start, end)` is the record until the next call. */
export class RecordDecompressor {
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  #scratch = new Uint8Array(0);

  /** @throws ValueError when the stored bytes cannot be decompressed */
  decompress(stored: Uint8Array, start: number, end: number, flag: number): void {
    this.bytes = stored;
    this.start = start;
    this.end = end;
    if (flag & SNAPPY_FLAG) {
      const out = this.#room(snappyPlainSize(stored, start, end));
      this.#set(out, snappyDecompress(stored, start, end, out));
    } else if (flag & ZSTD_FLAG) {
      this.#decompressZstd(stored.subarray(start, end));
    } else if (flag & LZ4_FLAG) {
      this.#decompressLz4(stored, start, end);
    }
  }

  #decompressZstd(stored: Uint8Array): void {
    try {
      const out = zstdDecompressSync(stored, { maxOutputLength: PLAIN_SIZE_BYTES_MAX });
      this.#set(out, out.length);
    } catch (error) {
      throw new ValueError(`zstd: ${messageOf(error)}`, { cause: error });
    }
  }

  #decompressLz4(stored: Uint8Array, start: number, end: number): void {
    const dataStart = start + LZ4_PREFIX_SIZE_BYTES;
    if (dataStart > end) throw new ValueError('lz4: the plain size is cut off');
    const view = new DataView(stored.buffer, stored.byteOffset);
    const plainSize = view.getUint32(start);
    const out = this.#room(plainSize);
    const size = lz4Blocks().uncompress(
      asBuffer(stored, dataStart, end),
      asBuffer(out, 0, plainSize),
    );
    if (size !== plainSize) throw new ValueError('lz4: block does not give its plain size');
    this.#set(out, size);
  }

  #set(bytes: Uint8Array, size: number): void {
    this.bytes = bytes;
    this.start = 0;
    this.end = size;
  }

  #room(sizeBytes: number): Uint8Array {
    if (sizeBytes > PLAIN_SIZE_BYTES_MAX) throw new ValueError('record is too large when plain');
    if (this.#scratch.length < sizeBytes) this.#scratch = new Uint8Array(sizeBytes);
    assert(this.#scratch.length >= sizeBytes, 'no room to decompress');
    return this.#scratch;
  }
}

function asBuffer(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}
