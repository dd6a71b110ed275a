/** Directories that real servers left, head and all: opened, and every sample compared. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isStaleAt, Labels, Matcher, SampleBuffer, SimulatedClock } from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { conformancePath, FIXTURES, readDump } from '../support/conformance.ts';
import { dumpedText, floatText, histogramText } from '../support/sample-text.ts';

const HOUR_MS = 3_600_000;
const FOREVER_MS = 100 * 365 * 24 * HOUR_MS;

type Expected = {
  readonly cases: readonly {
    readonly path: string;
    readonly params: readonly (readonly [string, string])[];
    readonly response: { readonly data: unknown };
  }[];
};
type ExpectedExemplars = readonly {
  readonly seriesLabels: Record<string, string>;
  readonly exemplars: readonly { readonly value: string; readonly timestamp: number }[];
}[];

let directory = '';
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function openCopy(folder: string): Db {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-fixture-'));
  cpSync(path.join(folder, 'data'), directory, { recursive: true });
  return openDb({
    directory,
    clock: new SimulatedClock(0),
    retentionMs: FOREVER_MS,
    outOfOrderWindowMs: 2 * HOUR_MS,
    exemplarCountMax: 1000,
  });
}

/**
 * Samples in each directory, staleness markers left out: what the server that wrote it answers to
 * count_over_time over everything. The dumps lack samples of the head that lie in chunks_head.
 */
const STORED_COUNTS: Readonly<Record<string, number>> = {
  'tsdb-fixture': 172_098,
  'fixture-3.14/xor': 47_307,
  'fixture-3.14/xor2': 209_864,
  'fixture-3.14/killed': 6120,
};

describe.each(FIXTURES)('%s', (fixture) => {
  const folder = conformancePath(fixture);
  test.skipIf(folder === null)(
    'gives back its samples, those of the dump and all others',
    async () => {
      const expected = new Map<string, string>();
      for (const { series, timestampMs, value } of readDump(folder!)) {
        expected.set(`${series} ${timestampMs}`, dumpedText(value));
      }
      const db = openCopy(folder!);
      const querier = db.querier(-Infinity, Infinity);
      const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
      const out = new SampleBuffer();
      const wrong: string[] = [];
      let storedCount = 0;
      rows.labels.forEach((labels, row) => {
        rows.read(row, -Infinity, Infinity, out);
        for (let i = 0; i < out.count; i++) {
          const timestampMs = out.timestampsMs[i]!;
          if (i > 0 && timestampMs <= out.timestampsMs[i - 1]!)
            wrong.push(`${labels.toString()} ${timestampMs}`);
          const histogram = out.histograms?.[i] ?? null;
          const isStale = histogram === null ? isStaleAt(out.values, i) : histogram.stale;
          if (!isStale) storedCount++;
          const key = `${labels.toString()} ${timestampMs}`;
          const dumped = expected.get(key);
          if (dumped === undefined) continue;
          const text = histogram === null ? floatText(out.values[i]!) : histogramText(histogram);
          if (dumped !== text) wrong.push(`${key}: ${text} not ${dumped}`);
          expected.delete(key);
        }
      });
      querier.close();
      await db.close();
      expect(wrong.slice(0, 5)).toEqual([]);
      expect([...expected.keys()].slice(0, 5)).toEqual([]);
      expect(storedCount).toBe(STORED_COUNTS[fixture]);
    },
  );

  test.skipIf(folder === null)('names values and exemplars as its server did', async () => {
    const { cases } = JSON.parse(
      readFileSync(path.join(folder!, 'expected.json'), 'utf8'),
    ) as Expected;
    const db = openCopy(folder!);
    let askedCount = 0;
    for (const { path: apiPath, params, response } of cases) {
      const given = new Map(params);
      const timeMs = (key: string, otherwise: number) =>
        given.has(key) ? Number(given.get(key)) * 1000 : otherwise;
      const minMs = timeMs('start', -Infinity);
      const maxMs = timeMs('end', Infinity);
      const name = /^\/api\/v1\/label\/(\w+)\/values$/.exec(apiPath)?.[1];
      const isEscaped = name?.startsWith('U__') ?? false;
      if (name !== undefined && !isEscaped && !given.has('match[]')) {
        const querier = db.querier(minMs, maxMs);
        expect(querier.labelValues(name, []).texts, `${name} ${minMs}`).toEqual(response.data);
        querier.close();
        askedCount++;
      }
      if (apiPath !== '/api/v1/query_exemplars' || !/^\w+$/.test(given.get('query')!)) continue;
      const matcher = new Matcher('__name__', '=', given.get('query')!);
      const found = db
        .exemplars(minMs, maxMs, [[matcher]])
        .map(({ series, exemplars }) => [
          series.toString(),
          exemplars.map(({ value, timestampMs }) => [value, timestampMs]),
        ]);
      const expected = (response.data as ExpectedExemplars).map(({ seriesLabels, exemplars }) => [
        Labels.fromObject(seriesLabels).toString(),
        exemplars.map(({ value, timestamp }) => [Number(value), timestamp * 1000]),
      ]);
      expect(found).toEqual(expected);
      askedCount++;
    }
    await db.close();
    expect(askedCount).toBeGreaterThan(0);
  });

  test.skipIf(folder === null)(
    'opens again after we closed it, with the same content',
    async () => {
      const count = (db: Db): number => {
        const querier = db.querier(-Infinity, Infinity);
        const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
        const out = new SampleBuffer();
        let sum = 0;
        for (let row = 0; row < rows.labels.length; row++) {
          rows.read(row, -Infinity, Infinity, out);
          sum += out.count;
        }
        querier.close();
        return sum;
      };
      const first = openCopy(folder!);
      const firstCount = count(first);
      await first.close();
      const second = openDb({ directory, clock: new SimulatedClock(0), retentionMs: FOREVER_MS });
      expect(count(second)).toBe(firstCount);
      // And with its blocks cut and merged.
      await second.compact();
      expect(count(second)).toBe(firstCount);
      await second.close();
    },
  );
});
