/**
 * Deletions in the log: of one series, one interval of time, both ends included.
 *
 *   ┌────────────┬──────────────┬──────────────┐
 *   │ ref u64 BE │ minMs varint │ maxMs varint │
 *   └────────────┴──────────────┴──────────────┘
 *   repeated; behind the type byte 3, not drawn
 *
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format".
 */
import { ByteReader, type ByteWriter, CorruptionError } from '../../model/index.ts';
import { RecordType } from './record-type.ts';
import type { RecordPlace } from './samples.ts';
import { takeSaturatingVarint } from './wide-varint.ts';

export type TombstoneRow = { readonly ref: number; readonly minMs: number; readonly maxMs: number };

export function encodeTombstones(rows: readonly TombstoneRow[], out: ByteWriter): void {
  out.putByte(RecordType.Tombstones);
  for (const { ref, minMs, maxMs } of rows) {
    out.putUint64(ref);
    out.putVarint(minMs);
    out.putVarint(maxMs);
  }
}

/** Ends beyond ±2⁵³ (Prometheus's "since ever") come back as ±2⁵³. @throws CorruptionError */
export function decodeTombstones(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): TombstoneRow[] {
  if (record[start] !== RecordType.Tombstones) {
    throw new CorruptionError(`not a tombstones record: type ${record[start]}`, place);
  }
  const reader = new ByteReader(record, start + 1, end);
  const rows: TombstoneRow[] = [];
  while (reader.remaining > 0) {
    const ref = reader.takeUint64();
    const minMs = takeSaturatingVarint(reader);
    const maxMs = takeSaturatingVarint(reader);
    if (reader.failed) throw new CorruptionError('tombstones record is malformed', place);
    rows.push({ ref, minMs, maxMs });
  }
  return rows;
}
