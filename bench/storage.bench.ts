/**
 * What storage costs, of ours and of the Prometheus that NARTHEX_PROMETHEUS names, one after the other,
 * fed by remote write with series of ten labels, on Linux:
 *
 *   memory   bytes of memory per series, CPU per sample taken in
 *   disk     bytes per sample of the log, and of a block that a snapshot makes of the head; CPU for it
 *   blocks   CPU for cutting blocks from the head and merging them (takes some minutes)
 *
 *   node bench/storage.bench.ts memory [series=100000] [samples a series=30]
 *   node bench/storage.bench.ts disk   [series=10000]  [samples a series=240]
 *   node bench/storage.bench.ts blocks [series=5000]   [hours=13]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MeasuredServer, serversToCompare } from './measured-server.ts';
import { type Load, sendLoad } from './remote-write.ts';
import { SCRAPE_MS } from './tsdb-data.ts';

/** Figure → value, in the order in which they are printed. */
type Figures = Map<string, number>;

const FLAGS = ['--web.enable-remote-write-receiver', '--web.enable-admin-api'];
const SETTLE_MS = 5000;
const HOUR_MS = 3_600_000;
const COMPACTIONS = 'prometheus_tsdb_compactions_total';
/** Both look every minute whether there is something to compact. */
const QUIET_MS = 75_000;
/** Less than the three hours from which on a block is cut. */
const UNCUT_HOURS = 2;

const [kind = 'memory', firstArgument, secondArgument] = process.argv.slice(2);

async function memory(server: MeasuredServer): Promise<Figures> {
  const seriesCount = Number(firstArgument ?? 100_000);
  const load = loadUntilNow(seriesCount, Number(secondArgument ?? 30), SCRAPE_MS);
  await sleep(SETTLE_MS);
  const baseBytes = server.memoryBytes();
  const cpuBefore = server.cpuSeconds();
  await sendLoad(server.url, load);
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  await sleep(SETTLE_MS);
  const bytes = server.memoryBytes();
  return new Map([
    ['series', seriesCount],
    ['base, MB', baseBytes / 1e6],
    ['memory, MB', bytes / 1e6],
    ['bytes per series, base included', bytes / seriesCount],
    ['bytes per series, base apart', (bytes - baseBytes) / seriesCount],
    ['CPU, ns per sample', (cpuSeconds * 1e9) / sampleCount(load)],
  ]);
}

async function disk(server: MeasuredServer): Promise<Figures> {
  const seriesCount = Number(firstArgument ?? 10_000);
  const load = loadUntilNow(seriesCount, Number(secondArgument ?? 240), SCRAPE_MS);
  // As scrapes do: one sample of every series at a time.
  await sendLoad(server.url, { ...load, sampleCountPerRequest: 1 });
  const logBytes = server.diskBytes('wal');
  await sleep(SETTLE_MS);
  const cpuBefore = server.cpuSeconds();
  const { name } = await server.post<{ name: string }>('/api/v1/admin/tsdb/snapshot');
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  const samples = sampleCount(load);
  return new Map([
    ['samples', samples],
    ['log, bytes per sample', logBytes / samples],
    ['block, bytes per sample', server.diskBytes(`snapshots/${name}`) / samples],
    ['CPU for the block, ns per sample', (cpuSeconds * 1e9) / samples],
    ['CPU for the block, µs per series', (cpuSeconds * 1e6) / seriesCount],
  ]);
}

/**
 * The same samples twice: over many hours, and within less than it takes for a block to be cut. What the
 * first takes more is the compactions, which come while samples are taken in.
 */
async function blocks(server: MeasuredServer): Promise<Figures> {
  const hours = Number(secondArgument ?? 13);
  const stepMs = 30_000;
  const load = loadUntilNow(Number(firstArgument ?? 5000), (hours * HOUR_MS) / stepMs, stepMs);
  const cpuSeconds = await cpuUntilQuiet(server, load);
  const count = await server.metric(COMPACTIONS);
  const other = await MeasuredServer.start(server.program, { flags: FLAGS });
  let plainCpuSeconds: number;
  try {
    const shortStepMs = Math.floor((UNCUT_HOURS * HOUR_MS) / load.sampleCountPerSeries);
    const short = loadUntilNow(load.seriesCount, load.sampleCountPerSeries, shortStepMs);
    plainCpuSeconds = await cpuUntilQuiet(other, short);
  } finally {
    await other.stop();
  }
  const samples = sampleCount(load);
  return new Map([
    ['samples', samples],
    ['compactions', count],
    ['CPU with compactions, s', cpuSeconds],
    ['CPU without, s', plainCpuSeconds],
    ['CPU of compactions, ns per sample', ((cpuSeconds - plainCpuSeconds) * 1e9) / samples],
  ]);
}

/** CPU for taking the load in, and for what follows until no compaction has come for a while. */
async function cpuUntilQuiet(server: MeasuredServer, load: Load): Promise<number> {
  const cpuBefore = server.cpuSeconds();
  await sendLoad(server.url, load);
  let count = -1;
  for (let quietSinceMs = performance.now(); performance.now() - quietSinceMs < QUIET_MS; ) {
    await sleep(SETTLE_MS);
    const now = await server.metric(COMPACTIONS);
    if (now !== count) quietSinceMs = performance.now();
    count = now;
  }
  return server.cpuSeconds() - cpuBefore;
}

/** The last sample lies a little before now. */
function loadUntilNow(seriesCount: number, samplesEach: number, stepMs: number): Load {
  const firstMs = Math.floor(Date.now() / 1000) * 1000 - samplesEach * stepMs;
  const sampleCountPerRequest = 10;
  return { seriesCount, sampleCountPerSeries: samplesEach, firstMs, stepMs, sampleCountPerRequest };
}

function sampleCount({ seriesCount, sampleCountPerSeries }: Load): number {
  return seriesCount * sampleCountPerSeries;
}

const KINDS: Readonly<Record<string, (server: MeasuredServer) => Promise<Figures>>> = {
  memory,
  disk,
  blocks,
};
const measure = KINDS[kind];
if (measure === undefined) throw new Error(`one of ${Object.keys(KINDS).join(', ')}, not ${kind}`);
const columns: { readonly name: string; readonly figures: Figures }[] = [];
for (const { name, program } of serversToCompare()) {
  const server = await MeasuredServer.start(program, { flags: FLAGS });
  try {
    columns.push({ name, figures: await measure(server) });
  } finally {
    await server.stop();
  }
}
const [ours, theirs] = columns;
const cell = (value: number) => value.toFixed(value < 100 ? 2 : 0).padStart(12);
console.log(`${''.padEnd(36)}${columns.map(({ name }) => name.padStart(12)).join('')}       ratio`);
for (const [what, value] of ours!.figures) {
  const other = theirs?.figures.get(what);
  const rest = other === undefined ? '' : cell(other) + cell(value / other);
  console.log(what.padEnd(36) + cell(value) + rest);
}
