/** Blocks that we wrote, read by Prometheus's own tool. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isStaleAt, Labels, SampleBuffer } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import { writeBlock } from '../../../tsdb/block/block-writer.ts';
import { newCompaction } from '../../../tsdb/block/meta-json.ts';
import { Tombstones } from '../../../tsdb/block/tombstone-file.ts';
import { UlidSource } from '../../../tsdb/block/ulid.ts';
import { compactBlocks } from '../../../tsdb/compaction/compact.ts';
import { encodeRawSamples, RawSamples } from '../../../tsdb/compaction/raw-samples.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import type { BlockSource } from '../../../tsdb/block/block-source.ts';
import { type PlainSeries, sourceOf } from '../support/blocks.ts';
import { fixturePaths } from '../support/conformance.ts';
import { dumpedText, floatText, histogramText } from '../support/sample-text.ts';
import {
  PROMETHEUS,
  PROMETHEUS_VERSION,
  promtool,
  PROMTOOLS,
  startServer,
} from '../support/tools.ts';

const START_MS = 1_761_955_200_000;
const HOUR_MS = 3_600_000;
const ulids = new UlidSource();

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-block-'));
  mkdirSync(path.join(directory, 'wal')); // the tool wants one
});
afterAll(() => rmSync(directory, { recursive: true }));

function write(source: BlockSource, minMs: number, endMs: number): string {
  const ulid = ulids.next(Date.now());
  const compaction = newCompaction(ulid);
  writeBlock({
    files: NODE_FILES,
    dataDirectory: directory,
    source,
    meta: { ulid, minMs, endMs, compaction },
  });
  return ulid;
}

/** Our own dump of all blocks, in the tool's order of lines, sorted. */
function ourDump(): string[] {
  const lines: string[] = [];
  const out = new SampleBuffer();
  for (const ulid of NODE_FILES.list(directory).filter((name) => name.startsWith('01'))) {
    const block = Block.open(NODE_FILES, `${directory}/${ulid}`, new WindowCache());
    const rows = new BlockQuerier(block).select([], -Infinity, Infinity);
    rows.labels.forEach((labels, row) => {
      rows.read(row, -Infinity, Infinity, out);
      for (let i = 0; i < out.count; i++) {
        const histogram = out.histograms?.[i] ?? null;
        const text = histogram === null ? floatText(out.values[i]!) : histogramText(histogram);
        lines.push(`${labels.toString()} ${text} ${out.timestampsMs[i]}`);
      }
    });
    block.close();
  }
  return lines.sort();
}

function theirDump(tool: string): string[] {
  return promtool(tool, 'tsdb', 'dump', directory)
    .trimEnd()
    .split('\n')
    .map((line) => {
      const match = /^(\{.*?\}) (\{.*\}|\S+) (-?\d+)$/.exec(line)!;
      return `${match[1]} ${dumpedText(match[2]!)} ${match[3]}`;
    })
    .sort();
}

const seriesList: PlainSeries[] = [
  ...['a', 'b', 'c'].map((job, j) => ({
    labels: Labels.fromObject({ __name__: 'requests_total', job, instance: `host-${j}:9100` }),
    samples: Array.from(
      { length: 240 },
      (_, i) => [START_MS + i * 30_000 + (i % 7), i * j + 0.25] as const,
    ),
  })),
  {
    labels: Labels.fromObject({ __name__: 'special', ort: 'straße', zeichen: '温度' }),
    samples: [NaN, Infinity, -Infinity, 0, -0, 1e300, 5e-324].map(
      (value, i) => [START_MS + i, value] as const,
    ),
  },
];

describe.skipIf(PROMTOOLS.length === 0).each(PROMTOOLS)('%s', (tool) => {
  test('lists, analyses and dumps a block of ours', () => {
    const ulid = write(sourceOf(seriesList), START_MS, START_MS + 2 * HOUR_MS);
    const listed = promtool(tool, 'tsdb', 'list', directory);
    expect(listed).toContain(ulid);
    expect(listed).toMatch(/\b727\b/); // samples
    const analysis = promtool(tool, 'tsdb', 'analyze', directory, ulid);
    expect(analysis).toMatch(/Series: 4\b/);
    expect(analysis).toMatch(/Label names: 5/);
    expect(theirDump(tool)).toEqual(ourDump());
    rmSync(path.join(directory, ulid), { recursive: true });
  });

  test('sees deletions and what compaction made of them', () => {
    const later = seriesList.map(({ labels, samples }) => ({
      labels,
      samples: samples.map(([t, value]) => [t + 15_000, -value] as const),
    }));
    const parents = [seriesList, later].map((list) =>
      write(sourceOf(list, 50), START_MS, START_MS + 3 * HOUR_MS),
    );
    const block = Block.open(NODE_FILES, `${directory}/${parents[0]}`, new WindowCache());
    const tombstones = new Tombstones();
    for (const ref of block.index.postings('job', 'b')) {
      tombstones.add(ref, START_MS + 600_000, START_MS + 1_200_000);
    }
    block.setTombstones(tombstones);
    block.close();
    const before = ourDump();
    expect(theirDump(tool)).toEqual(before);
    const ulid = ulids.next(Date.now());
    const options = { files: NODE_FILES, dataDirectory: directory, parents, ulid };
    const { meta } = compactBlocks(options);
    expect(meta!.stats.sampleCount).toBe(before.length);
    for (const parent of parents) rmSync(path.join(directory, parent), { recursive: true });
    expect(ourDump()).toEqual(before);
    expect(theirDump(tool)).toEqual(before);
    rmSync(path.join(directory, ulid), { recursive: true });
  });
});

