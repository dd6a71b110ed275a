/**
 * Prometheus's memory snapshot, in both directions. The log is wiped in between, so that what the
 * other one answers can only come from the snapshot.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createLogger,
  type FloatHistogram,
  type Histogram,
  Labels,
  type LogRecord,
  Matcher,
  SampleBuffer,
  SimulatedClock,
  toFloatHistogram,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { encodeWriteRequest, type WrittenSeries } from '../../support/remote-write.ts';
import {
  PROMETHEUS,
  PROMETHEUS_VERSION,
  type RunningServer,
  startServer,
} from '../support/tools.ts';
import { oneSample } from '../support/one-sample.ts';

const STEP_MS = 15_000;
const STEP_COUNT = 90;
const START_MS = Math.floor(Date.now() / STEP_MS) * STEP_MS - STEP_COUNT * STEP_MS;
const FEATURE = '--enable-feature=memory-snapshot-on-shutdown';
const IS_MODERN = !PROMETHEUS_VERSION.startsWith('2.');
/** Of `a`; taken back. */
const DELETED = { minMs: START_MS + 3 * STEP_MS, maxMs: START_MS + 9 * STEP_MS };

let directory = '';
let running: RunningServer | null = null;
let opened: Db | null = null;
afterEach(async () => {
  await opened?.close();
  await running?.kill();
  opened = running = null;
  rmSync(directory, { recursive: true, force: true });
});

function histogramAt(n: number): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 2,
    zeroThreshold: 0.001,
    zeroCount: n,
    count: n * 4,
    sum: n * 1.25,
    positiveSpans: [{ offset: -1, length: 3 }],
    negativeSpans: [],
    positiveDeltas: [n, 0, 0],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
  };
}

type Row = { readonly name: string; readonly value: number | Histogram | FloatHistogram };

/** What step `n` writes. `b` is constant and ends early, `c` is gone stale by then. */
function rowsOf(n: number): Row[] {
  const rows: Row[] = [{ name: 'a', value: (n * 7.7) % 1000 }];
  if (n < 40) rows.push({ name: 'b', value: 42 });
  if (n < 30) rows.push({ name: 'c', value: n });
  if (!IS_MODERN) return rows;
  const custom = {
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count: n * 3,
    customBounds: [1, 2],
  };
  rows.push({ name: 'native', value: histogramAt(n) });
  rows.push({
    name: 'custom',
    value: { ...histogramAt(n), ...custom, positiveSpans: [{ offset: 0, length: 3 }] },
  });
  rows.push({ name: 'float', value: { ...toFloatHistogram(histogramAt(n)), sum: n / 3 } });
  return rows;
}

function textOf(value: Row['value']): string {
  return typeof value === 'number' ? String(value) : `${value.count} ${value.sum}`;
}

/** Series and time to value. */
function truth(): Map<string, string> {
  const all = new Map<string, string>();
  for (let n = 0; n < STEP_COUNT; n++) {
    const atMs = START_MS + n * STEP_MS;
    for (const { name, value } of rowsOf(n)) {
      if (name === 'a' && atMs >= DELETED.minMs && atMs <= DELETED.maxMs) continue;
      all.set(`snap_${name} ${atMs}`, textOf(value));
    }
  }
  return all;
}

function labelsOf(name: string): Labels {
  return Labels.fromObject({ __name__: `snap_${name}`, job: 'snap' });
}

async function writeToTheirs(url: string): Promise<void> {
  for (let n = 0; n < STEP_COUNT; n++) {
    const timestampMs = START_MS + n * STEP_MS;
    const request: WrittenSeries[] = rowsOf(n).map(({ name, value }) =>
      typeof value === 'number'
        ? {
            labels: labelsOf(name),
            samples: [{ timestampMs, value, stale: false }],
            histograms: [],
          }
        : { labels: labelsOf(name), samples: [], histograms: [{ timestampMs, histogram: value }] },
    );
    if (n === 30) {
      const stale = [{ timestampMs, value: 0, stale: true }];
      request.push({ labels: labelsOf('c'), samples: stale, histograms: [] });
    }
    const response = await fetch(`${url}/api/v1/write`, {
      method: 'POST',
      body: encodeWriteRequest(request) as Uint8Array<ArrayBuffer>,
      headers: {
        'Content-Encoding': 'snappy',
        'Content-Type': 'application/x-protobuf',
        'X-Prometheus-Remote-Write-Version': '0.1.0',
      },
    });
    expect(response.ok).toBe(true);
  }
  const range = `start=${DELETED.minMs / 1000}&end=${DELETED.maxMs / 1000}`;
  const route = `/api/v1/admin/tsdb/delete_series?match[]=snap_a&${range}`;
  expect((await fetch(`${url}${route}`, { method: 'POST' })).status).toBe(204);
}

async function theirContent(url: string): Promise<Map<string, string>> {
  const time = (START_MS + STEP_COUNT * STEP_MS) / 1000;
  const query = new URLSearchParams({ query: '{__name__=~"snap_.*"}[2h]', time: `${time}` });
  const answer = (await (await fetch(`${url}/api/v1/query?${query}`)).json()) as {
    data: {
      result: {
        metric: { __name__: string };
        values?: [number, string][];
        histograms?: [number, { count: string; sum: string }][];
      }[];
    };
  };
  const content = new Map<string, string>();
  for (const { metric, values = [], histograms = [] } of answer.data.result) {
    const key = (seconds: number) => `${metric.__name__} ${Math.round(seconds * 1000)}`;
    for (const [seconds, value] of values) content.set(key(seconds), String(Number(value)));
    for (const [seconds, h] of histograms) {
      content.set(key(seconds), `${Number(h.count)} ${Number(h.sum)}`);
    }
  }
  return content;
}

