/**
 * Exemplars in the log.
 *
 *   ┌────────────┬─────────────┐
 *   │ ref u64 BE │ time i64 BE │                                       of the first exemplar
 *   ├────────────┴─┬───────────┴──┬─────┬─────────────────┬──────────────────────────────────┐
 *   │ Δref varint  │ Δtime varint │ f64 │ #labels uvarint │ #labels × (name, value), each    │
 *   │              │              │     │                 │ length uvarint and UTF-8 bytes   │
 *   └──────────────┴──────────────┴─────┴─────────────────┴──────────────────────────────────┘
 *   per exemplar, differences to the first; behind the type byte 4, not drawn
 *
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format".
 */
import {
  ByteReader,
  type ByteWriter,
  CorruptionError,
  fromBits,
  highBits,
  Labels,
  lowBits,
} from '../../model/index.ts';
import { RecordType } from './record-type.ts';
import type { RecordPlace } from './samples.ts';

export type ExemplarRow = {
  readonly ref: number;
  readonly timestampMs: number;
  readonly value: number;
  readonly labels: Labels;
};

export function encodeExemplars(rows: readonly ExemplarRow[], out: ByteWriter): void {
  out.putByte(RecordType.Exemplars);
  const first = rows[0];
  if (first === undefined) return;
  out.putUint64(first.ref);
  out.putInt64(first.timestampMs);
  for (const { ref, timestampMs, value, labels } of rows) {
    out.putVarint(ref - first.ref);
    out.putVarint(timestampMs - first.timestampMs);
    out.putFloat64Bits(highBits(value), lowBits(value));
    out.putUvarint(labels.size);
    for (const text of labels.flat) out.putUvarintText(text);
  }
}

/** @throws CorruptionError */
export function decodeExemplars(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): ExemplarRow[] {
  if (record[start] !== RecordType.Exemplars) {
    throw new CorruptionError(`not an exemplars record: type ${record[start]}`, place);
  }
  const rows: ExemplarRow[] = [];
  if (start + 1 === end) return rows;
  const reader = new ByteReader(record, start + 1, end);
  const firstRef = reader.takeUint64();
  const firstMs = reader.takeInt64();
  while (reader.remaining > 0) {
    const ref = firstRef + reader.takeVarint();
    const timestampMs = firstMs + reader.takeVarint();
    const value = fromBits(reader.takeUint32(), reader.takeUint32());
    const pairs: [string, string][] = [];
    for (let left = reader.takeUvarint(); left > 0 && !reader.failed; left--) {
      pairs.push([reader.takeUvarintText(), reader.takeUvarintText()]);
    }
    if (reader.failed) break;
    rows.push({ ref, timestampMs, value, labels: Labels.fromPairs(pairs) });
  }
  if (reader.failed) throw new CorruptionError('exemplars record is malformed', place);
  return rows;
}
