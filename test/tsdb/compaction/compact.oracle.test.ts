/**
 * The same blocks compacted by us and by a real server until nothing is left to do: the same blocks come
 * out. A server first compacts a minute after its start, so this runs only when asked for.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import { listBlocks, removeBlock } from '../../../tsdb/block/block-directory.ts';
import { writeBlock } from '../../../tsdb/block/block-writer.ts';
import { readMeta } from '../../../tsdb/block/meta-json.ts';
import { Tombstones } from '../../../tsdb/block/tombstone-file.ts';
import { UlidSource } from '../../../tsdb/block/ulid.ts';
import { compactBlocks } from '../../../tsdb/compaction/compact.ts';
import { compactionRanges, planCompaction } from '../../../tsdb/compaction/plan.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { sourceOf } from '../support/blocks.ts';
import { PROMETHEUS, startServer } from '../support/tools.ts';

const HOUR_MS = 3_600_000;
/** Where ranges of all sizes begin. */
const START_MS = Math.floor(1_761_955_200_000 / (162 * HOUR_MS)) * 162 * HOUR_MS;
const WAIT_MS_MAX = 150_000;

const isAsked = process.env['NARTHEX_REQUIRE'] !== undefined;
if (!isAsked) {
  console.info('skipped: compaction by a real server takes two minutes (set NARTHEX_REQUIRE)');
}

const ulids = new UlidSource();

function write(directory: string, fromHour: number, toHour: number, isRiddled = false): void {
  const ulid = ulids.next(Date.now());
  const minMs = START_MS + fromHour * HOUR_MS;
  const endMs = START_MS + toHour * HOUR_MS;
  const stepMs = (endMs - minMs) / 200;
  const source = sourceOf(
    ['a', 'b', 'c', 'd', 'e'].map((s) => ({
      labels: Labels.fromObject({ __name__: 'm', s }),
      samples: Array.from({ length: 200 }, (_, i) => [minMs + stepMs * i, i] as const),
    })),
  );
  const compaction = {
    level: 1,
    sources: [ulid],
    deletable: false,
    parents: [],
    failed: false,
    hints: [],
  };
  const meta = { ulid, minMs, endMs, compaction };
  writeBlock({ files: NODE_FILES, dataDirectory: directory, source, meta });
  if (!isRiddled) return;
  const block = Block.open(NODE_FILES, `${directory}/${ulid}`, new WindowCache());
  const tombstones = new Tombstones();
  for (const ref of block.index.allPostings()) tombstones.add(ref, minMs, minMs + 1000);
  block.setTombstones(tombstones);
  block.close();
}

function makeBlocks(directory: string): void {
  mkdirSync(`${directory}/wal`, { recursive: true });
  for (let hour = 0; hour < 24; hour += 2) write(directory, hour, hour + 2);
  write(directory, 5, 7); // overlaps two
  for (const hour of [26, 30, 40, 46, 48, 60]) write(directory, hour, hour + 2); // with gaps
  for (const hour of [36, 44]) write(directory, hour, hour + 2, true);
}

/** What the blocks are, but for their names. */
function describeBlocks(directory: string): string[] {
  return listBlocks(NODE_FILES, directory)
    .map((ulid) => readMeta(NODE_FILES, `${directory}/${ulid}`))
    .sort((a, b) => a.minMs - b.minMs)
    .map(({ minMs, endMs, stats, compaction }) => {
      const { level, sources, parents } = compaction;
      const hours = `${(minMs - START_MS) / HOUR_MS}-${(endMs - START_MS) / HOUR_MS} h`;
      const origin = `level ${level}, ${sources.length} sources, ${parents.length} parents`;
      return `${hours}: ${origin}, ${stats.sampleCount} samples, ${stats.chunkCount} chunks`;
    });
}

function compactAll(directory: string): void {
  const ranges = compactionRanges(2 * HOUR_MS, 31 * 24 * HOUR_MS);
  for (;;) {
    const metas = listBlocks(NODE_FILES, directory).map((ulid) =>
      readMeta(NODE_FILES, `${directory}/${ulid}`),
    );
    const parents = planCompaction(metas, ranges);
    if (parents.length === 0) return;
    const ulid = ulids.next(Date.now());
    compactBlocks({ files: NODE_FILES, dataDirectory: directory, parents, ulid });
    for (const parent of parents) removeBlock(NODE_FILES, directory, parent);
  }
}

test.skipIf(!isAsked || PROMETHEUS === null)(
  'we compact as a real server does',
  async () => {
    const root = mkdtempSync(path.join(tmpdir(), 'narthex-compact-'));
    try {
      makeBlocks(`${root}/ours`);
      makeBlocks(`${root}/theirs`);
      expect(describeBlocks(`${root}/theirs`)).toEqual(describeBlocks(`${root}/ours`));
      compactAll(`${root}/ours`);
      const expected = describeBlocks(`${root}/ours`);
      expect(expected.length).toBeLessThan(8);
      writeFileSync(`${root}/theirs/prometheus.yml`, '');
      const server = await startServer(PROMETHEUS!, `${root}/theirs`);
      try {
        const start = performance.now();
        while (
          listBlocks(NODE_FILES, `${root}/theirs`).length > expected.length &&
          performance.now() - start < WAIT_MS_MAX
        ) {
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
        await new Promise((resolve) => setTimeout(resolve, 3000));
      } finally {
        await server.stop();
      }
      expect(describeBlocks(`${root}/theirs`)).toEqual(expected);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
  WAIT_MS_MAX + 60_000,
);
