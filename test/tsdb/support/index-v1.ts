/**
 * Writes an index of version 1, which servers wrote before Prometheus 2.3: symbols are referred to by
 * their offset in the table, series by their byte offset, nothing is aligned, and the postings offset
 * table is in no order. Source: "Index Disk Format"; by that page alone, sharing no code with the reader.
 */
import { crc32c, type Labels } from '../../../model/index.ts';
import type { ChunkMeta } from '../../../tsdb/index-file/series-entry.ts';

export type IndexedSeries = { readonly labels: Labels; readonly chunks: readonly ChunkMeta[] };

/** @param series  in label order */
export function indexVersionOne(series: readonly IndexedSeries[]): Uint8Array {
  const out: number[] = [...u32(0xbaaad700), 1];

  const symbols = [...new Set(series.flatMap(({ labels }) => labels.flat))].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const symbolsStart = out.length;
  const symbolOffsets = new Map<string, number>();
  const symbolBytes = u32(symbols.length);
  for (const symbol of symbols) {
    // From the beginning of the section, its length included.
    symbolOffsets.set(symbol, 4 + symbolBytes.length);
    symbolBytes.push(...text(symbol));
  }
  out.push(...section(symbolBytes));

  const seriesStart = out.length;
  const refs = series.map(({ labels, chunks }) => {
    const ref = out.length;
    const content = uvarint(labels.size);
    for (const part of labels.flat) content.push(...uvarint(symbolOffsets.get(part)!));
    content.push(...uvarint(chunks.length));
    chunks.forEach(({ minMs, maxMs, ref: chunkRef }, i) => {
      const previous = chunks[i - 1];
      if (previous === undefined) {
        content.push(...varint(minMs), ...uvarint(maxMs - minMs), ...uvarint(chunkRef));
      } else {
        content.push(...uvarint(minMs - previous.maxMs), ...uvarint(maxMs - minMs));
        content.push(...varint(chunkRef - previous.ref));
      }
    });
    out.push(...uvarint(content.length), ...content, ...checksum(content));
    return ref;
  });

  const members = new Map<string, { name: string; value: string; refs: number[] }>();
  members.set('', { name: '', value: '', refs });
  series.forEach(({ labels }, i) => {
    for (const [name, value] of labels) {
      const key = `${name}\xff${value}`;
      const entry = members.get(key) ?? { name, value, refs: [] };
      members.set(key, entry);
      entry.refs.push(refs[i]!);
    }
  });
  const postingsStart = out.length;
  // Last first, so that a reader which relies on an order is found out.
  const entries = [...members.values()].reverse().map(({ name, value, refs: list }) => {
    const offset = out.length;
    out.push(...section([...u32(list.length), ...list.flatMap(u32)]));
    return [2, ...text(name), ...text(value), ...uvarint(offset)];
  });
  const tableStart = out.length;
  out.push(...section([...u32(entries.length), ...entries.flat()]));

  const toc = [symbolsStart, seriesStart, 0, 0, postingsStart, tableStart].flatMap((offset) => [
    ...u32(0),
    ...u32(offset),
  ]);
  out.push(...toc, ...checksum(toc));
  return Uint8Array.from(out);
}

function section(content: readonly number[]): number[] {
  return [...u32(content.length), ...content, ...checksum(content)];
}

function checksum(content: readonly number[]): number[] {
  return u32(crc32c(Uint8Array.from(content)));
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function text(value: string): number[] {
  const bytes = Buffer.from(value);
  return [...uvarint(bytes.length), ...bytes];
}

function uvarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

/** Zigzag: the sign is the lowest bit. */
function varint(value: number): number[] {
  return uvarint(value < 0 ? -2 * value - 1 : 2 * value);
}
