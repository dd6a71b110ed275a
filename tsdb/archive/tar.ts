/**
 * A directory as a tar stream that every `tar` reads.
 *
 *   entry    header (512 bytes), content, zeros up to a multiple of 512
 *   end      1024 zeros
 *
 *   header   0 name 100 · 100 mode 8 · 108 uid 8 · 116 gid 8 · 124 size 12 · 136 mtime 12
 *            148 checksum 8 · 156 type 1 · 257 "ustar\0" · 263 version "00"
 *
 * Numbers are octal text that ends with NUL; a size of 8 GiB or more, which has too many digits, is
 * base 256 with the top bit set. The checksum is the sum of all bytes, its own counted as spaces.
 * Page: docs/format/snapshot-archive.md. Source: POSIX.1-1988 ustar interchange format; GNU tar manual, "Basic Tar Format".
 */
import { assert, CorruptionError } from '../../model/index.ts';
import type { Files } from '../io/files.ts';

const RECORD_SIZE_BYTES = 512;
const NAME_SIZE_BYTES = 100;
const READ_SIZE_BYTES = 256 * 1024;
const OCTAL_SIZE_MAX = 0o77777777777;

const Type = { File: 0x30, Directory: 0x35 } as const;

/**
 * Everything in `directory`, under `name`, in the order of names. A piece is valid until the next one
 * is asked for. @throws CorruptionError when a file ends before the size that it had
 */
export function* tarOf(files: Files, directory: string, name: string): Generator<Uint8Array> {
  yield* tarTree(files, directory, name, new Uint8Array(READ_SIZE_BYTES));
  yield new Uint8Array(2 * RECORD_SIZE_BYTES);
}

function* tarTree(
  files: Files,
  directory: string,
  name: string,
  buffer: Uint8Array,
): Generator<Uint8Array> {
  const modifiedMs = files.stat(directory)?.modifiedMs ?? 0;
  yield encodeHeader({ name: `${name}/`, type: Type.Directory, sizeBytes: 0, modifiedMs });
  for (const child of files.list(directory)) {
    const path = `${directory}/${child}`;
    const isDirectory = files.stat(path)?.kind === 'directory';
    if (isDirectory) yield* tarTree(files, path, `${name}/${child}`, buffer);
    else yield* tarFile(files, path, `${name}/${child}`, buffer);
  }
}

function* tarFile(
  files: Files,
  path: string,
  name: string,
  buffer: Uint8Array,
): Generator<Uint8Array> {
  const modifiedMs = files.stat(path)?.modifiedMs ?? 0;
  const file = files.open(path, 'read');
  try {
    const sizeBytes = file.sizeBytes();
    yield encodeHeader({ name, type: Type.File, sizeBytes, modifiedMs });
    for (let at = 0; at < sizeBytes; ) {
      const wanted = Math.min(buffer.length, sizeBytes - at);
      if (file.read(at, buffer, 0, wanted) < wanted) {
        throw new CorruptionError('file became shorter', { file: path, offsetBytes: at });
      }
      yield buffer.subarray(0, wanted);
      at += wanted;
    }
    const overhang = sizeBytes % RECORD_SIZE_BYTES;
    if (overhang > 0) yield new Uint8Array(RECORD_SIZE_BYTES - overhang);
  } finally {
    file.close();
  }
}

type Entry = {
  readonly name: string;
  readonly type: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
};

function encodeHeader({ name, type, sizeBytes, modifiedMs }: Entry): Uint8Array {
  const header = Buffer.alloc(RECORD_SIZE_BYTES);
  const nameBytes = Buffer.from(name);
  assert(nameBytes.length <= NAME_SIZE_BYTES, 'name is too long for a tar header');
  header.set(nameBytes, 0);
  putOctal(header, 100, 8, type === Type.Directory ? 0o755 : 0o644);
  putOctal(header, 108, 8, 0);
  putOctal(header, 116, 8, 0);
  if (sizeBytes <= OCTAL_SIZE_MAX) {
    putOctal(header, 124, 12, sizeBytes);
  } else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(sizeBytes), 128);
  }
  putOctal(header, 136, 12, Math.floor(modifiedMs / 1000));
  header[156] = type;
  header.write('ustar', 257, 'latin1');
  header.write('00', 263, 'latin1');
  header.fill(' ', 148, 156);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function putOctal(header: Buffer, at: number, sizeBytes: number, value: number): void {
  header.write(value.toString(8).padStart(sizeBytes - 1, '0'), at, 'latin1');
}
