/** The answer to a remote read as series that a query can read (messages: read-message.ts). */
import {
  compareLabels,
  crc32c,
  type FloatHistogram,
  Labels,
  ProtobufReader,
  SampleBuffer,
  type SelectedSeries,
  snappyDecompress,
  snappyPlainSize,
  toFloatHistogram,
  ValueError,
} from '../../../model/index.ts';
import { decodeChunk, isEncoding } from '../../../tsdb/index.ts';
import { readHistogram } from '../histogram-message.ts';

type Row = { readonly labels: Labels; readonly samples: SampleBuffer };

const PLACE = { file: 'remote read', offsetBytes: 0 };
const CRC_SIZE_BYTES = 4;

/**
 * @param labelsToDrop  labels that only say where the series are from
 * @throws ValueError, CorruptionError  the answer is malformed
 */
export function remoteSeries(
  body: Uint8Array,
  isStreamed: boolean,
  labelsToDrop: readonly string[],
): SelectedSeries {
  const dropped = new Set(labelsToDrop);
  const rows = (isStreamed ? readFrames(body) : readSampled(body)).map(({ labels, samples }) => ({
    labels: dropped.size === 0 ? labels : labels.drop(dropped),
    samples,
  }));
  rows.sort((a, b) => compareLabels(a.labels, b.labels));
  return new RemoteRows(rows);
}

class RemoteRows implements SelectedSeries {
  readonly labels: readonly Labels[];
  readonly warnings: readonly string[] = [];
  readonly #rows: readonly Row[];

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
    this.labels = rows.map(({ labels }) => labels);
  }

  read(row: number, minMs: number, maxMs: number, out: SampleBuffer): void {
    const { samples } = this.#rows[row]!;
    out.clear();
    let first = 0;
    while (first < samples.count && samples.timestampsMs[first]! < minMs) first++;
    let last = first;
    while (last < samples.count && samples.timestampsMs[last]! <= maxMs) last++;
    const count = last - first;
    out.reserve(count);
    out.timestampsMs.set(samples.timestampsMs.subarray(first, last));
    out.valueHalves.set(samples.valueHalves.subarray(first * 2, last * 2));
    if (samples.histograms !== null) out.histograms = samples.histograms.slice(first, last);
    out.count = count;
  }
}

/** One message with all samples. */
function readSampled(body: Uint8Array): Row[] {
  const plain = new Uint8Array(plainSize(body));
  snappyDecompress(body, 0, body.length, plain);
  const reader = new ProtobufReader();
  reader.reset(plain);
  const rows: Row[] = [];
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    // The result of the only query.
    within(reader, () => {
      while (reader.next()) {
        if (reader.field === 1) within(reader, () => rows.push(readSeries(reader)));
        else reader.skip();
      }
    });
  }
  if (reader.failed) throw new ValueError('remote read: unexpected EOF');
  return rows;
}

function plainSize(body: Uint8Array): number {
  try {
    return snappyPlainSize(body);
  } catch (error) {
    throw new ValueError('remote read: snappy: corrupt input', { cause: error });
  }
}

function readSeries(reader: ProtobufReader): Row {
  const pairs: [string, string][] = [];
  const samples = new SampleBuffer();
  while (reader.next()) {
    if (reader.field === 1) within(reader, () => pairs.push(readLabel(reader)));
    else if (reader.field === 2) within(reader, () => readSample(reader, samples));
    else if (reader.field === 4) {
      within(reader, () => {
        const { timestampMs, histogram } = readHistogram(reader);
        putHistogram(samples, timestampMs, toFloatHistogram(histogram));
      });
    } else reader.skip();
  }
  // Floats and histograms lie apart in the message.
  if (samples.histograms !== null) sortByTime(samples);
  return { labels: Labels.fromPairs(pairs), samples };
}

function readSample(reader: ProtobufReader, out: SampleBuffer): void {
  out.reserve(out.count + 1);
  const i = out.count++;
  out.valueHalves[i * 2] = 0;
  out.valueHalves[i * 2 + 1] = 0;
  out.timestampsMs[i] = 0;
  if (out.histograms !== null) out.histograms[i] = null;
  while (reader.next()) {
    if (reader.field === 1) {
      const { bytes, position } = reader;
      reader.takeDouble();
      if (reader.failed) return;
      // In halves, so that a staleness marker stays one.
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      out.valueHalves[i * 2] = view.getUint32(position, true);
      out.valueHalves[i * 2 + 1] = view.getUint32(position + 4, true);
    } else if (reader.field === 2) {
      out.timestampsMs[i] = reader.takeInt64();
    } else {
      reader.skip();
    }
  }
}

