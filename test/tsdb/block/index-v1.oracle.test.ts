/** A block with an index of version 1: queried, merged into a new one, and read alike by promtool. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Labels, Matcher, SampleBuffer } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import { writeBlock } from '../../../tsdb/block/block-writer.ts';
import { newCompaction } from '../../../tsdb/block/meta-json.ts';
import { Tombstones } from '../../../tsdb/block/tombstone-file.ts';
import { compactBlocks } from '../../../tsdb/compaction/compact.ts';
import { SeriesEntry } from '../../../tsdb/index-file/series-entry.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import { PROMTOOLS } from '../../support/installed.ts';
import { sourceOf, testUlid } from '../support/blocks.ts';
import { indexVersionOne } from '../support/index-v1.ts';
import { promtool } from '../support/tools.ts';

const START_MS = 1_761_955_200_000;
const SERIES_COUNT = 50;

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-index-v1-'));
  mkdirSync(path.join(directory, 'wal')); // promtool wants one
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Series `i` has `i + 1` samples. */
function writeOldBlock(): string {
  const ulid = testUlid(1);
  const series = Array.from({ length: SERIES_COUNT }, (_, i) => ({
    labels: Labels.fromObject({ __name__: `m${i % 7}`, i: `${i}`, ...(i % 3 ? {} : { x: 'ü' }) }),
    samples: Array.from({ length: i + 1 }, (__, n) => [START_MS + n * 1000, i * n] as const),
  }));
  writeBlock({
    files: NODE_FILES,
    dataDirectory: directory,
    source: sourceOf(series, 20),
    meta: {
      ulid,
      minMs: START_MS,
      endMs: START_MS + 7_200_000,
      compaction: newCompaction(ulid),
    },
  });
  const { index } = openBlock(ulid);
  const entry = new SeriesEntry();
  const content = Array.from(index.allPostings(), (ref) => {
    index.readSeries(ref, entry);
    const { chunkCount, chunkMinMs, chunkMaxMs, chunkRefs } = entry;
    const chunks = Array.from({ length: chunkCount }, (_, i) => ({
      minMs: chunkMinMs[i]!,
      maxMs: chunkMaxMs[i]!,
      ref: chunkRefs[i]!,
    }));
    return { labels: index.labelsOf(entry), chunks };
  });
  index.close();
  writeFileSync(path.join(directory, ulid, 'index'), indexVersionOne(content));
  return ulid;
}

const openBlock = (ulid: string) =>
  Block.open(NODE_FILES, path.join(directory, ulid), new WindowCache());

/** Series → number of samples. */
function sampleCounts(block: Block, matchers: readonly Matcher[] = []): Record<string, number> {
  const rows = new BlockQuerier(block).select(matchers, -Infinity, Infinity);
  const out = new SampleBuffer();
  return Object.fromEntries(
    rows.labels.map((labels, row) => {
      rows.read(row, -Infinity, Infinity, out);
      return [labels.get('i'), out.count];
    }),
  );
}

const ALL = Object.fromEntries(Array.from({ length: SERIES_COUNT }, (_, i) => [`${i}`, i + 1]));

test('it is queried, and a deletion from it holds', () => {
  const block = openBlock(writeOldBlock());
  expect(block.index.version).toBe(1);
  expect(sampleCounts(block)).toEqual(ALL);
  const chosen = [new Matcher('__name__', '=~', 'm[12]'), new Matcher('x', '!=', '')];
  const expected = Object.entries(ALL).filter(([i]) => [1, 2].includes(+i % 7) && +i % 3 === 0);
  expect(sampleCounts(block, chosen)).toEqual(Object.fromEntries(expected));

  const [ref] = block.index.postings('i', '30');
  const tombstones = new Tombstones();
  tombstones.add(ref!, START_MS, START_MS + 9999);
  block.setTombstones(tombstones);
  expect(sampleCounts(block)).toEqual({ ...ALL, 30: 21 });
  block.close();
});

test('merged, it becomes one of version 2', () => {
  const parent = writeOldBlock();
  const ulid = testUlid(2);
  compactBlocks({ files: NODE_FILES, dataDirectory: directory, parents: [parent], ulid });
  const block = openBlock(ulid);
  expect(block.index.version).toBe(2);
  expect(sampleCounts(block)).toEqual(ALL);
  block.close();
});

test.runIf(PROMTOOLS.length > 0).each(PROMTOOLS)('%s reads it', (tool) => {
  const ulid = writeOldBlock();
  expect(readFileSync(path.join(directory, ulid, 'index'))[4]).toBe(1);
  const lines = promtool(tool, 'tsdb', 'dump', directory).trim().split('\n');
  expect(lines.length).toBe((SERIES_COUNT * (SERIES_COUNT + 1)) / 2);
});
