/**
 * The same samples sent to a real server and to ours make the same block: the same chunks with the
 * same borders, the same index, byte for byte. Blocks are taken by snapshot, so nobody has to wait.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type Histogram, Labels, toFloatHistogram } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import { isFloatEncoding } from '../../../tsdb/chunk/encoding.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { exactPrometheus } from '../../support/installed.ts';
import { encodeWriteRequest, type WrittenSeries } from '../../support/remote-write.ts';
import { type RunningServer, startServer } from '../support/tools.ts';

const NARTHEX = path.resolve(import.meta.dirname, '../../../bin/narthex');
const MINUTE_MS = 60_000;
/** Below one and a half block ranges, so that nobody begins to compact, and across a border. */
const MINUTE_COUNT = 170;

/** Of a chunk of histograms: behind the number of samples. */
const RESET_BYTE = 2;

const prometheus = exactPrometheus();
let folder = '';
const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.kill()));
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

/** Numbers in [0, 1), the same in each run. */
function* chance(seed: number): Generator<number, never> {
  let state = seed >>> 0;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** How far the next sample of a series is. */
const PACES: Readonly<Record<string, (minute: number, random: number) => number>> = {
  everySecond: () => 1000,
  every15s: () => 15_000,
  jittery: (_, random) => 5000 + Math.floor(random * 2000) - 1000,
  random: (_, random) => 1 + Math.floor(random ** 4 * 60_000),
  slow: () => 120_000,
  faster: (minute) => (minute < 60 ? 30_000 : 700),
  slower: (minute) => (minute < 20 ? 500 : 45_000),
  withGap: (minute) => (minute === 70 ? 25 * MINUTE_MS : 7000),
};

type ValueOf = (n: number, random: number) => number | Histogram | 'stale';
const VALUES: Readonly<Record<string, ValueOf>> = {
  counter: (n) => n * 7,
  constant: () => 42,
  noise: (_, random) => random * 1e6 - 5e5,
  stale: (n) => (n % 50 === 49 ? 'stale' : n % 3),
  odd: (n, random) => [NaN, Infinity, -0, 5e-324, random][n % 5]!,
  growing: (n) => histogram(n, 1 + Math.floor(n / 37)),
  resetting: (n) => histogram(n % 90, 4),
  shifting: (n) => histogram(n, 3 + (n % 11), n % 5),
  custom: (n) => customHistogram(n),
  mixed: (n) => (n % 40 < 20 ? n : histogram(n, 2)),
};

function histogram(n: number, bucketCount: number, offset = 0): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 3,
    zeroThreshold: 0.001,
    zeroCount: n,
    count: n + n * bucketCount,
    sum: n * 1.5,
    positiveSpans: [{ offset, length: bucketCount }],
    negativeSpans: [],
    positiveDeltas: [n, ...Array.from({ length: bucketCount - 1 }, () => 0)],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
  };
}

function customHistogram(n: number): Histogram {
  const customBounds = n % 200 < 150 ? [0.1, 1, 10] : [0.1, 1, 10, 100];
  return {
    ...histogram(n, 3),
    schema: -53,
    zeroThreshold: 0,
    zeroCount: 0,
    count: n * 3,
    customBounds,
  };
}

class Writer {
  readonly labels: Labels;
  readonly #pace: (minute: number, random: number) => number;
  readonly #value: ValueOf;
  readonly #isFloat: boolean;
  readonly #random: Generator<number, never>;
  #nextMs: number;
  #count = 0;

  constructor(pace: string, value: string, isFloat: boolean, startMs: number, seed: number) {
    this.labels = Labels.fromObject({ __name__: value, pace, float: String(isFloat) });
    this.#pace = PACES[pace]!;
    this.#value = VALUES[value]!;
    this.#isFloat = isFloat;
    this.#random = chance(seed);
    this.#nextMs = startMs;
  }

  /** What comes before `endMs`. */
  take(minute: number, endMs: number): WrittenSeries {
    const series: WrittenSeries = { labels: this.labels, samples: [], histograms: [] };
    while (this.#nextMs < endMs) {
      const timestampMs = this.#nextMs;
      this.#nextMs += this.#pace(minute, this.#random.next().value);
      const value = this.#value(this.#count++, this.#random.next().value);
      if (value === 'stale') series.samples.push({ timestampMs, value: 0, stale: true });
      else if (typeof value === 'number') series.samples.push({ timestampMs, value, stale: false });
      else {
        const stored = this.#isFloat ? toFloatHistogram(value) : value;
        series.histograms.push({ timestampMs, histogram: stored });
      }
    }
    return series;
  }
}

/** Series with one kind of samples in a minute; messages cannot say in which order they came. */
function isPlain({ samples, histograms }: WrittenSeries): boolean {
  return samples.length === 0 || histograms.length === 0;
}

