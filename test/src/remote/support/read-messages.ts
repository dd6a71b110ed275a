/**
 * Remote-read requests as tests describe them, and answers taken apart again.
 * Source: Prometheus remote read protocol (prometheus.ReadRequest, ReadResponse, ChunkedReadResponse).
 */
import {
  crc32c,
  ProtobufReader,
  ProtobufWriter,
  snappyDecompress,
  snappyPlainSize,
} from '../../../../model/index.ts';
import { packed } from './messages.ts';

export type SentMatcher = readonly [type: '=' | '!=' | '=~' | '!~', name: string, value: string];
export type SentQuery = {
  readonly startMs: number;
  readonly endMs: number;
  readonly matchers: readonly SentMatcher[];
};
const MATCHER_TYPES = ['=', '!=', '=~', '!~'];

/** @param types  accepted response types in order: 0 samples, 1 streamed chunks */
export function encodeReadRequest(
  queries: readonly SentQuery[],
  types: readonly number[] = [],
): Uint8Array {
  const out = new ProtobufWriter();
  for (const { startMs, endMs, matchers } of queries) {
    out.message(1, () => {
      out.int64(1, startMs);
      out.int64(2, endMs);
      for (const [type, name, value] of matchers) {
        out.message(3, () => {
          out.uint64(1, MATCHER_TYPES.indexOf(type));
          out.text(2, name);
          out.text(3, value);
        });
      }
    });
  }
  for (const type of types) out.uint64(2, type);
  return packed(out.view());
}

export type ReceivedSeries = {
  readonly labels: Record<string, string>;
  readonly samples: (readonly [timestampMs: number, value: number])[];
  readonly histogramCount: number;
};

/** Of a sampled answer, per query. */
export function decodeReadResponse(body: Uint8Array): ReceivedSeries[][] {
  const plain = new Uint8Array(snappyPlainSize(body));
  snappyDecompress(body, 0, body.length, plain);
  const reader = new ProtobufReader();
  reader.reset(plain);
  const results: ReceivedSeries[][] = [];
  nested(reader, (result) => {
    const series: ReceivedSeries[] = [];
    nested(result, (one) => series.push(readSeries(one)));
    results.push(series);
  });
  return results;
}

function readSeries(reader: ProtobufReader): ReceivedSeries {
  const labels: Record<string, string> = {};
  const samples: (readonly [number, number])[] = [];
  let histogramCount = 0;
  nested(reader, (message, field) => {
    if (field === 1) {
      const texts = ['', '', ''];
      while (message.next()) texts[message.field] = message.takeText();
      labels[texts[1]!] = texts[2]!;
    } else if (field === 2) {
      let value = 0;
      let timestampMs = 0;
      while (message.next()) {
        if (message.field === 1) value = message.takeDouble();
        else timestampMs = message.takeInt64();
      }
      samples.push([timestampMs, value]);
    } else {
      histogramCount++;
      while (message.next()) message.skip();
    }
  });
  return { labels, samples, histogramCount };
}

export type ReceivedChunk = {
  readonly minMs: number;
  readonly maxMs: number;
  readonly type: number;
  readonly data: Uint8Array;
};
export type ReceivedChunks = {
  readonly query: number;
  readonly frameSizeBytes: number;
  readonly labels: Record<string, string>;
  readonly chunks: ReceivedChunk[];
};

/** Of a streamed answer: what each frame says of each series in it. */
export function decodeFrames(body: Uint8Array): ReceivedChunks[] {
  const found: ReceivedChunks[] = [];
  for (let at = 0; at < body.length; ) {
    let size = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = body[at++]!;
      size += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    const sum = new DataView(body.buffer, body.byteOffset).getUint32(at);
    at += 4;
    const data = body.slice(at, at + size);
    at += size;
    if (crc32c(data, 0, data.length) !== sum) throw new Error('checksum of a frame');
    found.push(...readFrame(data));
  }
  return found;
}

function readFrame(data: Uint8Array): ReceivedChunks[] {
  const reader = new ProtobufReader();
  reader.reset(data);
  const series: Omit<ReceivedChunks, 'query'>[] = [];
  let query = 0;
  while (reader.next()) {
    if (reader.field === 2) {
      query = reader.takeInt64();
      continue;
    }
    const labels: Record<string, string> = {};
    const chunks: ReceivedChunk[] = [];
    enter(reader, () => {
      nested(reader, (message, field) => {
        if (field === 1) {
          const texts = ['', '', ''];
          while (message.next()) texts[message.field] = message.takeText();
          labels[texts[1]!] = texts[2]!;
        } else {
          chunks.push(readChunk(message));
        }
      });
    });
    series.push({ labels, chunks, frameSizeBytes: data.length });
  }
  return series.map((one) => ({ ...one, query }));
}

function readChunk(reader: ProtobufReader): ReceivedChunk {
  const numbers = [0, 0, 0, 0];
  let bytes = new Uint8Array(0);
  while (reader.next()) {
    if (reader.field === 4) bytes = reader.takeBytes().slice();
    else numbers[reader.field] = reader.takeInt64();
  }
  return { minMs: numbers[1]!, maxMs: numbers[2]!, type: numbers[3]!, data: bytes };
}

/** Calls `visit` inside every nested message. */
function nested(
  reader: ProtobufReader,
  visit: (reader: ProtobufReader, field: number) => void,
): void {
  while (reader.next()) {
    const { field } = reader;
    enter(reader, () => visit(reader, field));
  }
}

function enter(reader: ProtobufReader, visit: () => void): void {
  const { end } = reader;
  reader.end = reader.takeLength();
  visit();
  reader.end = end;
}
