/**
 * `tombstones` of a block: which stretches of which series were deleted and are to be skipped.
 *
 *   ┌────────────────────┬───────────┬──────────────────────────────────────────────┬─────────────┐
 *   │ magic 0x0130ba30   │ version 1 │ each: ref uvarint, minMs varint, maxMs varint │ CRC-32C     │
 *   │ u32 BE             │ u8        │ both ends included                           │ u32 BE      │
 *   └────────────────────┴───────────┴──────────────────────────────────────────────┴─────────────┘
 *   the checksum covers the rows only
 *
 * Page: docs/format/tombstones.md. Source: Prometheus "Tombstones Disk Format"; files of 2.42 and 3.14
 * (the trailing offset that the page mentions is not in them).
 */
import { ByteReader, ByteWriter, CorruptionError, crc32c } from '../../model/index.ts';
import { addInterval, type Intervals } from '../chunk/intervals.ts';
import { writeFileAtomic } from '../io/atomic-write.ts';
import type { Files } from '../io/files.ts';
import { takeSaturatingVarint } from '../record/wide-varint.ts';

const TOMBSTONES_FILE_NAME = 'tombstones';
const MAGIC = 0x0130ba30;
const VERSION = 1;
const HEADER_SIZE_BYTES = 5;

/** Deletions by series reference. */
export class Tombstones {
  readonly #bySeries = new Map<number, Intervals>();

  /** Null when nothing of the series was deleted. */
  of(ref: number): Intervals | null {
    return this.#bySeries.get(ref) ?? null;
  }

  add(ref: number, minMs: number, maxMs: number): void {
    this.#bySeries.set(ref, addInterval(this.#bySeries.get(ref) ?? [], minMs, maxMs));
  }

  /** How many intervals in all. */
  get count(): number {
    let count = 0;
    for (const intervals of this.#bySeries.values()) count += intervals.length / 2;
    return count;
  }

  [Symbol.iterator](): IterableIterator<[ref: number, intervals: Intervals]> {
    return this.#bySeries[Symbol.iterator]();
  }

  copy(): Tombstones {
    const copy = new Tombstones();
    for (const [ref, intervals] of this.#bySeries) copy.#bySeries.set(ref, intervals);
    return copy;
  }
}

export function encodeTombstoneFile(tombstones: Tombstones): Uint8Array {
  const out = new ByteWriter();
  out.putUint32(MAGIC);
  out.putByte(VERSION);
  for (const [ref, intervals] of tombstones) {
    for (let i = 0; i < intervals.length; i += 2) {
      out.putUvarint(ref);
      out.putVarint(intervals[i]!);
      out.putVarint(intervals[i + 1]!);
    }
  }
  out.putUint32(crc32c(out.bytes, HEADER_SIZE_BYTES, out.length));
  return out.view();
}

/** @throws CorruptionError */
export function decodeTombstoneFile(content: Uint8Array, file: string): Tombstones {
  const fail = (what: string, offsetBytes: number): never => {
    throw new CorruptionError(`tombstones: ${what}`, { file, offsetBytes });
  };
  const reader = new ByteReader(content);
  if (content.length < HEADER_SIZE_BYTES + 4) fail('file is too short', 0);
  const magic = reader.takeUint32();
  if (magic !== MAGIC) fail(`invalid magic number ${magic.toString(16)}`, 0);
  const version = reader.takeByte();
  if (version !== VERSION) fail(`unknown version ${version}`, 4);
  const rowsEnd = content.length - 4;
  const stored = new ByteReader(content, rowsEnd).takeUint32();
  if (crc32c(content, HEADER_SIZE_BYTES, rowsEnd) !== stored) fail('checksum differs', rowsEnd);
  reader.end = rowsEnd;
  const tombstones = new Tombstones();
  while (reader.remaining > 0) {
    const rowStart = reader.position;
    const ref = reader.takeUvarint();
    const minMs = takeSaturatingVarint(reader);
    const maxMs = takeSaturatingVarint(reader);
    if (reader.failed) fail('row is malformed', rowStart);
    tombstones.add(ref, minMs, maxMs);
  }
  return tombstones;
}

/** None when the block has no such file. @throws CorruptionError */
export function readTombstones(files: Files, blockDirectory: string): Tombstones {
  const path = `${blockDirectory}/${TOMBSTONES_FILE_NAME}`;
  if (files.stat(path) === null) return new Tombstones();
  return decodeTombstoneFile(files.readAll(path), path);
}

export function writeTombstones(
  files: Files,
  blockDirectory: string,
  tombstones: Tombstones,
): void {
  const path = `${blockDirectory}/${TOMBSTONES_FILE_NAME}`;
  writeFileAtomic(files, path, encodeTombstoneFile(tombstones));
}
