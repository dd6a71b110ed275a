/**
 * Samples in every order, of every kind and more than once, sent one by one to a real server and to
 * ours: both take and refuse the same ones, say the same and count the same.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { floatHistogram, Labels } from '../../../model/index.ts';
import { exactPrometheus } from '../../support/installed.ts';
import { encodeWriteRequest, type WrittenSeries } from '../../support/remote-write.ts';
import { type RunningServer, startServer } from '../support/tools.ts';

const NARTHEX = path.resolve(import.meta.dirname, '../../../bin/narthex');
const MINUTE_MS = 60_000;
const SAMPLE_COUNT = 400;
/**
 * A histogram that repeats the newest one is counted as out of order by Prometheus when it is
 * committed, although it was taken; so histograms are never repeated here.
 */
const COUNTERS = [
  'head_samples_appended_total',
  'head_out_of_order_samples_appended_total',
  'out_of_order_samples_total',
  'out_of_bound_samples_total',
  'too_old_samples_total',
  'sample_ooo_delta_count',
  'sample_ooo_delta_sum',
];

const prometheus = exactPrometheus();
let folder = '';
const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.kill()));
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

const anySample = fc.record({
  series: fc.nat(2),
  isHistogram: fc.boolean(),
  /** Of another kind than its series mostly has. */
  isOdd: fc.nat(9).map((n) => n === 0),
  /** Time goes on by so many minutes before. */
  goesOn: fc.constantFrom(0, 0, 0, 1, 2),
  minutesLate: fc.oneof(fc.constantFrom(0, 0, -1), fc.nat(10), fc.nat(200)),
  value: fc.nat(1),
});

function* requests(requestCount: number): Generator<WrittenSeries> {
  // All in the past, because what is far ahead is refused for that.
  const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
  let timeMs = nowMs - 170 * MINUTE_MS;
  let serial = 0;
  for (const sample of fc.sample(anySample, requestCount)) {
    const { series, isHistogram, isOdd, goesOn, minutesLate, value } = sample;
    timeMs = Math.min(nowMs - MINUTE_MS, timeMs + goesOn * MINUTE_MS);
    const timestampMs = timeMs - minutesLate * MINUTE_MS;
    const name = isHistogram ? 'histogram' : 'float';
    const labels = Labels.fromObject({ __name__: name, series: `${series}` });
    const count = ++serial;
    yield isHistogram === isOdd
      ? { labels, samples: [{ timestampMs, value, stale: false }], histograms: [] }
      : {
          labels,
          samples: [],
          histograms: [{ timestampMs, histogram: floatHistogram({ count, zeroCount: count }) }],
        };
  }
}

async function post(url: string, series: WrittenSeries): Promise<string> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    body: encodeWriteRequest([series]) as Uint8Array<ArrayBuffer>,
    headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' },
  });
  const text = (await response.text()).trim();
  // Ours names the series besides.
  return `${response.status} ${text.replace(/ for series .*/, '')}`;
}

/** Counters by name and label; where Prometheus has none because it would be 0, we may have one. */
async function countersOf(url: string): Promise<Record<string, string>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^prometheus_tsdb_(\S+) (\S+)$/.exec(line) ?? [];
    const isWanted = COUNTERS.some((one) => name === one || name.startsWith(`${one}{`));
    if (isWanted && value !== '0') found[name] = value;
  }
  return found;
}

/** The times that each series has samples at. */
async function timesOf(url: string): Promise<Record<string, string>> {
  const query = new URLSearchParams({
    query: '{__name__=~"float|histogram"}[1d]',
    time: String(Date.now() / 1000 + 600),
  });
  const answer = (await (await fetch(`${url}/api/v1/query?${query}`)).json()) as {
    data: {
      result: {
        metric: { __name__: string; series: string };
        values?: [number, unknown][];
        histograms?: [number, unknown][];
      }[];
    };
  };
  const times: Record<string, string> = {};
  for (const { metric, values = [], histograms = [] } of answer.data.result) {
    const all = [...values, ...histograms].map(([seconds]) => seconds).sort((a, b) => a - b);
    times[`${metric.__name__} ${metric.series}`] = all.join(' ');
  }
  return times;
}

test.skipIf(prometheus === null).each([0, 30])(
  'with a window of %i minutes both take and refuse the same',
  { timeout: 120_000 },
  async (windowMinutes) => {
    folder = mkdtempSync(path.join(tmpdir(), 'narthex-errors-'));
    for (const [i, binary] of [prometheus!, NARTHEX].entries()) {
      const directory = path.join(folder, String(i));
      mkdirSync(directory);
      writeFileSync(
        path.join(directory, 'prometheus.yml'),
        `storage: {tsdb: {out_of_order_time_window: ${windowMinutes}m}}\n`,
      );
      running.push(await startServer(binary, directory, '--web.enable-remote-write-receiver'));
    }
    const [theirs, ours] = running.map(({ url }) => url) as [string, string];
    const answers = new Map<string, number>();
    for (const series of requests(SAMPLE_COUNT)) {
      const wanted = await post(theirs, series);
      expect(await post(ours, series), JSON.stringify(series)).toBe(wanted);
      const kind = wanted.replace(/\d{6,}.*/, '');
      answers.set(kind, (answers.get(kind) ?? 0) + 1);
    }
    expect(await countersOf(ours)).toEqual(await countersOf(theirs));
    expect(await timesOf(ours)).toEqual(await timesOf(theirs));
    console.info([...answers].map(([kind, count]) => `${count} × ${kind}`).join(', '));
    expect(answers.size).toBeGreaterThan(windowMinutes === 0 ? 3 : 2);
  },
);
