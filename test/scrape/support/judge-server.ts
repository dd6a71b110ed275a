/** A real Prometheus that scrapes what a test serves, to ask it the same question. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exactPrometheus } from '../../support/installed.ts';
import { freePort } from '../../src/support/server.ts';

export const JUDGE_BINARY = exactPrometheus();

export type JudgeTarget = {
  readonly discoveredLabels: Record<string, string>;
  readonly labels: Record<string, string>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
};
export type JudgeSeries = {
  readonly metric: Record<string, string>;
  readonly value?: [number, string];
  readonly histogram?: [number, unknown];
};

export class JudgeServer {
  readonly url: string;
  /** Its configuration file lies here; removed when it stops. */
  readonly folder: string;
  readonly #child: ChildProcess;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#child = child;
    this.folder = folder;
  }

  /** Starts a server with this configuration. */
  static async start(
    config: string,
    flags: readonly string[] = [],
    binary = JUDGE_BINARY!,
  ): Promise<JudgeServer> {
    const folder = mkdtempSync(path.join(tmpdir(), 'narthex-judge-'));
    writeFileSync(path.join(folder, 'prometheus.yml'), config);
    const address = `127.0.0.1:${await freePort()}`;
    // What is set up for Amazon on this machine is not for the test.
    const env = { ...process.env, AWS_CA_BUNDLE: undefined, AWS_PROFILE: undefined };
    const child = spawn(
      binary,
      [
        `--config.file=${path.join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=${address}`,
        '--log.level=error',
        ...flags,
      ],
      { stdio: 'ignore', env },
    );
    const server = new JudgeServer(`http://${address}`, child, folder);
    try {
      await server.#untilReady();
    } catch (error) {
      server.stop();
      throw error;
    }
    return server;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  get configFile(): string {
    return path.join(this.folder, 'prometheus.yml');
  }

  /** Takes another configuration; false when it refuses. Needs `--web.enable-lifecycle`. */
  async reload(config: string): Promise<boolean> {
    writeFileSync(this.configFile, config);
    const { ok } = await fetch(`${this.url}/-/reload`, { method: 'POST' });
    return ok;
  }

  /** The `data` part of an answer. */
  async ask<T>(apiPath: string, params: Record<string, string> = {}): Promise<T> {
    const query = new URLSearchParams(params).toString();
    const response = await fetch(`${this.url}/api/v1/${apiPath}?${query}`);
    const answer = (await response.json()) as { data?: T; error?: string };
    if (answer.data === undefined) throw new Error(answer.error ?? `no data from ${apiPath}`);
    return answer.data;
  }

  /** All targets, once each of `count` has been scraped. */
  async scrapedTargets(count: number): Promise<JudgeTarget[]> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const { activeTargets } = await this.ask<{ activeTargets: JudgeTarget[] }>('targets');
      const done = activeTargets.filter(({ health }) => health !== 'unknown');
      if (done.length >= count) return done;
      await sleep(100);
    }
    throw new Error('the judge does not scrape all targets');
  }

  /** Waits until there are `count` pools, which takes discovery some seconds. */
  async scrapePools(count: number): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const { scrapePools } = await this.ask<{ scrapePools: string[] }>('scrape_pools');
      if (scrapePools.length >= count) return;
      await sleep(100);
    }
    throw new Error('the judge does not create its scrape pools');
  }

  async series(selector: string): Promise<JudgeSeries[]> {
    const { result } = await this.ask<{ result: JudgeSeries[] }>('query', { query: selector });
    return result;
  }

  async #untilReady(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if (this.#child.exitCode !== null)
        throw new Error('the judge does not take its configuration');
      const ready = await fetch(`${this.url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (ready) return;
      await sleep(50);
    }
    throw new Error('the judge does not become ready');
  }
}

export type Body = { readonly contentType: string; readonly body: string | Uint8Array };

/** Serves `/body/<index>`. */
export async function serveBodies(
  bodies: readonly Body[],
): Promise<{ address: string; close: () => void }> {
  const server: Server = createServer((request, response) => {
    const { contentType, body } = bodies[Number(request.url!.split('/')[2])]!;
    if (contentType !== '') response.setHeader('Content-Type', contentType);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
