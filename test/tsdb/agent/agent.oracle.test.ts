/**
 * One agent's directory in turns with a real agent and with ours, killed each time: both know all
 * series of it, neither finds it damaged, and as a server's log it holds what was sent to either.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { exactPrometheus } from '../../support/installed.ts';
import { encodeWriteRequest, type WrittenSeries } from '../../support/remote-write.ts';
import { type RunningServer, startAgent, startServer } from '../support/tools.ts';

const NARTHEX = path.resolve(import.meta.dirname, '../../../bin/narthex');
const SERIES_COUNT = 5;
const STEPS_PER_TURN = 20;
const START_MS = Math.floor(Date.now() / 1000) * 1000 - 600_000;

const prometheus = exactPrometheus();
let folder = '';
let running: RunningServer | null = null;
afterEach(async () => {
  await running?.kill();
  running = null;
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

function requestOf(step: number): WrittenSeries[] {
  return Array.from({ length: SERIES_COUNT }, (_, i) => ({
    labels: Labels.fromObject({ __name__: 'm', i: `${i}` }),
    samples: [{ timestampMs: START_MS + step * 1000, value: step * i, stale: false }],
    histograms: [],
  }));
}

async function post(url: string, series: readonly WrittenSeries[]): Promise<string> {
  const response = await fetch(`${url}/api/v1/write`, {
    method: 'POST',
    body: encodeWriteRequest(series) as Uint8Array<ArrayBuffer>,
    headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' },
  });
  return `${response.status} ${await response.text()}`;
}

async function figure(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? NaN);
}

test.skipIf(prometheus === null).each(['snappy', 'zstd'])(
  "an agent's log, compressed with %s, changes hands",
  { timeout: 120_000 },
  async (compression) => {
    folder = mkdtempSync(path.join(tmpdir(), 'narthex-agent-'));
    const directory = path.join(folder, 'agent');
    let step = 0;
    for (const binary of [prometheus!, NARTHEX, NARTHEX, prometheus!, prometheus!, NARTHEX]) {
      const option = `--storage.agent.wal-compression-type=${compression}`;
      running = await startAgent(binary, directory, option);
      const { url } = running;
      expect(await figure(url, 'prometheus_agent_corruptions_total')).toBe(0);
      if (step > 0) expect(await figure(url, 'prometheus_agent_active_series')).toBe(SERIES_COUNT);
      for (const end = step + STEPS_PER_TURN; step < end; step++) {
        expect(await post(url, requestOf(step))).toMatch(/^204 /);
      }
      // An agent forgets times with a restart, but not while it runs.
      const late = await post(url, requestOf(step - 2).slice(0, 1));
      expect(late).toMatch(/^400 out of order sample/);
      await running.kill();
      running = null;
    }
    for (const [i, binary] of [prometheus!, NARTHEX].entries()) {
      const data = path.join(folder, `server-${i}`);
      mkdirSync(data);
      cpSync(path.join(directory, 'wal'), path.join(data, 'wal'), { recursive: true });
      writeFileSync(path.join(data, 'prometheus.yml'), '');
      running = await startServer(binary, data);
      const query = new URLSearchParams({
        query: 'm[1h]',
        time: String(START_MS / 1000 + step),
      });
      const response = await fetch(`${running.url}/api/v1/query?${query}`);
      const { data: found } = (await response.json()) as {
        data: { result: { metric: { i: string }; values: [number, string][] }[] };
      };
      expect(found.result.length).toBe(SERIES_COUNT);
      for (const { metric, values } of found.result) {
        const wanted = Array.from({ length: step }, (_, n) => [
          START_MS / 1000 + n,
          String(n * Number(metric.i)),
        ]);
        expect(values).toEqual(wanted);
      }
      await running.stop();
      running = null;
    }
  },
);
