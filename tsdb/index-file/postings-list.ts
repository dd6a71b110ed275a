/**
 * A postings list in an index: the series that have one label pair, ascending.
 *
 *   section content  ┌───────────────┬──────────────────────────────┐
 *                    │ #series u32   │ each: series reference u32   │
 *                    └───────────────┴──────────────────────────────┘
 *
 * Page: docs/format/index.md. Source: Prometheus "Index Disk Format".
 */
import { type ByteWriter, CorruptionError } from '../../model/index.ts';
import type { WindowedFile } from '../io/file-window.ts';
import {
  openSection,
  SECTION_CHECKSUM_SIZE_BYTES,
  SECTION_LENGTH_SIZE_BYTES,
  uint32At,
} from './section.ts';

const PIECE_SIZE_BYTES = 64 * 1024;

/** The content of a list of the references `refs[start, end)`. */
export function encodePostingsList(
  out: ByteWriter,
  refs: Uint32Array,
  start: number,
  end: number,
): void {
  out.putUint32(end - start);
  out.reserve((end - start) * 4);
  const { bytes } = out;
  let at = out.length;
  for (let i = start; i < end; i++) {
    const ref = refs[i]!;
    bytes[at] = ref >>> 24;
    bytes[at + 1] = ref >>> 16;
    bytes[at + 2] = ref >>> 8;
    bytes[at + 3] = ref;
    at += 4;
  }
  out.length = at;
}

/** How many series a list has, without reading it. */
export function postingsListLength(file: WindowedFile, offsetBytes: number): number {
  return uint32At(file, offsetBytes + SECTION_LENGTH_SIZE_BYTES);
}

/**
 * Reads the list at a byte offset of an index.
 * @param isTrusted  its checksum was found right before
 * @throws CorruptionError
 */
export function readPostingsList(
  file: WindowedFile,
  offsetBytes: number,
  isTrusted: boolean,
): Uint32Array {
  let contentStart = offsetBytes + SECTION_LENGTH_SIZE_BYTES;
  let contentEnd = contentStart + uint32At(file, offsetBytes);
  if (!isTrusted) ({ contentStart, contentEnd } = openSection(file, offsetBytes, 'postings list'));
  const place = { file: file.path, offsetBytes };
  if (contentEnd + SECTION_CHECKSUM_SIZE_BYTES > file.sizeBytes || contentEnd < contentStart + 4) {
    throw new CorruptionError('postings list leaves the file', place);
  }
  const count = uint32At(file, contentStart);
  if (count * 4 !== contentEnd - contentStart - 4) {
    throw new CorruptionError('postings list: unexpected length', place);
  }
  const refs = new Uint32Array(count);
  const raw = Buffer.from(refs.buffer);
  for (let at = contentStart + 4; at < contentEnd; at += PIECE_SIZE_BYTES) {
    raw.set(file.read(at, Math.min(PIECE_SIZE_BYTES, contentEnd - at)), at - contentStart - 4);
  }
  // Copied and turned round as a whole, an order of magnitude faster than number by number.
  raw.swap32();
  return refs;
}