async function post(url: string, target: string, body: Uint8Array | null): Promise<string> {
  const response = await fetch(`${url}${target}`, {
    method: 'POST',
    headers: { 'Content-Encoding': 'snappy', 'Content-Type': 'application/x-protobuf' },
    body: body as Uint8Array<ArrayBuffer> | null,
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${target}: ${response.status} ${text}`);
  return text;
}

async function snapshotOf(server: RunningServer, directory: string): Promise<string> {
  const answer = await post(server.url, '/api/v1/admin/tsdb/snapshot', null);
  const { data } = JSON.parse(answer) as { data: { name: string } };
  const snapshot = path.join(directory, 'snapshots', data.name);
  const blocks = readdirSync(snapshot);
  expect(blocks.length).toBe(1);
  return path.join(snapshot, blocks[0]!);
}

/**
 * Chunks of each series as text. A real server encodes the open chunk of a series anew, and then
 * does not say whether a histogram began with a reset; so neither does this of the last chunks.
 */
function chunksOf(directory: string): Map<string, string[]> {
  const block = Block.open(NODE_FILES, directory, new WindowCache());
  const found = new Map<string, string[]>();
  for (const { labels, chunks } of block.source().series()) {
    const described = chunks.map(({ encoding, bytes, minMs, maxMs }, i) => {
      const content = Buffer.from(bytes);
      if (i === chunks.length - 1 && !isFloatEncoding(encoding)) content[RESET_BYTE]! &= 0x3f;
      return `${encoding} ${minMs} ${maxMs} ${content.toString('hex')}`;
    });
    found.set(labels.toString(), described);
  }
  block.close();
  return found;
}

test.skipIf(prometheus === null).each([
  { features: 'native-histograms', segmentMegabytes: 512, segmentCount: 1, seed: 1 },
  { features: 'native-histograms,xor2-encoding', segmentMegabytes: 1, segmentCount: 12, seed: 2 },
])(
  'the same samples make the same block, with $features',
  { timeout: 120_000 },
  async ({ features, segmentMegabytes, segmentCount, seed }) => {
    folder = mkdtempSync(path.join(tmpdir(), 'narthex-bytes-'));
    const directories = [path.join(folder, 'theirs'), path.join(folder, 'ours')];
    for (const [i, binary] of [prometheus!, NARTHEX].entries()) {
      NODE_FILES.makeDirectory(directories[i]!);
      const options = [
        '--web.enable-remote-write-receiver',
        '--web.enable-admin-api',
        `--enable-feature=${features}`,
        `--storage.tsdb.max-block-chunk-segment-size=${segmentMegabytes}MB`,
      ];
      running.push(await startServer(binary, directories[i]!, ...options));
    }
    const startMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - MINUTE_COUNT * MINUTE_MS;
    const writers: Writer[] = [];
    for (const pace of Object.keys(PACES)) {
      for (const value of Object.keys(VALUES)) {
        const isHistogram = typeof VALUES[value]!(39, 0.5) === 'object';
        for (const isFloat of isHistogram ? [false, true] : [false]) {
          writers.push(new Writer(pace, value, isFloat, startMs, seed * 1000 + writers.length));
        }
      }
    }
    let sampleCount = 0;
    for (let minute = 0; minute < MINUTE_COUNT; minute++) {
      const endMs = startMs + (minute + 1) * MINUTE_MS;
      const series = writers.map((writer) => writer.take(minute, endMs)).filter(isPlain);
      for (const { samples, histograms } of series)
        sampleCount += samples.length + histograms.length;
      const body = encodeWriteRequest(series);
      for (const { url } of running) await post(url, '/api/v1/write', body);
    }
    const [theirs = '', ours = ''] = await Promise.all(
      running.map((server, i) => snapshotOf(server, directories[i]!)),
    );
    const wanted = chunksOf(theirs);
    const got = chunksOf(ours);
    const differing: string[] = [];
    for (const [series, chunks] of wanted) {
      const own = got.get(series) ?? [];
      const at = chunks.findIndex((chunk, i) => chunk !== own[i]);
      if (at < 0 && own.length === chunks.length) continue;
      differing.push(
        `${series}, chunk ${at} of ${chunks.length} (we have ${own.length}):\n` +
          `  ${chunks[at]?.slice(0, 90)}\n  ${own[at]?.slice(0, 90)}`,
      );
    }
    expect(differing.slice(0, 5)).toEqual([]);
    const [theirIndex, ourIndex] = [theirs, ours].map((at) => readFileSync(path.join(at, 'index')));
    expect(Buffer.compare(theirIndex!, ourIndex!), 'index').toBe(0);
    const [theirSizes, ourSizes] = [theirs, ours].map((at) =>
      readdirSync(path.join(at, 'chunks'))
        .sort()
        .map((name) => [name, statSync(path.join(at, 'chunks', name)).size]),
    );
    expect(ourSizes, 'sizes of the chunk files').toEqual(theirSizes);
    expect(ourSizes!.length).toBe(segmentCount);
    const [theirMeta, ourMeta] = [theirs, ours].map(
      (block) => JSON.parse(readFileSync(path.join(block, 'meta.json'), 'utf8')) as object,
    );
    const named = { ulid: '', compaction: { level: 1, sources: [''] } };
    expect({ ...ourMeta, ...named }).toEqual({ ...theirMeta, ...named });
    const chunkCount = [...wanted.values()].reduce((sum, chunks) => sum + chunks.length, 0);
    expect(chunkCount).toBeGreaterThan(2000);
    console.info(`${wanted.size} series, ${sampleCount} samples, ${chunkCount} chunks`);
  },
);
