/**
 * A block of 15,000 series over two hours, a sample each 15 s: writing it, opening it, and the usual
 * questions to it. CPU and wall time.
 *
 *   node bench/block.bench.ts [directory]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  compareLabels,
  compareText,
  highBits,
  Labels,
  lowBits,
  Matcher,
  SampleBuffer,
} from '../model/index.ts';
import { Block } from '../tsdb/block/block.ts';
import type { BlockSource, SourceChunk } from '../tsdb/block/block-source.ts';
import { writeBlock } from '../tsdb/block/block-writer.ts';
import { newCompaction } from '../tsdb/block/meta-json.ts';
import { UlidSource } from '../tsdb/block/ulid.ts';
import { XorEncoder } from '../tsdb/chunk/xor-encoder.ts';
import { compactBlocks } from '../tsdb/compaction/compact.ts';
import { WindowCache } from '../tsdb/io/file-window.ts';
import { NODE_FILES } from '../tsdb/io/node-files.ts';
import { BlockQuerier } from '../tsdb/query/block-querier.ts';

const START_MS = 1_761_955_200_000;
const SAMPLE_COUNT = 480;
const STEP_MS = 15_000;

/** Prints the best of some rounds of `count` runs: the round that was disturbed least. */
function measure<T>(what: string, run: () => T, count = 1): T {
  let cpuMs = Number.POSITIVE_INFINITY;
  let wallMs = Number.POSITIVE_INFINITY;
  let result = run();
  for (let round = 0; round < (count === 1 ? 1 : 10); round++) {
    const before = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < count; i++) result = run();
    const { user, system } = process.cpuUsage(before);
    cpuMs = Math.min(cpuMs, (user + system) / 1000 / count);
    wallMs = Math.min(wallMs, (performance.now() - start) / count);
  }
  console.log(`${what}: ${cpuMs.toFixed(3)} ms CPU, ${wallMs.toFixed(3)} ms`);
  return result;
}

/** 10,000 counters, 4,000 buckets, 1,000 gauges. */
function* allLabels(): Generator<Labels> {
  for (let i = 0; i < 10_000; i++) {
    yield Labels.fromObject({
      __name__: 'http_requests_total',
      job: `job-${i % 4}`,
      instance: `inst-${String((i >> 2) % 25).padStart(2, '0')}`,
      method: ['GET', 'POST', 'PUT', 'DELETE'][Math.floor(i / 100) % 4]!,
      path: `/api/v1/${['users', 'orders', 'items', 'carts', 'search'][Math.floor(i / 400) % 5]!}`,
      status: ['200', '204', '404', '500', '503'][Math.floor(i / 2000)]!,
    });
  }
  for (let i = 0; i < 4000; i++) {
    yield Labels.fromObject({
      __name__: 'http_request_duration_seconds_bucket',
      job: `job-${i % 4}`,
      instance: `inst-${String((i >> 2) % 25).padStart(2, '0')}`,
      path: `/api/v1/p${Math.floor(i / 100) % 4}`,
      le: String(2 ** (Math.floor(i / 400) - 5)),
    });
  }
  for (let i = 0; i < 1000; i++) {
    yield Labels.fromObject({ __name__: 'a_thousand', job: 'job-0', id: `id-${i}` });
  }
}

function chunksOf(series: number): SourceChunk[] {
  const chunks: SourceChunk[] = [];
  const encoder = new XorEncoder();
  let value = series;
  for (let i = 0; i < SAMPLE_COUNT; i++) {
    value += Math.floor(Math.abs(Math.sin(i + series)) * 50);
    encoder.append(START_MS + i * STEP_MS + (series % 7), highBits(value), lowBits(value));
    if (encoder.count < 120) continue;
    const { firstMs: minMs, lastMs: maxMs, count: sampleCount, encoding } = encoder;
    chunks.push({ minMs, maxMs, sampleCount, encoding, bytes: encoder.finish() });
    encoder.reset();
  }
  return chunks;
}

const directory = mkdtempSync(path.join(process.argv[2] ?? tmpdir(), 'narthex-block-'));
const list = [...allLabels()]
  .sort(compareLabels)
  .map((labels, i) => ({ labels, chunks: chunksOf(i) }));
const texts = new Set(list.flatMap(({ labels }) => labels.flat));
const source: BlockSource = { symbols: () => [...texts].sort(compareText), series: () => list };
const ulids = new UlidSource();
const endMs = START_MS + 2 * 3_600_000;
const write = () => {
  const ulid = ulids.next(Date.now());
  const meta = {
    ulid,
    minMs: START_MS,
    endMs,
    compaction: newCompaction(ulid),
  };
  writeBlock({ files: NODE_FILES, dataDirectory: directory, meta, source });
  return ulid;
};
write();
const ulid = measure(`write ${list.length} series`, write);
const open = () => Block.open(NODE_FILES, `${directory}/${ulid}`, new WindowCache());
open().close();
const block = measure('open', open, 5);
console.log(`index ${block.index.sizeBytes} B, chunks ${block.chunks.sizeBytes} B`);

const querier = new BlockQuerier(block);
const out = new SampleBuffer();
const equal = (name: string, value: string) => new Matcher(name, '=', value);
const counter = equal('__name__', 'http_requests_total');
const questions: Record<string, Matcher[]> = {
  'one series': [
    counter,
    equal('job', 'job-1'),
    equal('status', '500'),
    equal('method', 'GET'),
    equal('instance', 'inst-04'),
  ],
  '1,000 series': [equal('__name__', 'a_thousand')],
  '400 series by regular expression': [
    counter,
    new Matcher('path', '=~', '/api/v1/(users|orders)'),
    new Matcher('status', '!~', '5..'),
    equal('job', 'job-2'),
    equal('method', 'GET'),
  ],
  '10,000 series': [counter],
  'all series': [new Matcher('job', '!=', '')],
};
for (const [what, matchers] of Object.entries(questions)) {
  const rounds = what.includes('10,000') || what.includes('all') ? 2 : 20;
  querier.select(matchers, START_MS, endMs);
  const rows = measure(`select ${what}`, () => querier.select(matchers, START_MS, endMs), rounds);
  let samples = 0;
  const readAll = () => {
    samples = 0;
    for (let row = 0; row < rows.labels.length; row++) {
      rows.read(row, START_MS, endMs, out);
      samples += out.count;
    }
  };
  readAll();
  measure(
    `  read ${rows.labels.length} rows, ${rows.labels.length * SAMPLE_COUNT} samples`,
    readAll,
    2,
  );
}
measure('label names', () => querier.labelNames([]), 20);
measure('label names of 10,000 series', () => querier.labelNames([counter]), 20);
measure('values of a label', () => querier.labelValues('instance', []), 20);
measure('values of a label of 10,000 series', () => querier.labelValues('instance', [counter]), 20);
measure(
  'values of a label of 4,000 series',
  () => querier.labelValues('id', [equal('job', 'job-0')]),
  20,
);
block.close();

const parents = [ulid, write()];
measure('compact two blocks with the same samples', () =>
  compactBlocks({
    files: NODE_FILES,
    dataDirectory: directory,
    parents,
    ulid: ulids.next(Date.now()),
  }),
);
rmSync(directory, { recursive: true });
