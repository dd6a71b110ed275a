/**
 * The first byte of every record in `wal/` and `wbl/`, and of those in a memory snapshot's log.
 * Source: Prometheus "WAL Disk Format"; 11…13 observed in what 3.14 writes with start timestamps.
 */
export const RecordType = {
  Series: 1,
  Samples: 2,
  Tombstones: 3,
  Exemplars: 4,
  MmapMarkers: 5,
  Metadata: 6,
  Histograms: 7,
  FloatHistograms: 8,
  CustomBucketsHistograms: 9,
  CustomBucketsFloatHistograms: 10,
  SamplesV2: 11,
  HistogramsV2: 12,
  FloatHistogramsV2: 13,
} as const;
export type RecordType = (typeof RecordType)[keyof typeof RecordType];

/** For messages and dumps; the names that Prometheus's own tools print. */
export const RECORD_TYPE_NAMES: Readonly<Record<RecordType, string>> = {
  1: 'series',
  2: 'samples',
  3: 'tombstones',
  4: 'exemplars',
  5: 'mmap_markers',
  6: 'metadata',
  7: 'histogram_samples',
  8: 'float_histogram_samples',
  9: 'custom_buckets_histogram_samples',
  10: 'custom_buckets_float_histogram_samples',
  11: 'samples_v2',
  12: 'histogram_samples_v2',
  13: 'float_histogram_samples_v2',
};

/** Null for a record that is empty or of a kind from the future. */
export function recordTypeOf(record: Uint8Array, start = 0): RecordType | null {
  const type = record[start] ?? 0;
  return type >= RecordType.Series && type <= RecordType.FloatHistogramsV2
    ? (type as RecordType)
    : null;
}
