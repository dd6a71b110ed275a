/**
 * Real programs with a page of metrics, started for a test. What is not installed is skipped with
 * a printed reason, or fails where NARTHEX_REQUIRE is set.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

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
};

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
    args: (address) => ['-c', PYTHON_APP, address.split(':')[1]!],
  },
];

/** Starts all that are installed, and waits for their pages. */
export async function startRealTargets(): Promise<RealTarget[]> {
  const usable = PROGRAMS.filter(isUsable);
  const started = await Promise.all(usable.map((program) => start(program)));
  return started;
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
  for (let attempt = 0; attempt < 200; attempt++) {
    const isUp = await fetch(`http://${address}/metrics`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return { name: program.name, address, stop };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  stop();
  throw new Error(`${program.name} does not answer`);
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createTcpServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
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
