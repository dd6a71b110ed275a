/**
 * Costs of asking the head: CPU time to select series and to read their samples, first time and
 * again (labels and matched values are kept by the reader).
 *
 *   node bench/select.bench.ts [series] [scrapes]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, Matcher, SampleBuffer } from '../model/index.ts';
import { openDb, openReader } from '../tsdb/index.ts';
import { cpuMs, labelsOf, nextValue, SCRAPE_MS, SERIES_PER_TARGET, START_MS } from './tsdb-data.ts';

const seriesCount = Number(process.argv[2] ?? 100_000);
const scrapeCount = Number(process.argv[3] ?? 200);
const directory = mkdtempSync(path.join(tmpdir(), 'narthex-bench-'));
const clock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
};
const db = openDb({ directory, clock, retentionMs: 0, usesLockFile: false });
const refs = new Float64Array(seriesCount);
const values = new Float64Array(seriesCount);
const columns = {
  count: SERIES_PER_TARGET,
  refs: new Float64Array(SERIES_PER_TARGET),
  timestampsMs: new Float64Array(SERIES_PER_TARGET),
  values: new Float64Array(SERIES_PER_TARGET),
};
const outcomes = new Uint8Array(SERIES_PER_TARGET);
for (let scrape = 0; scrape < scrapeCount; scrape++) {
  for (let first = 0; first < seriesCount; first += SERIES_PER_TARGET) {
    const appender = db.appender();
    columns.timestampsMs.fill(START_MS + scrape * SCRAPE_MS + (first % 997));
    for (let i = 0; i < SERIES_PER_TARGET; i++) {
      const at = first + i;
      if (scrape === 0) refs[at] = appender.series(labelsOf(first / SERIES_PER_TARGET, i));
      columns.refs[i] = refs[at]!;
      columns.values[i] = values[at] = nextValue(at, values[at]!);
    }
    appender.appendSamples(columns, outcomes);
    appender.commit();
  }
}

const reader = openReader(db.shared);
const out = new SampleBuffer();
const endMs = START_MS + scrapeCount * SCRAPE_MS;

function ask(what: string, matchers: readonly Matcher[], minMs: number, maxMs: number): void {
  let line = what.padEnd(44);
  for (let round = 0; round < 3; round++) {
    let usage = process.cpuUsage();
    const querier = reader.querier(minMs, maxMs);
    const rows = querier.select(matchers, { minMs, maxMs });
    const selectMs = cpuMs(usage);
    usage = process.cpuUsage();
    let sampleCount = 0;
    for (let row = 0; row < rows.labels.length; row++) {
      rows.read(row, minMs, maxMs, out);
      sampleCount += out.count;
    }
    const readMs = cpuMs(usage);
    querier.close();
    const rowCount = rows.labels.length;
    if (round === 0) line += `${String(rowCount).padStart(7)} series ${sampleCount} samples:`;
    const perRow = ((selectMs * 1000) / rowCount).toFixed(2);
    const perSample = ((readMs * 1e6) / sampleCount).toFixed(1);
    line += `  ${selectMs.toFixed(1)} ms (${perRow} µs/series) + ${readMs.toFixed(1)} ms (${perSample} ns/sample)`;
  }
  console.log(line);
}

const name = new Matcher('__name__', '=', 'app_metric_7_total');
const all: [number, number] = [START_MS, endMs];
ask('one metric', [name], ...all);
ask('one metric, one job', [name, new Matcher('job', '=', 'job-3')], ...all);
ask(
  'one metric, instances by regex',
  [name, new Matcher('instance', '=~', '10.0.0.[1-5].*')],
  ...all,
);
ask('one job', [new Matcher('job', '=', 'job-3')], ...all);
ask('one job, last five minutes', [new Matcher('job', '=', 'job-3')], endMs - 300_000, endMs);
ask('everything, last five minutes', [new Matcher('env', '!=', '')], endMs - 300_000, endMs);

for (const [what, question] of [
  ['label names', () => db.querier(...all).labelNames([])],
  ['values of instance', () => db.querier(...all).labelValues('instance', [])],
  ['values of instance of one job', () => db.querier(...all).labelValues('instance', [name])],
] as const) {
  question();
  const usage = process.cpuUsage();
  const { texts } = question();
  console.log(`${what.padEnd(44)}${texts.length} in ${cpuMs(usage).toFixed(2)} ms`);
}
reader.close();
await db.close();
rmSync(directory, { recursive: true });
