/**
 * Records of a snapshot of the head: what the series in memory are and what their open chunks hold,
 * so that a start need not read the log from its beginning. They lie in a log of their own
 * (wal/wal-writer.ts) in `chunk_snapshot.NNNNNN.NNNNNNNNNN/`; head/snapshot-dir.ts says how it is named.
 *
 *   series, type 1, one each
 *   ┌────────────┬─────────────────┬──────────────────────────────────┬────────────────────┐
 *   │ ref u64 BE │ #labels uvarint │ #labels × (name, value), each    │ chunk range i64 BE │
 *   │            │                 │ length uvarint and UTF-8 bytes   │ always 0           │
 *   ├────────────┴─────────────────┴────┬─────────────────────────────┴────────────────────┤
 *   │ has a chunk: uvarint 0 or 1;      │ if 1: min time i64 BE · max time i64 BE ·        │
 *   │                                   │ encoding u8 · length uvarint · chunk             │
 *   ├───────────────────────────────────┴──────────────────────────────────────────────────┤
 *   │ floats: 56 zero bytes, newest value f64 BE     histograms: the newest (histogram-body) │
 *   └───────────────────────────────────────────────────────────────────────────────────────┘
 *   tombstones, type 2, one: length uvarint · u8 1 · each: ref uvarint, minMs varint, maxMs varint
 *   exemplars, type 3: as in the log (exemplars.ts) behind the type
 *
 * In a log beside these, in the directory `narthex` that Prometheus does not look at, is one more, so
 * that a snapshot is whole or known not to be, and is not taken for one of another log:
 *
 *   extent, type 128
 *   ┌────────────┬──────────────────────────────┬─────────────────────────────────────────────┐
 *   │ version u8 │ segment before the position: │ newest ref uvarint                          │
 *   │ 1          │ size uvarint, CRC-32C u32 BE │                                             │
 *   ├────────────┴──────────────────────────────┼─────────────────────────────────────────────┤
 *   │ begin of what counts in order: i64 BE, ms │ end of the newest block: i64 BE, ms         │
 *   ├───────────────────────────────────────────┼─────────────────────────────────────────────┤
 *   │ #series uvarint                           │ #chunk files uvarint,                       │
 *   │                                           │ each: number, good bytes uvarint            │
 *   ├───────────────────────────────────────────┼─────────────────────────────────────────────┤
 *   │ #aliases uvarint, each: ref, own uvarint  │ #dead refs uvarint, each: uvarint           │
 *   └───────────────────────────────────────────┴─────────────────────────────────────────────┘
 *
 * Page: docs/format/memory-snapshot.md. Source: Prometheus "Memory Snapshot Format"; what stands where
 * the page says "sampleBuf" and "chunk range", and that tombstones have neither magic nor checksum,
 * was found out from what 2.42 and 3.14 write.
 */
import {
  ByteReader,
  type ByteWriter,
  CorruptionError,
  type FloatHistogram,
  type Histogram,
} from '../../model/index.ts';
import { type Encoding, isEncoding } from '../chunk/encoding.ts';
import { decodeExemplars, encodeExemplars, type ExemplarRow } from './exemplars.ts';
import { encodeHistogramBody } from './histogram-body.ts';
import { RecordType } from './record-type.ts';
import type { RecordPlace } from './samples.ts';
import { encodeSeries, type EncodedTexts } from './series.ts';
import type { TombstoneRow } from './tombstones.ts';
import { takeSaturatingVarint } from './wide-varint.ts';

export const SnapshotRecordType = {
  Series: 1,
  Tombstones: 2,
  Exemplars: 3,
  Extent: 128,
} as const;

const EXTENT_VERSION = 1;
const TOMBSTONES_VERSION = 1;
/** Three samples and a time that nobody fills in. */
const UNUSED_SIZE_BYTES = 56;
const UNUSED = new Uint8Array(UNUSED_SIZE_BYTES);

/** An open chunk; the bytes are `bytes[start, end)`. */
export type SnapshotChunk = {
  minMs: number;
  maxMs: number;
  encoding: Encoding;
  bytes: Uint8Array;
  start: number;
  end: number;
};

