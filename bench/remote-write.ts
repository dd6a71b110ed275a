/** Remote-write 1.0 requests for load: whole targets of `tsdb-data.ts`, several samples a series. */
import { ProtobufWriter, snappyCompress, snappySizeMax } from '../model/index.ts';
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

const request = new ProtobufWriter();

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
    request.message(1, () => {
      for (const [name, value] of labelsOf(first / SERIES_PER_TARGET, at - first)) {
        request.message(1, () => {
          request.text(1, name);
          request.text(2, value);
        });
      }
      for (let n = from; n < to; n++) {
        const sample = (values[at] = nextValue(at, values[at]!));
        request.message(2, () => {
          request.double(1, sample);
          request.uint64(2, firstMs + n * stepMs);
        });
      }
    });
  }
  const bytes = request.view();
  const out = new Uint8Array(snappySizeMax(bytes.length));
  return out.subarray(0, snappyCompress(bytes, 0, bytes.length, out, 0));
}
