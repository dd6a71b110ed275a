import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Clock, Labels, type MetricSample, Registry } from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { readMeta } from '../../../tsdb/block/meta-json.ts';
import { listBlocks } from '../../../tsdb/block/block-directory.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';

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
