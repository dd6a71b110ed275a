/**
 * Float samples in the log, in two forms.
 *
 *   type 2   ┌────────────┬──────────────┐
 *            │ ref u64 BE │ time i64 BE  │            of the first sample
 *            ├────────────┴─┬────────────┴─┬───────┐
 *            │ Δref varint  │ Δtime varint │ f64   │  per sample, differences to the first
 *            └──────────────┴──────────────┴───────┘
 *
 *   type 11  ┌────────────┬─────────────┬──────────────┬───────┐
 *            │ ref varint │ time varint │ start varint │ f64   │             first sample
 *            ├────────────┴─┬───────────┴──┬───────────┴──┬────┴──────────┬───────┐
 *            │ Δref varint  │ Δtime varint │ marker u8    │ Δstart varint │ f64   │  the others
 *            └──────────────┴──────────────┴──────────────┴───────────────┴───────┘
 *            Δref to the sample before, Δtime and Δstart to the first one
 *            marker  0 no start timestamp · 1 that of the sample before · 2 Δstart follows
 *
 * Both begin with the type byte, not drawn. An empty record has nothing after it.
 * Page: docs/format/records.md. Source: Prometheus "WAL Disk Format"; type 11 observed in 3.14's logs.
 */
import {
  ByteReader,
  type ByteWriter,
  CorruptionError,
  type SampleColumns,
  VARINT_SIZE_MAX,
  writeVarint,
} from '../../model/index.ts';
import { RecordType } from './record-type.ts';
import type { SampleBatch } from './sample-batch.ts';

/** Where a record came from; only for messages. */
export type RecordPlace = { readonly file: string; readonly offsetBytes: number };

const StartMarker = { None: 0, Same: 1, Explicit: 2 } as const;
const SAMPLE_SIZE_BYTES_MAX = 2 * VARINT_SIZE_MAX + 8;
const SAMPLE_V2_SIZE_BYTES_MAX = 3 * VARINT_SIZE_MAX + 1 + 8;

/** Appends a record of type 2 with the samples `[first, last)` to `out`. */
export function encodeSamples(
  samples: SampleColumns,
  out: ByteWriter,
  first = 0,
  last = samples.count,
): void {
  out.putByte(RecordType.Samples);
  if (first >= last) return;
  const { refs, timestampsMs } = samples;
  const halves = halvesOf(samples.values);
  const firstRef = refs[first]!;
  const firstMs = timestampsMs[first]!;
  out.putUint64(firstRef);
  out.putInt64(firstMs);
  out.reserve((last - first) * SAMPLE_SIZE_BYTES_MAX);
  const { bytes } = out;
  let at = out.length;
  for (let i = first; i < last; i++) {
    at = writeVarint(bytes, at, refs[i]! - firstRef);
    at = writeVarint(bytes, at, timestampsMs[i]! - firstMs);
    at = writeFloat64(bytes, at, halves[i * 2 + 1]!, halves[i * 2]!);
  }
  out.length = at;
}

/**
 * Appends a record of type 11 with the samples `[first, last)` to `out`.
 * @param startTimestampsMs  parallel to the samples, 0 where unknown
 */
export function encodeSamplesV2(
  samples: SampleColumns,
  startTimestampsMs: Float64Array,
  out: ByteWriter,
  first = 0,
  last = samples.count,
): void {
  out.putByte(RecordType.SamplesV2);
  if (first >= last) return;
  const { refs, timestampsMs } = samples;
  const halves = halvesOf(samples.values);
  const firstMs = timestampsMs[first]!;
  const firstStartMs = startTimestampsMs[first]!;
  out.reserve((last - first) * SAMPLE_V2_SIZE_BYTES_MAX);
  const { bytes } = out;
  let at = writeVarint(bytes, out.length, refs[first]!);
  at = writeVarint(bytes, at, firstMs);
  at = writeVarint(bytes, at, firstStartMs);
  at = writeFloat64(bytes, at, halves[first * 2 + 1]!, halves[first * 2]!);
  for (let i = first + 1; i < last; i++) {
    at = writeVarint(bytes, at, refs[i]! - refs[i - 1]!);
    at = writeVarint(bytes, at, timestampsMs[i]! - firstMs);
    const startMs = startTimestampsMs[i]!;
    at = writeStart(bytes, at, startMs, startTimestampsMs[i - 1]!, firstStartMs);
    at = writeFloat64(bytes, at, halves[i * 2 + 1]!, halves[i * 2]!);
  }
  out.length = at;
}

/**
 * Appends the samples of a record of type 2 or 11 to `out`.
 * @throws CorruptionError
 */
