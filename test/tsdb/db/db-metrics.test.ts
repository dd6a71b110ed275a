import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  type Clock,
  floatHistogram,
  Labels,
  type MetricSample,
  Registry,
} from '../../../model/index.ts';
import { type Db, openDb, runCompactionJob } from '../../../tsdb/index.ts';
import { readMeta } from '../../../tsdb/block/meta-json.ts';
import { listBlocks } from '../../../tsdb/block/block-directory.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { oneSample } from '../support/one-sample.ts';

const STEP_MS = 15_000;
const SERIES_COUNT = 3;
const SAMPLE_COUNT = 1600;
const clock: Clock = {
  nowMs: () => SAMPLE_COUNT * STEP_MS,
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};

let directory = '';
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function figure(registry: Registry, name: string): MetricSample {
  const family = registry.snapshot().find((f) => f.name === `prometheus_tsdb_${name}`);
  return family!.samples[0]!;
}

function fill(db: Db): void {
  const columns = {
    count: SERIES_COUNT,
    refs: new Float64Array(SERIES_COUNT),
    timestampsMs: new Float64Array(SERIES_COUNT),
    values: new Float64Array(SERIES_COUNT),
  };
  for (let n = 0; n < SAMPLE_COUNT; n++) {
    const appender = db.appender();
    for (let i = 0; i < SERIES_COUNT; i++) {
      columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'm', i: `${i}` }));
      columns.timestampsMs[i] = n * STEP_MS;
      columns.values[i] = n;
    }
    appender.appendSamples(columns, new Uint8Array(SERIES_COUNT));
    appender.commit();
  }
}

test('a compaction tells how large its chunks are, and what was not done is not counted', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-metrics-'));
  const registry = new Registry();
  const db = openDb({ directory, clock, registry, retentionMs: 0 });
  expect(figure(registry, 'clean_start').value).toBe(1);
  expect(figure(registry, 'compaction_chunk_samples').count).toBe(0);
  fill(db);

  db.setCompaction(false);
  await db.tick();
  expect(figure(registry, 'compactions_skipped_total').value).toBe(1);
  expect(figure(registry, 'compactions_total').value).toBe(0);

  db.setCompaction(true);
  await db.compact();
  const metas = listBlocks(NODE_FILES, directory).map((ulid) =>
    readMeta(NODE_FILES, `${directory}/${ulid}`),
  );
  expect(metas.length).toBeGreaterThan(0);
  const sum = (of: (stats: (typeof metas)[number]['stats']) => number) =>
    metas.reduce((total, { stats }) => total + of(stats), 0);
  const samples = figure(registry, 'compaction_chunk_samples');
  expect(samples.count).toBe(sum(({ chunkCount }) => chunkCount));
  expect(samples.value).toBe(sum(({ sampleCount }) => sampleCount));
  expect(figure(registry, 'compaction_chunk_size_bytes').count).toBe(samples.count);
  expect(figure(registry, 'compaction_chunk_range_seconds').value).toBe(
    // Between the samples of a chunk, not between chunks.
    ((samples.value - samples.count!) * STEP_MS) / 1000,
  );
  expect(figure(registry, 'wal_record_part_writes_total').value).toBeGreaterThan(SAMPLE_COUNT);
  await db.close();
  expect(figure(registry, 'wal_fsync_duration_seconds').count).toBeGreaterThan(0);
});

test('a block that is being written shows, and the next one as well after one failed', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-metrics-'));
  const registry = new Registry();
  const populating = () => figure(registry, 'compaction_populating_block').value;
  const seen: number[] = [];
  let failures = 1;
  const db = openDb({
    directory,
    clock,
    registry,
    retentionMs: 0,
    runJob: async (job, shared) => {
      if (job.kind === 'head-block') seen.push(populating());
      if (failures-- > 0) throw new Error('no room');
      return runCompactionJob(job, shared);
    },
  });
  expect(populating()).toBe(0);
  fill(db);
  await db.compact();
  expect(populating()).toBe(0);
  await db.compact();
  expect(seen.length).toBeGreaterThan(1);
  expect(new Set(seen)).toEqual(new Set([1]));
  expect(populating()).toBe(0);
  await db.close();
});

// What 3.14 counts for the same samples.
test.each([
  { windowMinutes: 0, counts: [3, 3600] },
  { windowMinutes: 30, counts: [4, 7500] },
])(
  'how late samples are is measured, taken or not, with a window of $windowMinutes minutes',
  async ({ windowMinutes, counts }) => {
    directory = mkdtempSync(path.join(tmpdir(), 'narthex-metrics-'));
    const registry = new Registry();
    const minuteMs = 60_000;
    const outOfOrderWindowMs = windowMinutes * minuteMs;
    const db = openDb({ directory, clock, registry, retentionMs: 0, outOfOrderWindowMs });
    const append = (name: string, minutes: number, value: number) => {
      const appender = db.appender();
      const ref = appender.series(Labels.fromObject({ __name__: name }));
      const columns = oneSample(ref, 10 * 3_600_000 + minutes * minuteMs, value);
      appender.appendSamples(columns, new Uint8Array(1));
      appender.commit();
    };
    append('a', 0, 1);
    append('b', 60, 1);
    append('a', -5, 1);
    append('a', 70, 1);
    append('a', 50, 2);
    append('c', 45, 2);
    append('a', 50, 3);
    append('a', 50, 2);
    append('c', 45, 9);
    const { count, value } = figure(registry, 'sample_ooo_delta');
    expect([count, value]).toEqual(counts);
    await db.close();
  },
);

