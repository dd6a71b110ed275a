/**
 * Directories that we wrote, opened by real servers: as a killed process leaves them, log, head
 * chunks, out-of-order log, blocks and deletions. Every sample is asked for. Then the server ends,
 * which writes to the directory, and we open it again.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  formatFloat,
  type Histogram,
  isStaleAt,
  Labels,
  Matcher,
  SampleBuffer,
  SimulatedClock,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { PROMETHEUS, PROMTOOLS, promtool, startServer } from '../support/tools.ts';

const HOUR_MS = 3_600_000;
const STEP_MS = 30_000;
const START_MS = 1_761_955_200_000;
const END_MS = START_MS + 9.5 * HOUR_MS;
const SERIES_COUNT = 30;

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0))
    rmSync(directory, { recursive: true, force: true });
});

function newDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'narthex-oracle-'));
  directories.push(directory);
  return directory;
}

function open(directory: string): Db {
  return openDb({
    directory,
    clock: new SimulatedClock(END_MS),
    retentionMs: 0,
    outOfOrderWindowMs: HOUR_MS,
    usesLockFile: false,
  });
}

function histogramAt(n: number): Histogram {
  // Now and then buckets appear, and once a day everything begins again.
  const wide = n % 400 > 200 ? 2 : 0;
  const count = n % 700;
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 2,
    zeroThreshold: 1e-128,
    zeroCount: count,
    count: count * (4 + wide),
    sum: count * 1.5,
    positiveSpans: [{ offset: -1, length: 3 + wide }],
    negativeSpans: [],
    positiveDeltas: [count, ...Array.from({ length: 2 + wide }, () => 0)],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
  };
}

/** Some hours of many kinds of samples, with compactions on the way. */
async function populate(db: Db): Promise<void> {
  const count = SERIES_COUNT;
  const columns = {
    count,
    refs: new Float64Array(count),
    timestampsMs: new Float64Array(count),
    values: new Float64Array(count),
  };
  const halves = new Uint32Array(columns.values.buffer);
  const outcomes = new Uint8Array(count);
  for (let n = 0; START_MS + n * STEP_MS <= END_MS; n++) {
    const nowMs = START_MS + n * STEP_MS;
    const appender = db.appender();
    for (let i = 0; i < count; i++) {
      const labels = {
        __name__: `metric_${i % 5}`,
        job: i % 2 === 0 ? 'api' : 'db',
        i: `${i}`,
        ü: 'ß',
      };
      columns.refs[i] = appender.series(Labels.fromObject(labels));
      // The last ones arrive late half of the time.
      const isLate = i >= count - 3 && n % 4 > 1 && n > 4;
      columns.timestampsMs[i] = nowMs + (i % 3) - (isLate ? 4 * STEP_MS + 7 * i : 0);
      columns.values[i] = i % 7 === 0 ? NaN : (n * (i + 1)) % (i % 4 === 0 ? 1000 : 7.7);
      if (i % 7 !== 1 || n % 90 !== 89) continue;
      halves[i * 2] = STALE_NAN_LOW;
      halves[i * 2 + 1] = STALE_NAN_HIGH;
    }
    expect(appender.appendSamples(columns, outcomes)).toBe(0);
    const native = appender.series(Labels.fromObject({ __name__: 'native', job: 'api' }));
    expect(appender.appendHistogram(native, nowMs, histogramAt(n))).toBe(0);
    appender.commit();
    if (n % 100 === 99) await db.compact();
  }
  const host3 = [new Matcher('i', '=', '3')];
  await db.deleteSeries(START_MS + HOUR_MS, START_MS + 1.5 * HOUR_MS, host3);
  await db.deleteSeries(END_MS - 0.5 * HOUR_MS, END_MS - 0.25 * HOUR_MS, host3);
}

/** Everything in the database, floats by their texts, histograms by count and sum. */
function contentOf(db: Db): Map<string, string[]> {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  const content = new Map<string, string[]>();
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    const samples: string[] = [];
    for (let i = 0; i < out.count; i++) {
      const histogram = out.histograms?.[i] ?? null;
      if (histogram !== null) {
        samples.push(`${out.timestampsMs[i]} ${histogram.count} ${histogram.sum}`);
      } else if (!isStaleAt(out.values, i)) {
        samples.push(`${out.timestampsMs[i]} ${formatFloat(out.values[i]!)}`);
      }
    }
    content.set(labels.toString(), samples);
  });
  querier.close();
  return content;
}