/** The newest sample: bits of a float, or a histogram. */
export type NewestValue =
  | { readonly high: number; readonly low: number }
  | { readonly histogram: Histogram | FloatHistogram };

/** Appends the record of a series to an empty `out`. */
export function encodeSnapshotSeries(
  out: ByteWriter,
  ref: number,
  labels: EncodedTexts,
  chunk: SnapshotChunk | null,
  newest: NewestValue | null,
): void {
  out.putByte(SnapshotRecordType.Series);
  encodeSeries(out, ref, labels);
  out.putInt64(0);
  if (chunk === null || newest === null) {
    out.putUvarint(0);
    return;
  }
  out.putUvarint(1);
  out.putInt64(chunk.minMs);
  out.putInt64(chunk.maxMs);
  out.putByte(chunk.encoding);
  out.putUvarint(chunk.end - chunk.start);
  out.putBytes(chunk.bytes.subarray(chunk.start, chunk.end));
  if ('histogram' in newest) {
    encodeHistogramBody(out, newest.histogram);
    return;
  }
  out.putBytes(UNUSED);
  out.putFloat64Bits(newest.high, newest.low);
}

/**
 * Reads what stands behind the labels, which `SeriesCursor` has read up to `at`. False when there is
 * no chunk. The newest value is not looked at: the chunk says it as well.
 * @throws CorruptionError
 */
export function decodeSnapshotChunk(
  record: Uint8Array,
  at: number,
  end: number,
  place: RecordPlace,
  out: SnapshotChunk,
): boolean {
  const reader = new ByteReader(record, at, end);
  reader.takeInt64();
  const isThere = reader.takeUvarint();
  if (reader.failed || isThere > 1) {
    throw new CorruptionError('series of a snapshot is malformed', place);
  }
  if (isThere === 0) return false;
  out.minMs = reader.takeInt64();
  out.maxMs = reader.takeInt64();
  const encoding = reader.takeByte();
  const length = reader.takeUvarint();
  if (reader.failed || length > reader.remaining || !isEncoding(encoding)) {
    throw new CorruptionError('chunk of a snapshot is malformed', place);
  }
  out.encoding = encoding;
  out.bytes = record;
  out.start = reader.position;
  out.end = reader.position + length;
  return true;
}

export function encodeSnapshotTombstones(out: ByteWriter, rows: readonly TombstoneRow[]): void {
  const sizeAt = out.length;
  out.putByte(TOMBSTONES_VERSION);
  for (const { ref, minMs, maxMs } of rows) {
    out.putUvarint(ref);
    out.putVarint(minMs);
    out.putVarint(maxMs);
  }
  const body = out.view().slice(sizeAt);
  out.length = sizeAt;
  out.putByte(SnapshotRecordType.Tombstones);
  out.putUvarint(body.length);
  out.putBytes(body);
}

/** @throws CorruptionError */
export function decodeSnapshotTombstones(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): TombstoneRow[] {
  const reader = new ByteReader(record, start + 1, end);
  const length = reader.takeUvarint();
  const version = reader.takeByte();
  if (reader.failed || length !== reader.remaining + 1 || version !== TOMBSTONES_VERSION) {
    throw new CorruptionError('tombstones of a snapshot are malformed', place);
  }
  const rows: TombstoneRow[] = [];
  while (reader.remaining > 0) {
    const ref = reader.takeUvarint();
    const minMs = takeSaturatingVarint(reader);
    const maxMs = takeSaturatingVarint(reader);
    if (reader.failed) throw new CorruptionError('tombstones of a snapshot are malformed', place);
    rows.push({ ref, minMs, maxMs });
  }
  return rows;
}

/** Appends the record to an empty `out`. */
export function encodeSnapshotExemplars(out: ByteWriter, rows: readonly ExemplarRow[]): void {
  encodeExemplars(rows, out);
  out.bytes[0] = SnapshotRecordType.Exemplars;
}