export function decodeSamples(
  record: Uint8Array,
  start: number,
  end: number,
  out: SampleBatch,
  place: RecordPlace,
): void {
  const type = record[start];
  if (start + 1 === end) return;
  reader.reset(record, start + 1, end);
  if (type === RecordType.Samples) decodeV1(out, place);
  else if (type === RecordType.SamplesV2) decodeV2(out, place);
  else throw new CorruptionError(`not a samples record: type ${type}`, place);
}

/** One for the whole thread: decoding never nests. */
const reader = new ByteReader();

function decodeV1(out: SampleBatch, place: RecordPlace): void {
  const firstRef = reader.takeUint64();
  const firstMs = reader.takeInt64();
  // A sample takes at least ten bytes, which bounds their number before they are read.
  out.reserve(out.count + Math.floor(reader.remaining / 10) + 1);
  const { refs, timestampsMs, valueHalves, startTimestampsMs } = out;
  const { bytes, end } = reader;
  let count = out.count;
  let at = reader.position;
  // Replay lives in this loop, so short numbers are read on the spot.
  while (at < end) {
    const sampleStart = at;
    let byte = bytes[at++]!;
    let folded = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[at++]!;
      folded |= (byte & 0x7f) << shift;
    }
    let ref = firstRef + ((folded >>> 1) ^ -(folded & 1));
    let isLong = byte >= 0x80;
    byte = bytes[at++]!;
    folded = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[at++]!;
      folded |= (byte & 0x7f) << shift;
    }
    let timestampMs = firstMs + ((folded >>> 1) ^ -(folded & 1));
    isLong ||= byte >= 0x80;
    if (isLong) {
      reader.position = sampleStart;
      ref = firstRef + reader.takeVarint();
      timestampMs = firstMs + reader.takeVarint();
      at = reader.position;
    }
    if (at + 8 > end) reader.failed = true;
    if (reader.failed) break;
    refs[count] = ref;
    timestampsMs[count] = timestampMs;
    valueHalves[count * 2 + 1] =
      (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    valueHalves[count * 2] =
      (bytes[at + 4]! << 24) | (bytes[at + 5]! << 16) | (bytes[at + 6]! << 8) | bytes[at + 7]!;
    startTimestampsMs[count] = 0;
    at += 8;
    count++;
  }
  if (reader.failed) throw new CorruptionError('samples record is cut off or malformed', place);
  out.count = count;
}

function decodeV2(out: SampleBatch, place: RecordPlace): void {
  out.reserve(out.count + Math.floor(reader.remaining / 11) + 1);
  const { refs, timestampsMs, valueHalves, startTimestampsMs } = out;
  let count = out.count;
  let ref = reader.takeVarint();
  const firstMs = reader.takeVarint();
  const firstStartMs = reader.takeVarint();
  let timestampMs = firstMs;
  let startMs = firstStartMs;
  for (;;) {
    valueHalves[count * 2 + 1] = reader.takeUint32();
    valueHalves[count * 2] = reader.takeUint32();
    if (reader.failed) break;
    refs[count] = ref;
    timestampsMs[count] = timestampMs;
    startTimestampsMs[count] = startMs;
    if (startMs !== 0) out.hasStartTimestamps = true;
    count++;
    if (reader.position >= reader.end) break;
    ref += reader.takeVarint();
    timestampMs = firstMs + reader.takeVarint();
    startMs = takeStart(reader, startMs, firstStartMs);
  }
  if (reader.failed) throw new CorruptionError('samples record is cut off or malformed', place);
  out.count = count;
}

/** @internal The start timestamp of one sample in a record of the second form. */
export function writeStart(
  bytes: Uint8Array,
  offset: number,
  startMs: number,
  previousMs: number,
  firstMs: number,
): number {
  if (startMs === 0) {
    bytes[offset] = StartMarker.None;
    return offset + 1;
  }
  if (startMs === previousMs) {
    bytes[offset] = StartMarker.Same;
    return offset + 1;
  }
  bytes[offset] = StartMarker.Explicit;
  return writeVarint(bytes, offset + 1, startMs - firstMs);
}

/** @internal */
export function takeStart(from: ByteReader, previousMs: number, firstMs: number): number {
  const marker = from.takeByte();
  if (marker === StartMarker.None) return 0;
  if (marker === StartMarker.Same) return previousMs;
  if (marker !== StartMarker.Explicit) from.failed = true;
  return firstMs + from.takeVarint();
}

function halvesOf(values: Float64Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

function writeFloat64(bytes: Uint8Array, at: number, high: number, low: number): number {
  bytes[at] = high >>> 24;
  bytes[at + 1] = high >>> 16;
  bytes[at + 2] = high >>> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = low >>> 24;
  bytes[at + 5] = low >>> 16;
  bytes[at + 6] = low >>> 8;
  bytes[at + 7] = low;
  return at + 8;
}
