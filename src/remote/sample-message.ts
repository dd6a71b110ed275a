/**
 * A sample, the same message in both versions of remote write but for what 2.0 adds:
 *
 *   1 value  double      2 timestamp  int64, milliseconds      3 start timestamp, likewise (2.0)
 *
 * Source: Prometheus remote write specifications 1.0 and 2.0.
 */
import { WireType } from '../../model/index.ts';
import { unexpectedEnd } from './wire-error.ts';
import type { WireScan } from './wire-scan.ts';
import type { WriteColumns } from './write-columns.ts';

const VALUE_TAG = 0x09;
const TIMESTAMP_TAG = 0x10;
const START_TAG = 0x18;

/** Reads the message that ends at `end` into `columns`, as a sample of `series`. */
export function readSample(
  scan: WireScan,
  end: number,
  columns: WriteColumns,
  series: number,
  withStart: boolean,
): void {
  const { view } = scan;
  let low = 0;
  let high = 0;
  let timestampMs = 0;
  let startMs = 0;
  while (scan.at < end) {
    const tag = scan.uvarint(end);
    if (tag === VALUE_TAG) {
      const at = scan.at;
      if (at + 8 > end) throw unexpectedEnd();
      low = view.getUint32(at, true);
      high = view.getUint32(at + 4, true);
      scan.at = at + 8;
    } else if (tag === TIMESTAMP_TAG) {
      timestampMs = scan.int64(end);
    } else if (tag === START_TAG && withStart) {
      startMs = scan.int64(end);
    } else {
      scan.requireTag(tag, 'Sample');
      if (tag >>> 3 === 1) scan.expect(tag, WireType.Fixed64, 'Value');
      if (tag >>> 3 === 2) scan.expect(tag, WireType.Varint, 'Timestamp');
      scan.skip(tag & 7, end);
    }
  }
  columns.addSample(series, timestampMs, low, high, startMs);
}
