/**
 * A fragment: one piece of a record in the write-ahead log. It never crosses a 32 KiB page.
 *
 *   byte  0      1        3            7
 *         ┌──────┬────────┬────────────┬──────────────┐
 *         │ flag │ length │ checksum   │ data         │
 *         │ u8   │ u16 BE │ u32 BE     │ length bytes │
 *         └──────┴────────┴────────────┴──────────────┘
 *   flag  bits 0-2  kind    0 rest of the page is empty · 1 full · 2 first · 3 middle · 4 last
 *         bit 3     the record is a snappy block
 *         bit 4     the record is a zstd frame
 *         bit 5     the record is an lz4 block behind its plain size (u32 BE); only Narthex writes it
 *
 * `checksum` is CRC-32C of `data` as stored; the flag is not covered by it. A record is compressed as
 * a whole and then cut into fragments: one full, or a first, any number of middles, and a last.
 * Page: docs/format/wal.md. Source: Prometheus "WAL Disk Format".
 */
import { assert, CorruptionError, crc32c } from '../../model/index.ts';

export const PAGE_SIZE_BYTES = 32 * 1024;
export const FRAGMENT_HEADER_SIZE_BYTES = 1 + 2 + 4;

export const FragmentKind = { PageEnd: 0, Full: 1, First: 2, Middle: 3, Last: 4 } as const;
const FRAGMENT_KIND_MASK = 0b0000_0111;
export const SNAPPY_FLAG = 0b0000_1000;
export const ZSTD_FLAG = 0b0001_0000;
export const LZ4_FLAG = 0b0010_0000;
const RESERVED_MASK = 0b1100_0000;

// `length` is a u16. If a page ever outgrows it, fail while the module loads.
assert(PAGE_SIZE_BYTES - FRAGMENT_HEADER_SIZE_BYTES <= 0xffff, 'fragment length must fit u16');

/** Writes a fragment of `data[start, end)` at `out[offset…]`; returns the offset just past it. */
export function encodeFragment(
  out: Uint8Array,
  offset: number,
  flag: number,
  data: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  assert(length <= PAGE_SIZE_BYTES - FRAGMENT_HEADER_SIZE_BYTES, 'fragment larger than a page');
  const checksum = crc32c(data, start, end);
  out[offset] = flag;
  out[offset + 1] = length >>> 8;
  out[offset + 2] = length;
  out[offset + 3] = checksum >>> 24;
  out[offset + 4] = checksum >>> 16;
  out[offset + 5] = checksum >>> 8;
  out[offset + 6] = checksum;
  const dataStart = offset + FRAGMENT_HEADER_SIZE_BYTES;
  out.set(start === 0 && end === data.length ? data : data.subarray(start, end), dataStart);
  return dataStart + length;
}

/** Filled in place by {@link decodeFragment}, so that replay allocates nothing per fragment. */
export type FragmentView = { flag: number; kind: number; dataStart: number; dataEnd: number };

/**
 * Reads the fragment at `offset` of `page` into `out`; `out.dataEnd` is where the next one starts.
 * For {@link FragmentKind.PageEnd} that is the end of the page, whose rest must be zeros.
 *
 * @param pageEnd               how much of `page` is filled; less than a whole page only at the end
 * @param file, pageStartBytes  where `page` came from; used only to say where an error is
 * @throws CorruptionError      unknown flag, the length leaves the page, or the checksum differs
 */
export function decodeFragment(
  page: Uint8Array,
  offset: number,
  pageEnd: number,
  out: FragmentView,
  file: string,
  pageStartBytes: number,
): void {
  const offsetBytes = pageStartBytes + offset;
  const flag = page[offset]!;
  out.flag = flag;
  out.kind = flag & FRAGMENT_KIND_MASK;
  out.dataStart = offset + FRAGMENT_HEADER_SIZE_BYTES;
  if (flag === FragmentKind.PageEnd) {
    for (let i = offset; i < pageEnd; i++) {
      if (page[i] !== 0) fail('data after the end of a page', file, offsetBytes);
    }
    out.dataStart = out.dataEnd = pageEnd;
    return;
  }
  if (out.kind > FragmentKind.Last || out.kind === FragmentKind.PageEnd || flag & RESERVED_MASK) {
    fail(`unexpected record type ${flag}`, file, offsetBytes);
  }
  if (out.dataStart > pageEnd) fail('fragment header is cut off', file, offsetBytes);
  out.dataEnd = out.dataStart + ((page[offset + 1]! << 8) | page[offset + 2]!);
  if (out.dataEnd > pageEnd) fail('fragment leaves the page', file, offsetBytes);
  const checksum =
    ((page[offset + 3]! << 24) |
      (page[offset + 4]! << 16) |
      (page[offset + 5]! << 8) |
      page[offset + 6]!) >>>
    0;
  if (crc32c(page, out.dataStart, out.dataEnd) !== checksum)
    fail('checksum differs', file, offsetBytes);
}

function fail(what: string, file: string, offsetBytes: number): never {
  throw new CorruptionError(what, { file, offsetBytes });
}
