/**
 * Starts after a kill, of ours and of the Prometheus that NARTHEX_PROMETHEUS names, in turn and on copies
 * of one and the same log, on Linux: time until ready and until every sample has been counted, CPU
 * until then, memory when ready. What is printed is the median of the rounds.
 *
 *   node bench/start.bench.ts [series=100000] [samples a series=30] [rounds=5]
 */
import { cpSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SeriesRef } from '../model/index.ts';
import { REAL_CLOCK } from '../src/real-clock.ts';
import { openDb } from '../tsdb/index.ts';
import { MeasuredServer, serversToCompare } from './measured-server.ts';
import { labelsOf, nextValue, SCRAPE_MS, SERIES_PER_TARGET } from './tsdb-data.ts';

const [seriesArgument = '100000', samplesArgument = '30', roundsArgument = '5'] =
  process.argv.slice(2);
const seriesCount = Number(seriesArgument);
const sampleCount = Number(samplesArgument);
const roundCount = Number(roundsArgument);
const METRIC_COUNT = 100;

const folder = mkdtempSync(path.join(tmpdir(), 'narthex-start-'));

/** A log as scrapes leave it, of a database that was not closed. */
async function makeLog(): Promise<string> {
  const directory = path.join(folder, 'made');
  const db = openDb({ directory, clock: REAL_CLOCK, usesLockFile: false });
  const refs: SeriesRef[] = [];
  const values = new Float64Array(seriesCount);
  const firstMs = Date.now() - sampleCount * SCRAPE_MS;
  for (let n = 0; n < sampleCount; n++) {
    for (let first = 0; first < seriesCount; first += SERIES_PER_TARGET) {
      const count = Math.min(SERIES_PER_TARGET, seriesCount - first);
      const appender = db.appender();
      for (let i = 0; n === 0 && i < count; i++) {
        refs.push(appender.series(labelsOf(first / SERIES_PER_TARGET, i)));
      }
      for (let i = first; i < first + count; i++) values[i] = nextValue(i, values[i]!);
      const columns = {
        count,
        refs: Float64Array.from(refs.slice(first, first + count)),
        timestampsMs: new Float64Array(count).fill(firstMs + n * SCRAPE_MS),
        values: values.subarray(first, first + count),
      };
      appender.appendSamples(columns, new Uint8Array(count));
      appender.commit();
    }
  }
  const log = path.join(folder, 'log');
  cpSync(path.join(directory, 'wal'), path.join(log, 'wal'), { recursive: true });
  await db.close();
  return log;
}

type Start = {
  readonly readyMs: number;
  readonly countedMs: number;
  readonly cpuSeconds: number;
  readonly residentMb: number;
};

async function start(program: string, log: string): Promise<Start> {
  const server = await MeasuredServer.start(program, { data: log });
  const { readyMs } = server;
  const readyAtMs = performance.now();
  try {
    const residentMb = server.memoryBytes() / 2 ** 20;
    let counted = 0;
    for (let metric = 0; metric < METRIC_COUNT; metric++) {
      const query = `sum(count_over_time(app_metric_${metric}_total[3h]))`;
      const answer = await fetch(`${server.url}/api/v1/query?query=${encodeURIComponent(query)}`);
      const { data } = (await answer.json()) as {
        data: { result: readonly { value: [number, string] }[] };
      };
      counted += Number(data.result[0]?.value[1] ?? 0);
    }
    const countedMs = readyMs + performance.now() - readyAtMs;
    if (counted !== seriesCount * sampleCount) throw new Error(`${program} counts ${counted}`);
    return { readyMs, countedMs, cpuSeconds: server.cpuSeconds(), residentMb };
  } finally {
    await server.stop('SIGKILL');
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

try {
  const log = await makeLog();
  const sizeMb = statSync(path.join(log, 'wal', '00000000')).size / 1e6;
  console.log(
    `${seriesCount} series, ${seriesCount * sampleCount} samples, ${sizeMb.toFixed(0)} MB`,
  );
  const servers = serversToCompare();
  const starts = new Map(servers.map(({ name }) => [name, [] as Start[]]));
  // One more, which is not counted: it makes bundles and fills caches.
  for (let round = 0; round <= roundCount; round++) {
    for (const { name, program } of servers) {
      const measured = await start(program, log);
      if (round > 0) starts.get(name)!.push(measured);
    }
  }
  for (const [name, rounds] of starts) {
    const figure = (key: keyof Start, digits: number) =>
      median(rounds.map((round) => round[key])).toFixed(digits);
    console.log(
      `${name}: ready ${figure('readyMs', 0)} ms, all counted ${figure('countedMs', 0)} ms, ` +
        `${figure('cpuSeconds', 2)} s CPU, ${figure('residentMb', 0)} MB when ready`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