/** @throws CorruptionError */
export function decodeSnapshotExemplars(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): ExemplarRow[] {
  const copy = record.slice(start, end);
  copy[0] = RecordType.Exemplars;
  return decodeExemplars(copy, 0, copy.length, place);
}

/** Stands for none; -Infinity in memory. */
const NO_TIME_MS = -Number.MAX_SAFE_INTEGER;

function takeTime(reader: ByteReader): number {
  const timeMs = reader.takeInt64();
  return timeMs === NO_TIME_MS ? -Infinity : timeMs;
}

/** What a snapshot is of and must be of to count, and what it cannot say series by series. */
export type SnapshotExtent = {
  /** Of the segment before the position; size 0 when there is none. */
  readonly lastSegment: { readonly sizeBytes: number; readonly checksum: number };
  /** No ref beyond has been given out. */
  readonly lastRef: number;
  /** What lies before is in blocks or deleted. -Infinity: nothing does. */
  readonly minValidMs: number;
  /** The same as blocks alone tell it. */
  readonly blocksEndMs: number;
  readonly seriesCount: number;
  /** Bytes of `chunks_head` files that count, by number. */
  readonly chunkFileEnds: ReadonlyMap<number, number>;
  /** Refs of the log and of chunk files that stand for a series with another one. */
  readonly aliases: ReadonlyMap<number, number>;
  /** Refs of series that are gone, while the log still speaks of them. */
  readonly deadRefs: readonly number[];
};

export function encodeSnapshotExtent(out: ByteWriter, extent: SnapshotExtent): void {
  out.putByte(SnapshotRecordType.Extent);
  out.putByte(EXTENT_VERSION);
  out.putUvarint(extent.lastSegment.sizeBytes);
  out.putUint32(extent.lastSegment.checksum);
  out.putUvarint(extent.lastRef);
  out.putInt64(Math.max(extent.minValidMs, NO_TIME_MS));
  out.putInt64(Math.max(extent.blocksEndMs, NO_TIME_MS));
  out.putUvarint(extent.seriesCount);
  putPairs(out, extent.chunkFileEnds);
  putPairs(out, extent.aliases);
  out.putUvarint(extent.deadRefs.length);
  for (const ref of extent.deadRefs) out.putUvarint(ref);
}

/** @throws CorruptionError */
export function decodeSnapshotExtent(
  record: Uint8Array,
  start: number,
  end: number,
  place: RecordPlace,
): SnapshotExtent {
  const reader = new ByteReader(record, start, end);
  const type = reader.takeByte();
  const version = reader.takeByte();
  if (type !== SnapshotRecordType.Extent || version !== EXTENT_VERSION) {
    throw new CorruptionError(`extent of a snapshot has type ${type}, version ${version}`, place);
  }
  const lastSegment = { sizeBytes: reader.takeUvarint(), checksum: reader.takeUint32() };
  const lastRef = reader.takeUvarint();
  const minValidMs = takeTime(reader);
  const blocksEndMs = takeTime(reader);
  const seriesCount = reader.takeUvarint();
  const chunkFileEnds = takePairs(reader);
  const aliases = takePairs(reader);
  const deadRefs: number[] = [];
  for (let left = reader.takeUvarint(); left > 0 && !reader.failed; left--) {
    deadRefs.push(reader.takeUvarint());
  }
  if (reader.failed) throw new CorruptionError('extent of a snapshot is malformed', place);
  return {
    lastSegment,
    lastRef,
    minValidMs,
    blocksEndMs,
    seriesCount,
    chunkFileEnds,
    aliases,
    deadRefs,
  };
}

function putPairs(out: ByteWriter, pairs: ReadonlyMap<number, number>): void {
  out.putUvarint(pairs.size);
  for (const [key, value] of pairs) {
    out.putUvarint(key);
    out.putUvarint(value);
  }
}

function takePairs(reader: ByteReader): Map<number, number> {
  const pairs = new Map<number, number>();
  for (let left = reader.takeUvarint(); left > 0 && !reader.failed; left--) {
    pairs.set(reader.takeUvarint(), reader.takeUvarint());
  }
  return pairs;
}
