/**
 * Type, unit and help of series, in the log (with the feature metadata-wal-records).
 *
 *   ┌─────────────┬─────────┬─────────────────┬──────────────────────────────────┐
 *   │ ref uvarint │ type u8 │ #fields uvarint │ #fields × (name, value), each    │
 *   │             │         │                 │ length uvarint and UTF-8 bytes   │
 *   └─────────────┴─────────┴─────────────────┴──────────────────────────────────┘
 *   repeated; behind the type byte 6, not drawn. Fields are UNIT and HELP; others are skipped.
 *   type  0 unknown · 1 counter · 2 gauge · 3 histogram · 4 gaugehistogram · 5 summary · 6 info · 7 stateset
 *
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format"; codes observed in 3.14's logs.
 */
import {
  ByteReader,
  type ByteWriter,
  CorruptionError,
  METRIC_TYPES,
  type MetricMetadata,
} from '../../model/index.ts';
import { RecordType } from './record-type.ts';
import type { RecordPlace } from './samples.ts';

export type MetadataRow = { readonly ref: number; readonly metadata: MetricMetadata };

export function encodeMetadata(rows: readonly MetadataRow[], out: ByteWriter): void {
  out.putByte(RecordType.Metadata);
  for (const { ref, metadata } of rows) {
    out.putUvarint(ref);
    out.putByte(METRIC_TYPES.indexOf(metadata.type));
    out.putUvarint(2);
    out.putUvarintText('UNIT');
    out.putUvarintText(metadata.unit);
    out.putUvarintText('HELP');
    out.putUvarintText(metadata.help);
  }
}

/** @throws CorruptionError */
export function decodeMetadata(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): MetadataRow[] {
  if (record[start] !== RecordType.Metadata) {
    throw new CorruptionError(`not a metadata record: type ${record[start]}`, place);
  }
  const reader = new ByteReader(record, start + 1, end);
  const rows: MetadataRow[] = [];
  while (reader.remaining > 0) {
    const ref = reader.takeUvarint();
    const type = METRIC_TYPES[reader.takeByte()] ?? 'unknown';
    const fields = new Map<string, string>();
    for (let left = reader.takeUvarint(); left > 0 && !reader.failed; left--) {
      fields.set(reader.takeUvarintText(), reader.takeUvarintText());
    }
    if (reader.failed) throw new CorruptionError('metadata record is malformed', place);
    const unit = fields.get('UNIT') ?? '';
    rows.push({ ref, metadata: { type, unit, help: fields.get('HELP') ?? '' } });
  }
  return rows;
}
