/**
 * Costs of taking samples in: CPU time per sample and memory per series, with a log on disk.
 *
 *   node bench/append.bench.ts [series] [scrapes] [directory]
 *
 * How much garbage it leaves, in MB: `node --max-semi-space-size=1 --trace-gc …`, and count the lines
 * with "Scavenge".
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock } from '../model/index.ts';
import { openDb } from '../tsdb/index.ts';
import {
  cpuMs,
  labelsOf,
  megabytes,
  nextValue,
  SCRAPE_MS,
  SERIES_PER_TARGET,
  START_MS,
} from './tsdb-data.ts';

const seriesCount = Number(process.argv[2] ?? 100_000);
const scrapeCount = Number(process.argv[3] ?? 60);
const directory = mkdtempSync(path.join(process.argv[4] ?? tmpdir(), 'narthex-bench-'));
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};
const baseRss = process.memoryUsage().rss;
const db = openDb({ directory, clock, retentionMs: 0, usesLockFile: false });

const refs = new Float64Array(seriesCount);
let usage = process.cpuUsage();
for (let first = 0; first < seriesCount; first += SERIES_PER_TARGET) {
  const appender = db.appender();
  for (let i = first; i < first + SERIES_PER_TARGET; i++) {
    refs[i] = appender.series(labelsOf(first / SERIES_PER_TARGET, i - first));
  }
  appender.commit();
}
const createMs = cpuMs(usage);
console.log(`${seriesCount} new series: ${((createMs * 1000) / seriesCount).toFixed(2)} µs each`);
console.log(
  `  head ${(db.head.memoryBytes / seriesCount).toFixed(0)} B per series, without samples`,
);

const values = new Float64Array(seriesCount);
const columns = {
  count: SERIES_PER_TARGET,
  refs: new Float64Array(SERIES_PER_TARGET),
  timestampsMs: new Float64Array(SERIES_PER_TARGET),
  values: new Float64Array(SERIES_PER_TARGET),
};
const outcomes = new Uint8Array(SERIES_PER_TARGET);
let stageMs = 0;
let commitMs = 0;
const wallMs = performance.now();
for (let scrape = 0; scrape < scrapeCount; scrape++) {
  for (let first = 0; first < seriesCount; first += SERIES_PER_TARGET) {
    const timestampMs = START_MS + scrape * SCRAPE_MS + (first % 997);
    for (let i = 0; i < SERIES_PER_TARGET; i++) {
      values[first + i] = nextValue(first + i, values[first + i]!);
      columns.refs[i] = refs[first + i]!;
      columns.timestampsMs[i] = timestampMs;
      columns.values[i] = values[first + i]!;
    }
    usage = process.cpuUsage();
    const appender = db.appender();
    if (appender.appendSamples(columns, outcomes) > 0) throw new Error('refused');
    stageMs += cpuMs(usage);
    usage = process.cpuUsage();
    appender.commit();
    commitMs += cpuMs(usage);
  }
}
const sampleCount = seriesCount * scrapeCount;
const each = (ms: number) => `${((ms * 1e6) / sampleCount).toFixed(0)} ns`;
console.log(`${sampleCount} samples in ${((performance.now() - wallMs) / 1000).toFixed(1)} s`);
console.log(`  stage ${each(stageMs)}, commit with log ${each(commitMs)} CPU per sample`);
const { rss } = process.memoryUsage();
console.log(
  `  head ${(db.head.memoryBytes / seriesCount).toFixed(0)} B per series in use, ` +
    `${(db.head.allocator.touchedBytes / seriesCount).toFixed(0)} B touched, ` +
    `process ${megabytes(rss)} (${megabytes(baseRss)} before)`,
);
await db.close();

usage = process.cpuUsage();
const startMs = performance.now();
const again = openDb({ directory, clock, retentionMs: 0, usesLockFile: false });
console.log(
  `opened again in ${(performance.now() - startMs).toFixed(0)} ms, ` +
    `${each(cpuMs(usage))} CPU per sample`,
);
await again.close();
rmSync(directory, { recursive: true });
