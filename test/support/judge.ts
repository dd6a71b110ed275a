/** A real Prometheus of our version to ask the same question, for oracle tests. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exactPrometheus } from './installed.ts';

export const JUDGE_BINARY = exactPrometheus();

export type Judge = {
  readonly url: string;
  /** Sends one remote write body. */
  write(body: Uint8Array): Promise<void>;
  /** GETs an API path below /api/v1 with parameters; the parsed JSON. */
  ask(apiPath: string, params: Record<string, string>): Promise<JudgeAnswer>;
  stop(): Promise<void>;
};

export type JudgeAnswer = {
  status: 'success' | 'error';
  data?: { resultType: string; result: unknown; stats?: unknown };
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
};

/** Starts an empty server with the given features on a free port. */
export async function startJudge(binary: string, features: readonly string[]): Promise<Judge> {
  const directory = mkdtempSync(path.join(tmpdir(), 'narthex-judge-'));
  const port = await freePort();
  const config = path.join(directory, 'prometheus.yml');
  writeFileSync(config, 'storage:\n  tsdb:\n    out_of_order_time_window: 100y\n');
  const child = spawn(
    binary,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--web.enable-remote-write-receiver',
      '--storage.tsdb.retention.time=100y',
      '--log.level=error',
      `--enable-feature=${features.join(',')}`,
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  await untilReady(url, child);
  return {
    url,
    async write(body) {
      const response = await fetch(`${url}/api/v1/write`, {
        method: 'POST',
        body: body as Uint8Array<ArrayBuffer>,
        headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' },
      });
      if (!response.ok) throw new Error(`write: ${response.status} ${await response.text()}`);
    },
    async ask(apiPath, params) {
      const body = new URLSearchParams(params);
      const response = await fetch(`${url}/api/v1/${apiPath}`, { method: 'POST', body });
      return (await response.json()) as JudgeAnswer;
    },
    async stop() {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the judge ended with status ${child.exitCode}`);
    const ready = await fetch(`${url}/-/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the judge does not become ready');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
      });
    });
  });
}