/** Version 3 knows every encoding. */
const isVersion3 = PROMETHEUS_VERSION.startsWith('3.');
const fixtureBlocks = fixturePaths('fixture-3.14/xor2', 'data/01M7*');

/** The block with every chunk decoded and encoded anew. */
function recoded(block: Block): BlockSource {
  const original = block.source();
  const place = { file: block.directory, offsetBytes: 0 };
  return {
    symbols: () => original.symbols(),
    *series() {
      for (const { labels, chunks } of original.series()) {
        const samples = new RawSamples();
        for (const { encoding, bytes } of chunks) {
          samples.appendChunk(encoding, bytes, null, place);
        }
        yield { labels, chunks: encodeRawSamples(samples, true) };
      }
    },
  };
}

describe.skipIf(!isVersion3 || fixtureBlocks.length === 0)('a server of version 3', () => {
  test('answers from blocks of ours in every encoding as we do', async () => {
    const made: string[] = [];
    for (const parent of fixtureBlocks) {
      const block = Block.open(NODE_FILES, parent, new WindowCache());
      made.push(write(recoded(block), block.meta.minMs, block.meta.endMs));
      block.close();
    }
    // The tool's dump loses samples where floats and histograms meet; the server does not.
    const server = await startServer(PROMETHEUS!, directory);
    try {
      let compared = 0;
      for (const ulid of made) {
        const block = Block.open(NODE_FILES, `${directory}/${ulid}`, new WindowCache());
        const { minMs, endMs } = block.meta;
        compared += await compareWithServer(server.url, block, minMs, endMs);
        block.close();
      }
      expect(compared).toBeGreaterThan(150_000);
    } finally {
      await server.stop();
      for (const ulid of made) rmSync(path.join(directory, ulid), { recursive: true });
    }
  });
});

type ServerSeries = {
  readonly metric: Record<string, string>;
  readonly values?: readonly (readonly [seconds: number, value: string])[];
  readonly histograms?: readonly (readonly [
    seconds: number,
    histogram: { count: string; sum: string; buckets?: [number, string, string, string][] },
  ])[];
};

/** Compares all samples of a block with the server's; returns how many there were. */
async function compareWithServer(
  url: string,
  block: Block,
  minMs: number,
  endMs: number,
): Promise<number> {
  const rangeMs = endMs - minMs;
  const query = `{__name__!=""}[${rangeMs}ms]`;
  const body = new URLSearchParams({ query, time: String((endMs - 1) / 1000) });
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body });
  const { data } = (await response.json()) as { data: { result: ServerSeries[] } };
  const theirs = new Map<string, string>();
  for (const { metric, values = [], histograms = [] } of data.result) {
    const series = Labels.fromObject(metric).toString();
    for (const [seconds, value] of values) theirs.set(`${series} ${seconds}`, dumpedText(value));
    for (const [seconds, { count, sum, buckets = [] }] of histograms) {
      // Only counts: where a bucket ends is the engine's affair.
      const counts = buckets.map((bucket) => bucket[3]).filter((bucket) => bucket !== '0');
      theirs.set(`${series} ${seconds}`, [count, sum, ...counts].map(dumpedText).join(' '));
    }
  }
  const rows = new BlockQuerier(block).select([], minMs, endMs - 1);
  const out = new SampleBuffer();
  let count = 0;
  rows.labels.forEach((labels, row) => {
    rows.read(row, minMs, endMs - 1, out);
    for (let i = 0; i < out.count; i++) {
      const histogram = out.histograms?.[i] ?? null;
      if (isStaleAt(out.values, i)) continue; // the server leaves them out
      let text = floatText(out.values[i]!);
      if (histogram !== null) text = histogramText(histogram).replaceAll(/\S+,\S+:/g, '');
      const key = `${labels.toString()} ${out.timestampsMs[i]! / 1000}`;
      if (theirs.get(key) !== text) expect.fail(`${key}: ${text} but they say ${theirs.get(key)}`);
      count++;
    }
  });
  expect(theirs.size).toBe(count);
  return count;
}
