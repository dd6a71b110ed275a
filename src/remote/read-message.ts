/**
 * Remote read on the wire.
 *
 *   ReadRequest           1 query …             2 accepted response type …
 *   Query                 1 start (ms)          2 end (ms)            3 matcher …     4 hints
 *   LabelMatcher          1 type                2 name                3 value
 *
 *   ReadResponse          1 result per query, each: 1 series …       (type 0, one snappy block)
 *   TimeSeries            1 label …             2 sample …            4 histogram …
 *
 *   ChunkedReadResponse   1 series …            2 number of the query (type 1, in frames)
 *   ChunkedSeries         1 label …             2 chunk …
 *   Chunk                 1 min time            2 max time            3 encoding      4 bytes
 *   frame                 size of the message (uvarint), its CRC-32C (4 bytes BE), the message
 *
 * Source: Prometheus documentation, remote read API; answers of 3.14.
 */
import {
  type ByteWriter,
  crc32c,
  type Labels,
  MATCH_OPERATORS,
  type MatchOperator,
  ProtobufReader,
  type ProtobufWriter,
  type SampleBuffer,
  ValueError,
  WireType,
  toIntegerHistogram,
} from '../../model/index.ts';
import { writeHistogram } from './histogram-message.ts';

/** Response types. */
export const SAMPLES = 0;
export const STREAMED_CHUNKS = 1;

export type ReadMatcher = {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
};
export type ReadQuery = {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly ReadMatcher[];
};
export type ReadRequest = {
  readonly queries: readonly ReadQuery[];
  /** Empty: samples. */
  readonly types: readonly number[];
};

/** @throws ValueError */
export function decodeReadRequest(bytes: Uint8Array): ReadRequest {
  const reader = new ProtobufReader();
  reader.reset(bytes);
  const queries: ReadQuery[] = [];
  const types: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) {
      const { end } = reader;
      reader.end = reader.takeLength();
      queries.push(readQuery(reader));
      reader.end = end;
    } else if (reader.field === 2 && reader.wireType === WireType.Length) {
      const end = reader.takeLength();
      while (reader.hasMore(end)) types.push(reader.packedUint64());
    } else if (reader.field === 2) {
      types.push(reader.takeUint64());
    } else {
      reader.skip();
    }
  }
  if (reader.failed) throw new ValueError('unexpected EOF');
  return { queries, types };
}

function readQuery(reader: ProtobufReader): ReadQuery {
  let startMs = 0;
  let endMs = 0;
  const matchers: ReadMatcher[] = [];
  while (reader.next()) {
    if (reader.field === 1) {
      startMs = reader.takeInt64();
    } else if (reader.field === 2) {
      endMs = reader.takeInt64();
    } else if (reader.field === 3) {
      const { end } = reader;
      reader.end = reader.takeLength();
      matchers.push(readMatcher(reader));
      reader.end = end;
    } else {
      reader.skip();
    }
  }
  return { startMs, endMs, matchers };
}

function readMatcher(reader: ProtobufReader): ReadMatcher {
  let type = 0;
  let name = '';
  let value = '';
  while (reader.next()) {
    if (reader.field === 1) type = reader.takeUint64();
    else if (reader.field === 2) name = reader.takeText();
    else if (reader.field === 3) value = reader.takeText();
    else reader.skip();
  }
  const operator = MATCH_OPERATORS[type];
  if (operator === undefined) throw new ValueError('invalid matcher type');
  return { name, operator, value };
}

export type EncodedChunk = {
  readonly minMs: number;
  readonly maxMs: number;
  /** As in blocks: 1 floats, 2 histograms, 3 float histograms. */
  readonly encoding: number;
  readonly bytes: Uint8Array;
};

function writeLabels(out: ProtobufWriter, labels: Labels): void {
  for (const [name, value] of labels) {
    out.message(1, () => {
      out.text(1, name);
      out.text(2, value);
    });
  }
}

const SAMPLE_TAG = 0x12;
const VALUE_TAG = 0x09;

/** A series of a ReadResponse, as field 1. */
export function writeSampledSeries(
  out: ProtobufWriter,
  labels: Labels,
  samples: SampleBuffer,
): void {
  out.message(1, () => {
    writeLabels(out, labels);
    for (let i = 0; i < samples.count; i++) {
      const histogram = samples.histograms?.[i] ?? null;
      const timestampMs = samples.timestampsMs[i]!;
      if (histogram === null) {
        const low = samples.valueHalves[i * 2]!;
        writeFloat(out, timestampMs, low, samples.valueHalves[i * 2 + 1]!);
      } else {
        out.message(4, () => writeHistogram(out, timestampMs, toIntegerHistogram(histogram)));
      }
    }
  });
}

/** A message of less than 128 bytes, so its length is one byte. */
function writeFloat(writer: ProtobufWriter, timestampMs: number, low: number, high: number): void {
  const { out } = writer;
  out.reserve(12);
  let { bytes, length: at } = out;
  bytes[at++] = SAMPLE_TAG;
  const sizeAt = at++;
  bytes[at++] = VALUE_TAG;
  // In halves, so that a staleness marker stays one.
  for (let shift = 0; shift < 32; shift += 8) bytes[at++] = low >>> shift;
  for (let shift = 0; shift < 32; shift += 8) bytes[at++] = high >>> shift;
  out.length = at;
  writer.int64(2, timestampMs);
  ({ bytes } = out);
  bytes[sizeAt] = out.length - sizeAt - 1;
}

/** One frame: some chunks of one series. `message` is written over. */
export function writeFrame(
  out: ByteWriter,
  message: ProtobufWriter,
  labels: Labels,
  chunks: readonly EncodedChunk[],
  query: number,
): void {
  message.clear();
  message.message(1, () => {
    writeLabels(message, labels);
    for (const { minMs, maxMs, encoding, bytes } of chunks) {
      message.message(2, () => {
        message.int64(1, minMs);
        message.int64(2, maxMs);
        message.uint64(3, encoding);
        message.bytes(4, bytes);
      });
    }
  });
  if (query > 0) message.int64(2, query);
  const bytes = message.view();
  out.putUvarint(bytes.length);
  out.putUint32(crc32c(bytes));
  out.putBytes(bytes);
}

/** Bytes that the labels take in a frame, for deciding how many chunks fit. */
export function labelsSizeBytes(labels: Labels, scratch: ProtobufWriter): number {
  scratch.clear();
  writeLabels(scratch, labels);
  return scratch.out.length;
}
