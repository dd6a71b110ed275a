/**
 * `npm start`: the sample app and the server that scrapes it, until Ctrl-C.
 * Arguments go to the server: `npm start -- --web.listen-address=127.0.0.1:9091`.
 * The sample app's port is 8000; APP_PORT changes it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { parseCommandLine, UsageError } from '../src/flags.ts';
import { parseListenAddress } from '../src/listen-address.ts';

const ROOT = path.dirname(import.meta.dirname);
const EXAMPLE = path.join(ROOT, 'examples', 'prometheus.yml');
const EXAMPLE_SERVER = 'localhost:9090';
const EXAMPLE_APP = 'localhost:8000';
const NODE_EXPORTER_PORT = 9100;
/** Reading a long log takes a while; from then on we say that we wait. */
const PATIENCE_MS = 5000;
const STOP_WITHIN_MS = 10_000;

const say = (text: string) => process.stdout.write(`${text}\n`);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function fail(text: string): never {
  process.stderr.write(`narthex: ${text}\n`);
  process.exit(1);
}

function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 300 });
    const done = (result: boolean) => (socket.destroy(), resolve(result));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}

/** A target list for file_sd when a node exporter runs here; none otherwise. */
async function writeNodeTargets(dataFolder: string): Promise<boolean> {
  const folder = path.join(dataFolder, 'file_sd');
  const file = path.join(folder, 'node.json');
  // There in any case, because the server watches it.
  mkdirSync(folder, { recursive: true });
  if (!(await answers(NODE_EXPORTER_PORT))) {
    rmSync(file, { force: true });
    return false;
  }
  writeFileSync(file, JSON.stringify([{ targets: [`localhost:${NODE_EXPORTER_PORT}`] }]));
  return true;
}

/** The example configuration, for other ports or another data folder as a copy that fits. */
function configFor(serverPort: number, appPort: number, dataFolder: string): string {
  const isUsual = serverPort === 9090 && appPort === 8000 && dataFolder === path.join(ROOT, 'data');
  if (isUsual) return EXAMPLE;
  const text = readFileSync(EXAMPLE, 'utf8')
    .replaceAll(EXAMPLE_SERVER, `localhost:${serverPort}`)
    .replaceAll(EXAMPLE_APP, `localhost:${appPort}`)
    .replaceAll('../data/', `${dataFolder}/`)
    .replace('- rules.yml', `- ${path.join(path.dirname(EXAMPLE), 'rules.yml')}`);
  const copy = path.join(dataFolder, 'file_sd', 'prometheus.yml');
  mkdirSync(path.dirname(copy), { recursive: true });
  writeFileSync(copy, text);
  return copy;
}

async function isReady(port: number, prefix: string): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}${prefix}/-/ready`)).ok;
  } catch {
    return false;
  }
}

function readFlags(args: readonly string[]) {
  try {
    const line = parseCommandLine(args);
    if (line.action === 'run') return line;
  } catch (error) {
    if (error instanceof UsageError) fail(error.message);
    throw error;
  }
  return fail('for --help and --version, ask bin/narthex');
}

const args = process.argv.slice(2);
const { values, given } = readFlags(args);
const listen = parseListenAddress(values['web.listen-address'][0]!);
const appPort = Number(process.env['APP_PORT'] ?? '8000');
if (!(await isFree(listen.port, listen.host === '' ? '0.0.0.0' : listen.host))) {
  fail(
    `port ${listen.port} is in use; choose another with: npm start -- --web.listen-address=127.0.0.1:${listen.port + 1}`,
  );
}
if (!(await isFree(appPort, '127.0.0.1'))) {
  fail(
    `port ${appPort} (sample app) is in use; choose another with: APP_PORT=${appPort + 1} npm start`,
  );
}

const dataFolder = path.resolve(ROOT, values['storage.tsdb.path']);
const config = given.has('config.file')
  ? values['config.file']
  : configFor(listen.port, appPort, dataFolder);
const hasNode = await writeNodeTargets(dataFolder);

const children: ChildProcess[] = [];
const stopping = new AbortController();

function stop(exitCode: number): void {
  if (stopping.signal.aborted) return;
  stopping.abort();
  for (const child of children) child.kill('SIGTERM');
  setTimeout(() => {
    for (const child of children) child.kill('SIGKILL');
  }, STOP_WITHIN_MS).unref();
  const running = children.filter((child) => child.exitCode === null && child.signalCode === null);
  void Promise.all(running.map((child) => new Promise((gone) => child.once('exit', gone)))).then(
    () => process.exit(exitCode),
  );
}

function startChild(name: string, script: string, childArgs: readonly string[]): void {
  const child = spawn(process.execPath, [path.resolve(ROOT, script), ...childArgs], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  child.once('exit', (code) => {
    if (stopping.signal.aborted) return;
    process.stderr.write(`narthex: the ${name} ended (${code}); stopping\n`);
    stop(code ?? 1);
  });
  children.push(child);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(0));
startChild('sample app', 'examples/app/main.ts', [`--port=${appPort}`]);
const configArgs = given.has('config.file') ? [] : [`--config.file=${config}`];
const usual = [
  ...(given.has('log.level') ? [] : ['--log.level=warn']),
  // The sample app has exemplars.
  ...(given.has('enable-feature') ? [] : ['--enable-feature=exemplar-storage']),
];
startChild('server', process.env['NARTHEX_ENTRY'] ?? 'src/main.ts', [
  ...configArgs,
  '--web.enable-lifecycle',
  ...usual,
  ...args,
]);

const prefix = (values['web.route-prefix'] ?? '').replace(/\/$/, '');
const patience = setTimeout(
  () => say('  waiting until the server has read its log ...'),
  PATIENCE_MS,
);
while (!stopping.signal.aborted && !(await isReady(listen.port, prefix))) await sleep(50);
clearTimeout(patience);
if (!stopping.signal.aborted) {
  say('');
  say(`  Narthex        http://localhost:${listen.port}${prefix}/`);
  say(`  sample app     http://localhost:${appPort}/   (its metrics: /metrics)`);
  say(`  configuration  ${path.relative(ROOT, config)}`);
  say(`  data           ${dataFolder}`);
  if (hasNode) say(`  node exporter  found on port ${NODE_EXPORTER_PORT}, scraped too`);
  say('');
  say('  Ctrl-C stops everything.');
  say('');
}
