/**
 * Real programs with a page of metrics, started for a test. What is not installed is skipped with
 * a printed reason, or fails where NARTHEX_REQUIRE is set.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PROMETHEUS } from '../../support/installed.ts';
import { freePort } from '../../src/support/server.ts';

export type RealTarget = {
  readonly name: string;
  readonly address: string;
  readonly stop: () => void;
};

type Program = {
  readonly name: string;
  /** On the PATH, or a whole path. */
  readonly command: string;
  /** Exits with 0 when the program can be used; for those that need more than a command. */
  readonly check?: readonly string[];
  readonly args: (address: string, folder: string) => readonly string[];
  /** Pages to ask for first, so that there is something to count. */
  readonly visits?: readonly string[];
};

const ROOT = path.join(import.meta.dirname, '../../..');
const SUPPORT = path.join(ROOT, 'test/support');
const portOf = (address: string) => address.split(':')[1]!;

const PYTHON_APP = `
import sys, time
from prometheus_client import start_http_server, Counter, Gauge, Histogram, Summary, Info, Enum
requests = Counter('shop_requests', 'Requests.', ['method', 'path'])
stock = Gauge('shop_stock', 'Items in stock.', ['item'])
latency = Histogram('shop_latency_seconds', 'Latency.', buckets=[0.1, 0.5, 1, 5])
size = Summary('shop_size_bytes', 'Sizes.')
Info('shop_build', 'Build.').info({'version': '1.2'})
Enum('shop_state', 'State.', states=['open', 'closed']).state('open')
requests.labels('GET', '/a "b"').inc(3)
stock.labels('çup').set(1.5)
for v in (0.05, 0.3, 0.7, 9): latency.observe(v); size.observe(v)
start_http_server(int(sys.argv[1]), addr='127.0.0.1')
time.sleep(3600)
`;

/** Debian's packages are modules of Debian's Python, which need not be the first on the PATH. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

const PROGRAMS: readonly Program[] = [
  {
    name: 'node exporter',
    command: 'prometheus-node-exporter',
    args: (address) => [`--web.listen-address=${address}`],
  },
  {
    name: 'blackbox exporter',
    command: 'prometheus-blackbox-exporter',
    args: (address, folder) => {
      const file = path.join(folder, 'blackbox.yml');
      writeFileSync(file, 'modules: { http_2xx: { prober: http, timeout: 2s } }\n');
      return [`--web.listen-address=${address}`, `--config.file=${file}`];
    },
  },
  {
    name: 'pushgateway',
    command: 'prometheus-pushgateway',
    args: (address) => [`--web.listen-address=${address}`],
  },
  {
    name: 'alertmanager',
    command: 'prometheus-alertmanager',
    args: (address, folder) => {
      const file = path.join(folder, 'alertmanager.yml');
      writeFileSync(file, 'route: { receiver: none }\nreceivers: [ { name: none } ]\n');
      return [
        `--web.listen-address=${address}`,
        `--config.file=${file}`,
        `--storage.path=${folder}`,
        '--cluster.listen-address=',
      ];
    },
  },
  {
    name: 'python client',
    command: PYTHON,
    check: ['-c', 'import prometheus_client'],
    args: (address) => ['-c', PYTHON_APP, portOf(address)],
  },
  {
    name: 'Flask app',
    command: PYTHON,
    check: ['-c', 'import flask, prometheus_client'],
    args: (address) => [path.join(SUPPORT, 'flask-app.py'), portOf(address)],
  },
  {
    name: 'FastAPI app',
    command: PYTHON,
    check: ['-c', 'import fastapi, uvicorn, prometheus_client'],
    args: (address) => [path.join(SUPPORT, 'fastapi-app.py'), portOf(address)],
    visits: ['/', '/items/1', '/items/no', '/missing'],
  },
  {
    name: 'sample app',
    command: process.execPath,
    args: (address) => [path.join(ROOT, 'examples/app/main.ts'), `--port=${portOf(address)}`],
  },
  {
    name: 'Prometheus',
    command: PROMETHEUS ?? 'prometheus',
    args: (address, folder) => {
      const file = path.join(folder, 'prometheus.yml');
      writeFileSync(file, 'global: { scrape_interval: 15s }\n');
      return [
        `--web.listen-address=${address}`,
        `--config.file=${file}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
      ];
    },
  },
];

/** Starts all that are installed, and waits for their pages. */
export async function startRealTargets(): Promise<RealTarget[]> {
  const usable = PROGRAMS.filter(isUsable);
  const started = await Promise.allSettled(usable.map((program) => start(program)));
  const targets = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = started.find((one) => one.status === 'rejected');
  if (failed === undefined) return targets;
  // None may stay behind because another one did not start.
  for (const { stop } of targets) stop();
  throw failed.reason;
}

function isUsable({ name, command, check = ['--version'] }: Program): boolean {
  if (spawnSync(command, check, { stdio: 'ignore' }).status === 0) return true;
  const reason = `${name}: ${[command, ...check].join(' ')} does not work here`;
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error(reason);
  console.info(`skipped: ${reason}`);
  return false;
}

async function start(program: Program): Promise<RealTarget> {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-target-'));
  const address = `127.0.0.1:${await freePort()}`;
  const child: ChildProcess = spawn(program.command, program.args(address, folder), {
    stdio: 'ignore',
  });
  const stop = () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 400; attempt++) {
    const isUp = await fetch(`http://${address}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) {
      for (const page of program.visits ?? []) await fetch(`http://${address}${page}`);
      return { name: program.name, address, stop };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  stop();
  throw new Error(`${program.name} does not answer`);
}

/**
 * Stands in front of targets, asks each page once per format, and answers with that from then on,
 * so that two servers that scrape get the same. The path is `/<address of the target>/<page>`.
 */
export async function freezePages(): Promise<{ address: string; close: () => void }> {
  type Page = { readonly contentType: string; readonly body: Buffer };
  const pages = new Map<string, Promise<Page>>();
  const server = createServer((request, response) => {
    const accept = request.headers.accept ?? '';
    // Servers of different versions word it differently; the format that they like best counts.
    const key = `${request.url} ${/^[\w./-]+/.exec(accept)?.[0]}`;
    let page = pages.get(key);
    if (page === undefined) {
      page = fetch(`http:/${request.url}`, { headers: { accept } }).then(async (answer) => ({
        contentType: answer.headers.get('content-type') ?? '',
        body: Buffer.from(await answer.arrayBuffer()),
      }));
      pages.set(key, page);
    }
    page.then(
      ({ contentType, body }) => {
        response.setHeader('Content-Type', contentType);
        response.end(body);
      },
      () => response.writeHead(502).end(),
    );
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
