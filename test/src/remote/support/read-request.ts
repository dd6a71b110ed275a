/** What a request of the sender says, read by the receiver's own readers. */
import { Fingerprint } from '../../../../src/remote/fingerprint.ts';
import { WriteColumns } from '../../../../src/remote/write-columns.ts';
import { WriteMessageV1 } from '../../../../src/remote/write-message-v1.ts';
import { WriteMessageV2 } from '../../../../src/remote/write-message-v2.ts';
import { Labels } from '../../../../model/index.ts';

export type ReadRequest = {
  /** Labels as text, time, value; bits of the value tell NaNs apart. */
  readonly samples: readonly [labels: string, timestampMs: number, value: number, bits: string][];
  readonly histograms: readonly [labels: string, timestampMs: number, histogram: unknown][];
  readonly exemplars: readonly [labels: string, exemplar: unknown][];
  readonly metadata: readonly [labels: string, metadata: unknown][];
};

export function readRequest(version: 1 | 2, body: Uint8Array): ReadRequest {
  const message = version === 1 ? new WriteMessageV1() : new WriteMessageV2(true);
  const columns = new WriteColumns();
  message.read(body, columns);
  const labels: string[] = [];
  for (let series = 0; series < columns.seriesCount; series++) {
    message.fingerprint(series, new Fingerprint());
    const flat = message.labels(series);
    const pairs: [string, string][] = [];
    for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i]!, flat[i + 1]!]);
    labels.push(Labels.fromPairs(pairs).toString());
  }
  const samples: [string, number, number, string][] = [];
  for (let i = 0; i < columns.count; i++) {
    const low = columns.valueHalves[i * 2]!.toString(16).padStart(8, '0');
    const bits = columns.valueHalves[i * 2 + 1]!.toString(16).padStart(8, '0') + low;
    const row = labels[columns.seriesOf[i]!]!;
    samples.push([row, columns.timestampsMs[i]!, columns.values[i]!, bits]);
  }
  return {
    samples,
    histograms: columns.histograms.map(({ series, timestampMs, histogram }) => [
      labels[series]!,
      timestampMs,
      histogram,
    ]),
    exemplars: columns.exemplars.map(({ series, labels: flat, value, timestampMs }) => [
      labels[series]!,
      { labels: [...flat], value, timestampMs },
    ]),
    metadata: columns.metadata.map(({ series, metadata }) => [labels[series]!, metadata]),
  };
}