type Answer = {
  data: {
    result: {
      metric: Record<string, string>;
      values?: [number, string][];
      histograms?: [number, { count: string; sum: string }][];
    }[];
  };
};

async function contentOfServer(url: string): Promise<Map<string, string[]>> {
  const content = new Map<string, string[]>();
  for (const name of ['metric_0', 'metric_1', 'metric_2', 'metric_3', 'metric_4', 'native']) {
    const query = new URLSearchParams({ query: `${name}[20h]`, time: `${END_MS / 1000 + 1}` });
    const answer = (await (await fetch(`${url}/api/v1/query?${query}`)).json()) as Answer;
    for (const { metric, values = [], histograms = [] } of answer.data.result) {
      const samples = [
        ...values.map(
          ([seconds, value]) => `${Math.round(seconds * 1000)} ${formatFloat(Number(value))}`,
        ),
        ...histograms.map(([seconds, h]) => `${Math.round(seconds * 1000)} ${h.count} ${h.sum}`),
      ];
      content.set(Labels.fromObject(metric).toString(), samples);
    }
  }
  return content;
}

describe('a directory that we wrote', () => {
  test.skipIf(PROMETHEUS === null)(
    'is read completely by a real server after a kill, and by us afterwards',
    async () => {
      const db = open(newDirectory());
      await populate(db);
      const expected = contentOf(db);
      // As a killed process leaves it: nothing is closed before.
      const copy = newDirectory();
      cpSync(db.shared.directory, copy, { recursive: true });
      await db.close();

      const server = await startServer(PROMETHEUS!, copy, '--enable-feature=native-histograms');
      const answered = await contentOfServer(server.url);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      await server.stop();
      expect(metrics).toMatch(/^prometheus_tsdb_wal_corruptions_total 0$/m);
      expect(metrics).toMatch(/^prometheus_tsdb_mmap_chunk_corruptions_total 0$/m);
      for (const [series, samples] of expected) {
        expect(answered.get(series), series).toEqual(samples.filter((sample) => sample !== ''));
      }
      expect(answered.size).toBe(SERIES_COUNT + 1);

      const again = open(copy);
      expect(contentOf(again)).toEqual(expected);
      await again.close();
    },
  );

  test.skipIf(PROMTOOLS.length === 0)(
    'has blocks that promtool lists, analyses and dumps',
    async () => {
      const directory = newDirectory();
      const db = open(directory);
      await populate(db);
      const { blocks } = db.status(1);
      const expected = contentOf(db);
      await db.close();
      const blocksEndMs = Math.max(
        ...blocks.filter((b) => b.compaction.hints.length === 0).map((b) => b.endMs),
      );
      for (const tool of PROMTOOLS) {
        const listed = promtool(tool, 'tsdb', 'list', directory);
        for (const { ulid, stats } of blocks) {
          const line = listed.split('\n').find((l) => l.startsWith(ulid));
          expect(line?.split(/\s+/).slice(4, 7).map(Number)).toEqual([
            stats.sampleCount,
            stats.chunkCount,
            stats.seriesCount,
          ]);
        }
        promtool(tool, 'tsdb', 'analyze', directory, blocks[0]!.ulid);
        const dumped = promtool(tool, 'tsdb', 'dump', `--max-time=${blocksEndMs - 1}`, directory);
        const lines = dumped.split('\n').filter((line) => line.includes('__name__="metric_'));
        let wantedCount = 0;
        for (const [series, samples] of expected) {
          if (!series.includes('metric_')) continue;
          wantedCount += samples.filter((s) => Number(s.split(' ')[0]) < blocksEndMs).length;
        }
        const notStale = lines.length - countStale(lines);
        expect(notStale).toBe(wantedCount);
      }
    },
  );
});

/** Staleness markers are dumped as NaN, like the NaNs of every seventh series. */
function countStale(lines: readonly string[]): number {
  return lines.filter((line) => / NaN \d+$/.test(line) && !isNaNSeries(line)).length;
}

function isNaNSeries(line: string): boolean {
  const i = Number(/ i="(\d+)"/.exec(line)?.[1] ?? /\{i="(\d+)"/.exec(line)?.[1]);
  return i % 7 === 0;
}
