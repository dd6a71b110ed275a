/** Answers of real programs: the same series, exemplars and metadata as Prometheus 3.14 stores. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  formatFloat,
  type FloatHistogram,
  type Histogram,
  Labels,
  listBuckets,
  newBucketList,
  toFloatHistogram,
} from '../../../model/index.ts';
import { conformancePath } from '../../support/conformance.ts';
import { type Feed, FedTarget } from '../support/scrape-once.ts';

type ApiHistogram = { count: string; sum: string; buckets?: [number, string, string, string][] };
type Expected = {
  samples_scraped: number;
  series: [Record<string, string>, string | ApiHistogram, number?][];
  exemplars: [Record<string, string>, [Record<string, string>, string, number][]][];
  metadata: Record<string, { type: string; help: string; unit: string }>;
};

const folder = conformancePath('real-bodies');

describe.skipIf(folder === null)('real bodies', () => {
  const bodies =
    folder === null
      ? []
      : (
          JSON.parse(readFileSync(path.join(folder, 'manifest.json'), 'utf8')) as {
            bodies: { file: string; content_type: string; expected: string }[];
          }
        ).bodies;

  test.each(bodies)('$file', ({ file, content_type: contentType, expected: answer }) => {
    const expected = JSON.parse(readFileSync(path.join(folder!, answer), 'utf8')) as Expected;
    const target = new FedTarget({ scrapeNativeHistograms: true });
    // The day of the capture: some of the bodies carry its times.
    target.timestampMs = Date.UTC(2026, 10, 21, 3);
    const body = readFileSync(path.join(folder!, file));
    expect(target.scrape(body, feedOf(contentType))).toBe('');
    expect(target.tally!.samplesScraped).toBe(expected.samples_scraped);

    const ownTimes = expected.series.some((entry) => entry.length === 3);
    const stored = target.storage.all().map(({ labels, samples }) => {
      const { value, timestampMs } = samples.at(-1)!;
      const shown = typeof value === 'object' ? apiHistogram(value) : formatFloat(value as number);
      const row = [labels.toString(), shown];
      return ownTimes ? row.concat(String(timestampMs / 1000)) : row;
    });
    const wanted = expected.series.map(([labels, value, time]) => {
      const row = [Labels.fromObject(labels).toString(), value];
      return ownTimes ? row.concat(String(time)) : row;
    });
    expect(byFirst(stored)).toEqual(byFirst(wanted));

    const exemplars = target.storage.all().flatMap(({ labels, exemplars: all }) => {
      const last = all.at(-1);
      if (last === undefined) return [];
      const time = (last.timestampMs ?? target.timestampMs) / 1000;
      return [[labels.toString(), last.labels.toString(), formatFloat(last.value), time]];
    });
    const wantedExemplars = expected.exemplars.map(([labels, [last]]) => [
      Labels.fromObject(labels).toString(),
      Labels.fromObject(last![0]).toString(),
      last![1],
      last![2],
    ]);
    // Prometheus 3.14 loses bucket exemplars of the second and later native histograms of a family;
    // here they are kept, so there may be more than expected.
    expect(exemplars).toEqual(expect.arrayContaining(wantedExemplars));
    if (feedOf(contentType) !== 'protobuf') {
      expect(exemplars.length).toBe(wantedExemplars.length);
    }

    expect(Object.fromEntries(target.metadata())).toEqual(expected.metadata);
  });
});

function feedOf(contentType: string): Feed {
  if (contentType.startsWith('application/vnd.google.protobuf')) return 'protobuf';
  return contentType.startsWith('application/openmetrics-text') ? 'openmetrics' : 'text';
}

function byFirst<T extends readonly unknown[]>(rows: T[]): T[] {
  return rows.sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}

/** A native histogram in the form of the query API. */
function apiHistogram(histogram: Histogram | FloatHistogram): ApiHistogram {
  const float = toFloatHistogram(histogram);
  const list = newBucketList();
  listBuckets(float, list);
  const buckets: [number, string, string, string][] = [];
  for (let i = 0; i < list.counts.length; i++) {
    const [lower, upper, count] = [list.lowers[i]!, list.uppers[i]!, list.counts[i]!];
    if (count === 0) continue;
    const boundaries = lower < 0 && upper > 0 ? 3 : upper <= 0 ? 1 : 0;
    buckets.push([boundaries, formatFloat(lower), formatFloat(upper), formatFloat(count)]);
  }
  const answer = { count: formatFloat(float.count), sum: formatFloat(float.sum) };
  return buckets.length > 0 ? { ...answer, buckets } : answer;
}