function openOurs(said: LogRecord[] = []): Db {
  const logger = createLogger((record) => said.push(record), { level: 'info', nowMs: () => 0 });
  opened = openDb({
    directory,
    clock: new SimulatedClock(START_MS),
    logger,
    retentionMs: 0,
    snapshotsAtEnd: true,
    exemplarCountMax: 10,
  });
  return opened;
}

async function writeToOurs(db: Db): Promise<void> {
  for (let n = 0; n < STEP_COUNT; n++) {
    const appender = db.appender();
    const timestampMs = START_MS + n * STEP_MS;
    for (const { name, value } of rowsOf(n)) {
      const ref = appender.series(labelsOf(name));
      if (typeof value !== 'number') {
        expect(appender.appendHistogram(ref, timestampMs, value)).toBe(0);
        continue;
      }
      const columns = oneSample(ref, timestampMs, value);
      expect(appender.appendSamples(columns, new Uint8Array(1))).toBe(0);
      if (n === STEP_COUNT - 1 && name === 'a') {
        const labels = Labels.fromObject({ trace: 'xyz' });
        appender.appendExemplar(ref, { labels, value: 3, timestampMs });
      }
    }
    appender.commit();
  }
  const named = new Matcher('__name__', '=', 'snap_a');
  await db.deleteSeries(DELETED.minMs, DELETED.maxMs, [named]);
}

function ourContent(db: Db): Map<string, string> {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const content = new Map<string, string>();
  const out = new SampleBuffer();
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    for (let i = 0; i < out.count; i++) {
      const histogram = out.histograms?.[i] ?? null;
      const value = histogram ?? out.values[i]!;
      if (typeof value === 'number' && Number.isNaN(value)) continue; // the staleness marker
      content.set(`${labels.get('__name__')} ${out.timestampsMs[i]}`, textOf(value));
    }
  });
  querier.close();
  return content;
}

/** Zeros instead of what the log held. */
function wipeLog(): void {
  const log = path.join(directory, 'wal');
  for (const name of readdirSync(log)) {
    if (!/^\d+$/.test(name)) continue;
    const file = path.join(log, name);
    writeFileSync(file, new Uint8Array(readFileSync(file).length));
  }
}

function snapshotNames(): string[] {
  return readdirSync(directory).filter((name) => name.includes('_snapshot.'));
}

function newDirectory(): void {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-head-snapshot-'));
}

describe.skipIf(PROMETHEUS === null)(`a memory snapshot and ${PROMETHEUS}`, () => {
  const options = [FEATURE, '--web.enable-remote-write-receiver', '--web.enable-admin-api'];

  test('theirs is read by us', { timeout: 60_000 }, async () => {
    newDirectory();
    running = await startServer(PROMETHEUS!, directory, ...options);
    await writeToTheirs(running.url);
    await running.stop();
    expect(snapshotNames()).toEqual([expect.stringMatching(/^chunk_snapshot\.\d{6}\.\d{10}$/)]);
    wipeLog();
    const said: LogRecord[] = [];
    const db = openOurs(said);
    expect(said.filter(({ level }) => level !== 'info')).toEqual([]);
    expect(ourContent(db)).toEqual(truth());
    expect(db.head.writer.staleCount).toBe(1);
  });

  test('ours is read by them, and by us', { timeout: 60_000 }, async () => {
    newDirectory();
    await writeToOurs(openOurs());
    await opened!.close();
    expect(snapshotNames()).toEqual([expect.stringMatching(/^chunk_snapshot\.\d{6}\.\d{10}$/)]);
    wipeLog();
    const db = openOurs();
    expect(ourContent(db)).toEqual(truth());
    const exemplars = db.exemplars(-Infinity, Infinity, [[new Matcher('job', '=', 'snap')]]);
    expect(exemplars.map(({ exemplars: [e] }) => e?.labels.get('trace'))).toEqual(['xyz']);
    // A clean stop without a change leaves one that is as good.
    await db.close();
    wipeLog();
    const config = 'storage: {exemplars: {max_exemplars: 10}}\n';
    writeFileSync(path.join(directory, 'prometheus.yml'), config);
    const features = `${options[0]},exemplar-storage`;
    running = await startServer(PROMETHEUS!, directory, features);
    expect(await theirContent(running.url)).toEqual(truth());
    const range = `start=${START_MS / 1000}&end=${START_MS / 1000 + 7200}`;
    const response = await fetch(`${running.url}/api/v1/query_exemplars?query=snap_a&${range}`);
    expect(JSON.stringify(await response.json())).toContain('xyz');
  });

  test('ours does not disturb one that does not look', { timeout: 60_000 }, async () => {
    newDirectory();
    opened = openDb({
      directory,
      clock: new SimulatedClock(START_MS),
      retentionMs: 0,
      headSnapshotLogSizeBytes: 1,
    });
    await writeToOurs(opened);
    await opened.tick();
    await opened.close();
    expect(snapshotNames()).toEqual([expect.stringMatching(/^head_snapshot\.\d{6}\.\d{10}$/)]);
    const snapshot = path.join(directory, snapshotNames()[0]!);
    for (const feature of [[], [FEATURE]]) {
      running = await startServer(PROMETHEUS!, directory, ...feature);
      expect(await theirContent(running.url)).toEqual(truth());
      await running.stop();
      expect(readdirSync(snapshot)).toEqual(['00000000', 'narthex']);
    }
  });
});
