/**
 * One series in an index: its labels and where its chunks are.
 *
 *   ┌────────────────┬──────────────────────────────────────────────┬──────────────┐
 *   │ length uvarint │ content                                      │ CRC-32C u32  │
 *   └────────────────┼──────────────────────────────────────────────┼──────────────┘
 *                    │ #labels uvarint, each: name, value uvarint   │  symbol references
 *                    │ #chunks uvarint                              │
 *                    │ chunk 0: minMs varint,                       │
 *                    │          maxMs-minMs uvarint, ref uvarint    │
 *                    │ others:  minMs - maxMs before uvarint,       │
 *                    │          maxMs-minMs uvarint,                │
 *                    │          ref - ref before varint             │
 *                    └──────────────────────────────────────────────┘
 *
 * A chunk reference is segment « 32 | offset, the first segment (file 000001) being 0.
 * Page: docs/format/index.md. Source: Prometheus "Index Disk Format".
 */
import {
  assert,
  ByteReader,
  type ByteWriter,
  CorruptionError,
  crc32c,
  Labels,
} from '../../model/index.ts';
import type { WindowedFile } from '../io/file-window.ts';
import type { SymbolTable } from './symbols.ts';

/** Where a chunk lies and what time it covers, both ends included. */
export type ChunkMeta = { readonly minMs: number; readonly maxMs: number; readonly ref: number };

const READ_AHEAD_SIZE_BYTES = 1024;

/**
 * The content of an entry, without length and checksum.
 * @param labelSymbols  name and value of each label; more may lie behind them
 */
export function encodeSeriesEntry(
  out: ByteWriter,
  labelSymbols: Uint32Array,
  labelCount: number,
  chunks: readonly ChunkMeta[],
): void {
  out.putUvarint(labelCount);
  for (let i = 0; i < labelCount * 2; i++) out.putUvarint(labelSymbols[i]!);
  out.putUvarint(chunks.length);
  let previous: ChunkMeta | null = null;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i]!;
    assert(chunk.minMs <= chunk.maxMs, 'chunk ends before it begins');
    if (previous === null) {
      out.putVarint(chunk.minMs);
      out.putUvarint(chunk.maxMs - chunk.minMs);
      out.putUvarint(chunk.ref);
    } else {
      assert(chunk.minMs > previous.maxMs, 'chunks of a series overlap');
      out.putUvarint(chunk.minMs - previous.maxMs);
      out.putUvarint(chunk.maxMs - chunk.minMs);
      out.putVarint(chunk.ref - previous.ref);
    }
    previous = chunk;
  }
}

/** A decoded entry, filled again and again. Only the first `…Count` items are meaningful. */
export class SeriesEntry {
  /** Name and value of each label, as symbol references. */
  labelSymbols = new Uint32Array(64);
  labelCount = 0;
  chunkCount = 0;
  chunkMinMs = new Float64Array(64);
  chunkMaxMs = new Float64Array(64);
  chunkRefs = new Float64Array(64);
  /** Used by {@link readSeriesEntry}. */
  readonly reader = new ByteReader();

  labels(symbols: SymbolTable): Labels {
    const flat: string[] = [];
    for (let i = 0; i < this.labelCount * 2; i++) flat.push(symbols.text(this.labelSymbols[i]!));
    return Labels.fromSorted(flat);
  }

  reserveLabels(count: number): void {
    if (count * 2 <= this.labelSymbols.length) return;
    this.labelSymbols = new Uint32Array(count * 4);
  }

  reserveChunks(count: number): void {
    if (count <= this.chunkRefs.length) return;
    this.chunkMinMs = new Float64Array(count * 2);
    this.chunkMaxMs = new Float64Array(count * 2);
    this.chunkRefs = new Float64Array(count * 2);
  }
}

/**
 * Reads the entry at a byte offset of an index.
 * @param isTrusted   its checksum was found right before
 * @param labelsOnly  leaves out the chunks
 * @throws CorruptionError
 */
export function readSeriesEntry(
  file: WindowedFile,
  offsetBytes: number,
  isTrusted: boolean,
  into: SeriesEntry,
  labelsOnly = false,
): void {
  const { reader } = into;
  let window = file.windowUpTo(offsetBytes, READ_AHEAD_SIZE_BYTES);
  reader.reset(window.bytes, offsetBytes - window.startBytes);
  const length = reader.takeUvarint();
  const contentStart = window.startBytes + reader.position;
  if (reader.failed || contentStart + length + 4 > file.sizeBytes) fail(file, offsetBytes);
  if (contentStart + length + 4 > window.endBytes) window = file.window(contentStart, length + 4);
  const { bytes } = window;
  const start = contentStart - window.startBytes;
  const end = start + length;
  if (!isTrusted) {
    const stored =
      ((bytes[end]! << 24) | (bytes[end + 1]! << 16) | (bytes[end + 2]! << 8) | bytes[end + 3]!) >>>
      0;
    if (crc32c(bytes, start, end) !== stored) fail(file, offsetBytes, 'checksum differs');
  }
  reader.reset(bytes, start, end);
  decodeLabels(reader, into);
  if (labelsOnly) into.chunkCount = 0;
  else decodeChunks(reader, into);
  if (reader.failed) fail(file, offsetBytes);
}

function decodeLabels(reader: ByteReader, into: SeriesEntry): void {
  const labelCount = reader.takeUvarint();
  if (labelCount * 2 > reader.remaining) {
    reader.failed = true;
    return;
  }
  into.reserveLabels(labelCount);
  into.labelCount = labelCount;
  const { labelSymbols } = into;
  const { bytes, end } = reader;
  let at = reader.position;
  // Checked once, at the end: behind the last byte there is nothing that could go on.
  for (let i = 0; i < labelCount * 2; i++) {
    let byte = bytes[at++]!;
    let symbol = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift <= 28; shift += 7) {
      byte = bytes[at++]!;
      symbol |= (byte & 0x7f) << shift;
    }
    if (byte >= 0x80) reader.failed = true;
    labelSymbols[i] = symbol;
  }
  if (at > end) reader.failed = true;
  reader.position = at;
}

function decodeChunks(reader: ByteReader, into: SeriesEntry): void {
  const chunkCount = reader.takeUvarint();
  if (chunkCount * 3 > reader.remaining) {
    reader.failed = true;
    return;
  }
  into.reserveChunks(chunkCount);
  into.chunkCount = chunkCount;
  const { chunkMinMs, chunkMaxMs, chunkRefs } = into;
  let maxMs = 0;
  let ref = 0;
  for (let i = 0; i < chunkCount; i++) {
    const minMs = i === 0 ? reader.takeVarint() : maxMs + reader.takeUvarint();
    maxMs = minMs + reader.takeUvarint();
    ref = i === 0 ? reader.takeUvarint() : ref + reader.takeVarint();
    chunkMinMs[i] = minMs;
    chunkMaxMs[i] = maxMs;
    chunkRefs[i] = ref;
  }
}

function fail(file: WindowedFile, offsetBytes: number, what = 'is malformed'): never {
  throw new CorruptionError(`series entry: ${what}`, { file: file.path, offsetBytes });
}
