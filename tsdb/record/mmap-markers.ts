/**
 * Marks in the out-of-order log (`wbl/`): up to here, the out-of-order samples of a series are in a
 * chunk of `chunks_head/`, so replay may drop what it collected for it. A zero chunk reference says
 * that the series began collecting.
 *
 *   ┌────────────┬──────────────────────────────────────────┐
 *   │ ref u64 BE │ chunk reference u64 BE: file « 32 | offset │
 *   └────────────┴──────────────────────────────────────────┘
 *   repeated; behind the type byte 5, not drawn
 *
 * Page: docs/format/records.md. Source: observed in what 3.14 writes.
 */
import { ByteReader, type ByteWriter, CorruptionError } from '../../model/index.ts';
import { RecordType } from './record-type.ts';
import type { RecordPlace } from './samples.ts';

export type MmapMarker = { readonly ref: number; readonly chunkRef: number };

export function encodeMmapMarkers(markers: readonly MmapMarker[], out: ByteWriter): void {
  out.putByte(RecordType.MmapMarkers);
  for (const { ref, chunkRef } of markers) {
    out.putUint64(ref);
    out.putUint64(chunkRef);
  }
}

/** @throws CorruptionError */
export function decodeMmapMarkers(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): MmapMarker[] {
  if (record[start] !== RecordType.MmapMarkers) {
    throw new CorruptionError(`not a markers record: type ${record[start]}`, place);
  }
  const reader = new ByteReader(record, start + 1, end);
  const markers: MmapMarker[] = [];
  while (reader.remaining > 0) {
    const marker = { ref: reader.takeUint64(), chunkRef: reader.takeUint64() };
    if (reader.failed) throw new CorruptionError('markers record is malformed', place);
    markers.push(marker);
  }
  return markers;
}
