/** Remote-write 1.0 requests for load: whole targets of `tsdb-data.ts`, several samples a series. */
import { ByteWriter, snappyCompress, snappySizeMax } from '../model/index.ts';
import { labelsOf, nextValue, SERIES_PER_TARGET } from './tsdb-data.ts';

export type Load = {
  readonly seriesCount: number;
  readonly sampleCountPerSeries: number;
  readonly firstMs: number;
  readonly stepMs: number;
  /** Samples of a series in one request. */
  readonly sampleCountPerRequest: number;
};

/** Sends all of it, one request after the other, oldest samples first. */
export async function sendLoad(url: string, load: Load): Promise<void> {
  const { seriesCount, sampleCountPerSeries, sampleCountPerRequest } = load;
  const values = new Float64Array(seriesCount);
  for (let from = 0; from < sampleCountPerSeries; from += sampleCountPerRequest) {
    const to = Math.min(from + sampleCountPerRequest, sampleCountPerSeries);
    for (let first = 0; first < seriesCount; first += SERIES_PER_TARGET) {
      const body = encodeRequest(load, values, first, from, to);
      const response = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-protobuf',
          'content-encoding': 'snappy',
          'x-prometheus-remote-write-version': '0.1.0',
        },
        body: new Uint8Array(body),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${url}: ${response.status} ${text}`);
    }
  }
}

const request = new ByteWriter(1 << 20);
const series = new ByteWriter(4096);
const part = new ByteWriter(512);
const doubleBytes = new Uint8Array(8);
const doubleView = new DataView(doubleBytes.buffer);

/** WriteRequest{1: TimeSeries{1: Label{1 name, 2 value}, 2: Sample{1 value, 2 timestamp}}} */
function encodeRequest(
  { seriesCount, firstMs, stepMs }: Load,
  values: Float64Array,
  first: number,
  from: number,
  to: number,
): Uint8Array {
  request.clear();
  const end = Math.min(first + SERIES_PER_TARGET, seriesCount);
  for (let at = first; at < end; at++) {
    series.clear();
    for (const [name, value] of labelsOf(first / SERIES_PER_TARGET, at - first)) {
      part.clear();
      part.putByte(0x0a);
      part.putUvarintText(name);
      part.putByte(0x12);
      part.putUvarintText(value);
      putMessage(series, 0x0a, part);
    }
    for (let n = from; n < to; n++) {
      values[at] = nextValue(at, values[at]!);
      part.clear();
      part.putByte(0x09);
      doubleView.setFloat64(0, values[at]!, true);
      part.putBytes(doubleBytes);
      part.putByte(0x10);
      part.putUvarint(firstMs + n * stepMs);
      putMessage(series, 0x12, part);
    }
    putMessage(request, 0x0a, series);
  }
  const out = new Uint8Array(snappySizeMax(request.length));
  return out.subarray(0, snappyCompress(request.bytes, 0, request.length, out, 0));
}

function putMessage(into: ByteWriter, tag: number, message: ByteWriter): void {
  into.putByte(tag);
  into.putUvarint(message.length);
  into.putBytes(message.bytes.subarray(0, message.length));
}
