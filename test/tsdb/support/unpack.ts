/** Reads `tar.lz4` with code of its own, so that archives are judged where no `lz4` is installed. */
import { createRequire } from 'node:module';

/** The JavaScript half of the package, which is always there. */
const blocks = createRequire(import.meta.url)('lz4/lib/binding.js') as {
  uncompress(input: Buffer, output: Buffer): number;
};

const BLOCK_SIZE_BYTES_MAX = 256 * 1024;
const RECORD_SIZE_BYTES = 512;

/** The content of a frame without block checksums. Checksums are not looked at. */
export function lz4Content(frame: Buffer): Buffer {
  if (frame.readUInt32LE(0) !== 0x184d2204) throw new Error('no lz4 frame');
  const parts: Buffer[] = [];
  let at = 7;
  for (;;) {
    const word = frame.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const data = frame.subarray(at, at + (word & 0x7fff_ffff));
    at += data.length;
    if (word >>> 31 === 1) {
      parts.push(data);
      continue;
    }
    const plain = Buffer.alloc(BLOCK_SIZE_BYTES_MAX);
    const size = blocks.uncompress(data, plain);
    if (size < 0) throw new Error(`bad block before ${at}`);
    parts.push(plain.subarray(0, size));
  }
  if (at + 4 !== frame.length) throw new Error(`${frame.length - at - 4} bytes after the frame`);
  return Buffer.concat(parts);
}

/** Path → content; directories, whose paths end with a slash, have none. */
export function tarContent(tar: Buffer): Map<string, Buffer | null> {
  const entries = new Map<string, Buffer | null>();
  for (let at = 0; tar[at] !== 0; ) {
    const header = tar.subarray(at, at + RECORD_SIZE_BYTES);
    const text = (from: number, length: number) =>
      header.toString('utf8', from, from + length).replace(/\0.*$/s, '');
    const sizeBytes = Number.parseInt(text(124, 12), 8);
    const summed = Buffer.from(header).fill(' ', 148, 156);
    const sum = summed.reduce((total, byte) => total + byte, 0);
    if (sum !== Number.parseInt(text(148, 8), 8)) throw new Error(`bad checksum at ${at}`);
    at += RECORD_SIZE_BYTES;
    const isDirectory = header[156] === 0x35;
    entries.set(text(0, 100), isDirectory ? null : tar.subarray(at, at + sizeBytes));
    at += Math.ceil(sizeBytes / RECORD_SIZE_BYTES) * RECORD_SIZE_BYTES;
  }
  return entries;
}
