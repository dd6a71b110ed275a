/**
 * A stream of bytes as one lz4 frame, which the `lz4` program and every lz4 library read.
 *
 *   frame   ┌───────────────┬─────┬────┬────┬───────────────┬─────────┬──────────────────┐
 *           │ 184D2204 (LE) │ FLG │ BD │ HC │ blocks …      │ 0 (u32) │ content checksum │
 *           └───────────────┴─────┴────┴────┴───────────────┴─────────┴──────────────────┘
 *   FLG     version 01, independent blocks, no block checksums, no size, content checksum
 *   BD      largest block: 5 stands for 256 KiB
 *   HC      second byte of the xxHash32 of FLG and BD
 *   block   size (u32 LE, top bit: stored as it is), data
 *
 * Page: docs/format/snapshot-archive.md. Source: LZ4 Frame Format Description 1.6.2.
 */
import { lz4Blocks } from '../io/lz4-blocks.ts';
import { XxHash32 } from './xxhash32.ts';

const MAGIC = 0x184d2204;
const FLAGS = 0b0110_0100;
const BLOCK_SIZE_BYTES = 256 * 1024;
const BLOCK_SIZE_CODE = 5 << 4;
const STORED_FLAG = 0x8000_0000;

/** Takes pieces of any length; what it yields is the caller's to keep. */
export function* lz4Frame(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield header();
  const checksum = new XxHash32();
  const block = Buffer.alloc(BLOCK_SIZE_BYTES);
  let filled = 0;
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const count = Math.min(piece.length - at, BLOCK_SIZE_BYTES - filled);
      block.set(piece.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < BLOCK_SIZE_BYTES) break;
      checksum.update(block);
      yield compressed(block);
      filled = 0;
    }
  }
  if (filled > 0) {
    const last = block.subarray(0, filled);
    checksum.update(last);
    yield compressed(last);
  }
  const end = Buffer.alloc(8);
  end.writeUInt32LE(checksum.digest(), 4);
  yield end;
}

function header(): Uint8Array {
  const descriptor = Uint8Array.of(FLAGS, BLOCK_SIZE_CODE);
  const checksum = new XxHash32();
  checksum.update(descriptor);
  const bytes = Buffer.alloc(7);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.set(descriptor, 4);
  bytes[6] = (checksum.digest() >>> 8) & 0xff;
  return bytes;
}

function compressed(block: Buffer): Uint8Array {
  const blocks = lz4Blocks();
  const out = Buffer.allocUnsafe(4 + blocks.compressBound(block.length));
  const size = blocks.compress(block, out.subarray(4));
  if (size > 0 && size < block.length) {
    out.writeUInt32LE(size, 0);
    return out.subarray(0, 4 + size);
  }
  out.writeUInt32LE((STORED_FLAG | block.length) >>> 0, 0);
  out.set(block, 4);
  return out.subarray(0, 4 + block.length);
}