function putHistogram(out: SampleBuffer, timestampMs: number, histogram: FloatHistogram): void {
  out.reserve(out.count + 1);
  out.histograms ??= Array.from({ length: out.count }, () => null);
  out.timestampsMs[out.count] = timestampMs;
  out.histograms[out.count++] = histogram;
}

function sortByTime(samples: SampleBuffer): void {
  const { count, timestampsMs, valueHalves, histograms } = samples;
  const order = Array.from({ length: count }, (_, i) => i);
  order.sort((a, b) => timestampsMs[a]! - timestampsMs[b]!);
  const times = timestampsMs.slice(0, count);
  const halves = valueHalves.slice(0, count * 2);
  const before = [...histograms!];
  order.forEach((from, to) => {
    timestampsMs[to] = times[from]!;
    valueHalves[to * 2] = halves[from * 2]!;
    valueHalves[to * 2 + 1] = halves[from * 2 + 1]!;
    histograms![to] = before[from] ?? null;
  });
}

/** Frames with some chunks of one series each; those of a series follow one another. */
function readFrames(body: Uint8Array): Row[] {
  const rows: Row[] = [];
  const reader = new ProtobufReader();
  for (let at = 0; at < body.length; ) {
    let size = 0;
    let shift = 1;
    for (let more = true; more; shift *= 128) {
      const byte = body[at++] ?? 0;
      size += (byte & 0x7f) * shift;
      more = byte >= 0x80;
    }
    const start = at + CRC_SIZE_BYTES;
    const end = start + size;
    if (end > body.length) throw new ValueError('remote read: unexpected EOF');
    const checksum = new DataView(body.buffer, body.byteOffset + at).getUint32(0);
    if (crc32c(body, start, end) !== checksum) {
      throw new ValueError('remote read: chunkedReader: corrupted frame; checksum mismatch');
    }
    reader.reset(body, start, end);
    while (reader.next()) {
      if (reader.field === 1) within(reader, () => readChunkedSeries(reader, rows));
      else reader.skip();
    }
    if (reader.failed) throw new ValueError('remote read: unexpected EOF');
    at = end;
  }
  return rows;
}

function readChunkedSeries(reader: ProtobufReader, rows: Row[]): void {
  const pairs: [string, string][] = [];
  const chunks: { encoding: number; bytes: Uint8Array }[] = [];
  while (reader.next()) {
    if (reader.field === 1) within(reader, () => pairs.push(readLabel(reader)));
    else if (reader.field === 2) within(reader, () => chunks.push(readChunk(reader)));
    else reader.skip();
  }
  const labels = Labels.fromPairs(pairs);
  const last = rows.at(-1);
  let row = last;
  if (row === undefined || !row.labels.equals(labels)) {
    row = { labels, samples: new SampleBuffer() };
    rows.push(row);
  }
  for (const { encoding, bytes } of chunks) {
    if (!isEncoding(encoding)) {
      throw new ValueError(`remote read: unknown chunk encoding ${encoding}`);
    }
    // Chunks may overlap where they come from several blocks; what was there before counts.
    const { samples } = row;
    const afterMs = samples.count === 0 ? -Infinity : samples.timestampsMs[samples.count - 1]! + 1;
    decodeChunk(encoding, bytes, 0, bytes.length, afterMs, Infinity, samples, PLACE);
  }
}

function readChunk(reader: ProtobufReader): { encoding: number; bytes: Uint8Array } {
  let encoding = 0;
  let bytes: Uint8Array = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 3) encoding = reader.takeUint64();
    else if (reader.field === 4) bytes = reader.takeBytes();
    else reader.skip();
  }
  return { encoding, bytes };
}

function readLabel(reader: ProtobufReader): [string, string] {
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) name = reader.takeText();
    else if (reader.field === 2) value = reader.takeText();
    else reader.skip();
  }
  return [name, value];
}

/** Reads a nested message: the field that `reader` stands at. */
function within(reader: ProtobufReader, read: () => void): void {
  const { end } = reader;
  reader.end = reader.takeLength();
  read();
  reader.end = end;
}
