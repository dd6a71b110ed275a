/**
 * Sections of an index: a length, the content, and its CRC-32C.
 *
 *   ┌───────────────┬─────────────────────┬──────────────────┐
 *   │ length u32 BE │ content             │ CRC-32C u32 BE   │   the checksum covers the content
 *   └───────────────┴─────────────────────┴──────────────────┘
 *
 * Source: Prometheus "Index Disk Format".
 */
import { CorruptionError, crc32c } from '../../model/index.ts';
import type { WindowedFile } from '../io/file-window.ts';

export const SECTION_LENGTH_SIZE_BYTES = 4;
export const SECTION_CHECKSUM_SIZE_BYTES = 4;
/** Large sections are checked piece by piece, so that they need not be in memory as a whole. */
const PIECE_SIZE_BYTES = 64 * 1024;

export type Section = { readonly contentStart: number; readonly contentEnd: number };

/**
 * Finds the ends of a section and verifies it.
 * @throws CorruptionError naming `what`
 */
export function openSection(file: WindowedFile, offsetBytes: number, what: string): Section {
  const contentStart = offsetBytes + SECTION_LENGTH_SIZE_BYTES;
  const contentEnd = contentStart + uint32At(file, offsetBytes);
  const place = { file: file.path, offsetBytes };
  if (contentEnd + SECTION_CHECKSUM_SIZE_BYTES > file.sizeBytes) {
    throw new CorruptionError(`${what} leaves the file`, place);
  }
  let checksum = 0;
  for (let at = contentStart; at < contentEnd; at += PIECE_SIZE_BYTES) {
    const size = Math.min(PIECE_SIZE_BYTES, contentEnd - at);
    const { bytes, startBytes } = file.window(at, size);
    checksum = crc32c(bytes, at - startBytes, at - startBytes + size, checksum);
  }
  if (checksum !== uint32At(file, contentEnd)) {
    throw new CorruptionError(`${what}: checksum differs`, place);
  }
  return { contentStart, contentEnd };
}

export function uint32At(file: WindowedFile, offsetBytes: number): number {
  const { bytes, startBytes } = file.window(offsetBytes, 4);
  const i = offsetBytes - startBytes;
  return ((bytes[i]! << 24) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!) >>> 0;
}
