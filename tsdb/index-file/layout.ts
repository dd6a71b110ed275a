/**
 * The index of a block: which series it holds, where their chunks are, and which series a label pair has.
 *
 *   ┌───────────────┬───────────┐
 *   │ magic u32 BE  │ version 2 │
 *   ├───────────────┴───────────┤
 *   │ symbol table              │ symbols.ts
 *   ├───────────────────────────┤
 *   │ series                    │ series-entry.ts
 *   ├───────────────────────────┤
 *   │ postings lists            │ postings-list.ts
 *   ├───────────────────────────┤
 *   │ postings offset table     │ offset-table.ts
 *   ├───────────────────────────┤
 *   │ table of contents         │ six offsets u64 BE: symbols · series · label indices ·
 *   │                           │ label offset table · postings · postings offset table; CRC-32C u32 BE
 *   └───────────────────────────┘
 *
 * The label indices and their offset table are written no more since nobody read them; their entries
 * in the table of contents repeat those of the postings and of the postings offset table.
 * Version 1 differs in three things: symbols are referred to by their offset in the table instead of
 * their number, series by their byte offset instead of a sixteenth of it, and the postings offset table is
 * not sorted.
 * Page: docs/format/index.md. Source: Prometheus "Index Disk Format"; files of 2.42 and 3.14.
 */
import { ByteReader, ByteWriter, CorruptionError, crc32c } from '../../model/index.ts';

const INDEX_MAGIC = 0xbaaad700;
export const INDEX_HEADER_SIZE_BYTES = 5;
export const TOC_SIZE_BYTES = 6 * 8 + 4;
/** Series begin at multiples of this since version 2, which is also what their references count in. */
export const SERIES_ALIGNMENT_BYTES = 16;

export type IndexVersion = 1 | 2;

/** Offsets into the file; 0 where a section is absent. */
export type Toc = {
  readonly symbols: number;
  readonly series: number;
  readonly labelIndices: number;
  readonly labelOffsetTable: number;
  readonly postings: number;
  readonly postingsOffsetTable: number;
};

export function encodeIndexHeader(): Uint8Array {
  const out = new ByteWriter(INDEX_HEADER_SIZE_BYTES);
  out.putUint32(INDEX_MAGIC);
  out.putByte(2);
  return out.view();
}

/** @throws CorruptionError */
export function decodeIndexHeader(header: Uint8Array, file: string): IndexVersion {
  const reader = new ByteReader(header);
  const magic = reader.takeUint32();
  const version = reader.takeByte();
  if (reader.failed) throw new CorruptionError('index header is cut off', { file, offsetBytes: 0 });
  if (magic !== INDEX_MAGIC) {
    throw new CorruptionError(`invalid magic number ${magic.toString(16)}`, {
      file,
      offsetBytes: 0,
    });
  }
  if (version !== 1 && version !== 2) {
    throw new CorruptionError(`unknown index file version ${version}`, { file, offsetBytes: 4 });
  }
  return version;
}

export function encodeToc(toc: Toc): Uint8Array {
  const out = new ByteWriter(TOC_SIZE_BYTES);
  out.putUint64(toc.symbols);
  out.putUint64(toc.series);
  out.putUint64(toc.labelIndices);
  out.putUint64(toc.labelOffsetTable);
  out.putUint64(toc.postings);
  out.putUint64(toc.postingsOffsetTable);
  out.putUint32(crc32c(out.bytes, 0, out.length));
  return out.view();
}

/**
 * @param tail  the last {@link TOC_SIZE_BYTES} bytes of the file
 * @throws CorruptionError
 */
export function decodeToc(tail: Uint8Array, file: string, fileSizeBytes: number): Toc {
  const place = { file, offsetBytes: fileSizeBytes - TOC_SIZE_BYTES };
  const reader = new ByteReader(tail);
  const toc = {
    symbols: reader.takeUint64(),
    series: reader.takeUint64(),
    labelIndices: reader.takeUint64(),
    labelOffsetTable: reader.takeUint64(),
    postings: reader.takeUint64(),
    postingsOffsetTable: reader.takeUint64(),
  };
  const checksum = reader.takeUint32();
  if (reader.failed || crc32c(tail, 0, TOC_SIZE_BYTES - 4) !== checksum) {
    throw new CorruptionError('table of contents: checksum differs', place);
  }
  for (const offset of Object.values(toc)) {
    if (offset > place.offsetBytes) throw new CorruptionError('section lies outside', place);
  }
  return toc;
}