test('buckets of the newest histograms are counted', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-metrics-'));
  const registry = new Registry();
  const db = openDb({ directory, clock, registry, retentionMs: 0 });
  const buckets = () => figure(registry, 'head_native_histogram_buckets').value;
  const append = (name: string, timestampMs: number, positiveCounts: readonly number[]) => {
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: name }));
    const histogram = floatHistogram({
      count: positiveCounts.reduce((sum, one) => sum + one, 3),
      positiveSpans: [{ offset: 0, length: positiveCounts.length }],
      positiveCounts,
      negativeSpans: [{ offset: 0, length: 2 }],
      negativeCounts: [1, 2],
    });
    appender.appendHistogram(ref, timestampMs, histogram);
    appender.commit();
  };
  fill(db);
  expect(buckets()).toBe(0);
  append('h', SAMPLE_COUNT * STEP_MS, [1, 2, 3]);
  expect(buckets()).toBe(5);
  append('g', SAMPLE_COUNT * STEP_MS, [1]);
  append('h', (SAMPLE_COUNT + 1) * STEP_MS, [1, 2, 3, 4]);
  expect(buckets()).toBe(6 + 3);
  await db.close();
});

// What 3.14 counts for the same samples.
test('late samples are counted as appended, with their chunks and their log', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-metrics-'));
  const registry = new Registry();
  const db = openDb({ directory, clock, registry, retentionMs: 0 });
  const append = (secondsLate: number, histogramCount = 0) => {
    const appender = db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: histogramCount > 0 ? 'h' : 'm' }));
    const timestampMs = 3_600_000 - secondsLate * 1000;
    if (histogramCount > 0) {
      appender.appendHistogram(ref, timestampMs, floatHistogram({ zeroCount: histogramCount }));
    } else {
      const columns = oneSample(ref, timestampMs, 1);
      appender.appendSamples(columns, new Uint8Array(1));
    }
    appender.commit();
  };
  const names = () => registry.snapshot().map(({ name }) => name);
  const wbl = 'prometheus_tsdb_out_of_order_wbl_';
  append(0);
  append(0, 1);
  // Without a window there is no such log.
  expect(names().filter((name) => name.startsWith(wbl))).toEqual([]);
  db.configure({ outOfOrderWindowMs: 600_000 });
  for (let i = 1; i <= 40; i++) append(i);
  for (let i = 1; i <= 3; i++) append(i, 2);

  const figures = (name: string) => {
    const family = registry.snapshot().find((f) => f.name === `prometheus_tsdb_${name}`);
    return family!.samples.map(({ value }) => value);
  };
  expect(figures('head_samples_appended_total')).toEqual([41, 4]);
  expect(figures('head_out_of_order_samples_appended_total')).toEqual([40, 3]);
  // One open chunk each; of late samples 32 in a finished chunk, 8 and 3 in open ones.
  expect(figures('head_chunks')).toEqual([5]);
  expect(figures('head_chunks_created_total')).toEqual([5]);
  expect(figures('out_of_order_wbl_page_flushes_total')).toEqual([43]);
  // A marker besides.
  expect(figures('out_of_order_wbl_record_part_writes_total')).toEqual([44]);
  expect(figures('out_of_order_wbl_segment_current')).toEqual([0]);
  expect(figures('out_of_order_wbl_storage_size_bytes')[0]).toBeGreaterThan(1000);
  expect(figures('out_of_order_wbl_truncations_total')).toEqual([0]);

  for (let n = 1; n <= 20; n++) append(-600 * n);
  await db.compact();
  expect(figures('out_of_order_wbl_truncations_total')).toEqual([1]);
  expect(figures('out_of_order_wbl_segment_current')).toEqual([1]);
  expect(figures('head_chunks_removed_total')).toEqual([5]);
  await db.close();
  const name = `${wbl}fsync_duration_seconds`;
  const synced = registry.snapshot().find((family) => family.name === name);
  expect(synced!.samples[0]!.count).toBeGreaterThan(0);
});

test('what compression spares is counted, by its name', async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-metrics-'));
  const registry = new Registry();
  const db = openDb({ directory, clock, registry, retentionMs: 0, walCompression: 'zstd' });
  fill(db);
  const saved = figure(registry, 'wal_record_bytes_saved_total');
  expect(saved.labels).toEqual(['zstd']);
  expect(saved.value).toBeGreaterThan(SAMPLE_COUNT);
  await db.close();
});
