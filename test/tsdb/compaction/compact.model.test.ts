/** Merging blocks against merging maps. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Labels, SampleBuffer } from '../../../model/index.ts';
import { Tombstones } from '../../../tsdb/block/tombstone-file.ts';
import { listBlocks, removeBlockLeftovers } from '../../../tsdb/block/block-directory.ts';
import { readMeta, writeMeta } from '../../../tsdb/block/meta-json.ts';
import { compactBlocks, markCompactionFailed } from '../../../tsdb/compaction/compact.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import {
  DATA,
  openTestBlock,
  testUlid,
  type PlainSeries,
  writeTestBlock,
} from '../support/blocks.ts';

type Deletion = readonly [row: number, minMs: number, length: number];
type GivenBlock = {
  readonly series: readonly PlainSeries[];
  readonly deletions: readonly Deletion[];
};

const labels = fc.constantFrom('a', 'b', 'c', 'd').map((value) => Labels.fromObject({ l: value }));

const blocks: fc.Arbitrary<GivenBlock[]> = fc.array(
  fc.record({
    series: fc
      .array(
        fc.tuple(
          labels,
          fc.nat(900),
          fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }),
          fc.nat(9),
        ),
        { minLength: 1, maxLength: 4 },
      )
      .map((list) =>
        list.map(([one, first, steps, value]) => {
          let timestampMs = first;
          const samples = [first, ...steps.map((step) => (timestampMs += step))];
          return { labels: one, samples: samples.map((t) => [t, value] as const) };
        }),
      )
      .map((list) => [...new Map(list.map((one) => [one.labels.key, one])).values()]),
    deletions: fc.array(fc.tuple(fc.nat(3), fc.nat(1400), fc.nat(200)), { maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Writes them and returns what should be left: by series, by time. Earlier blocks count first. */
function scene(files: MemoryFiles, given: readonly GivenBlock[], chunkSize: number) {
  const model = new Map<string, Map<number, number>>();
  given.forEach(({ series, deletions }, index) => {
    writeTestBlock(files, series, { serial: index + 1, minMs: 0, endMs: 10_000, chunkSize });
    const block = openTestBlock(files, index + 1);
    const rows = new BlockQuerier(block).select([], 0, Infinity);
    const tombstones = new Tombstones();
    const deleted = deletions.map(([row, minMs, length]) => {
      const at = row % rows.labels.length;
      tombstones.add(rows.refs[at]!, minMs, minMs + length);
      return { key: rows.labels[at]!.key, minMs, maxMs: minMs + length };
    });
    block.setTombstones(tombstones);
    block.close();
    for (const { labels: one, samples } of series) {
      const times = model.get(one.key) ?? new Map<number, number>();
      for (const [t, value] of samples) {
        const isDeleted = deleted.some((d) => d.key === one.key && t >= d.minMs && t <= d.maxMs);
        // The newer block counts.
        if (!isDeleted) times.set(t, value);
      }
      if (times.size > 0) model.set(one.key, times);
    }
  });
  return model;
}

function contentOf(files: MemoryFiles, serial: number) {
  const block = openTestBlock(files, serial);
  const rows = new BlockQuerier(block).select([], -Infinity, Infinity);
  const out = new SampleBuffer(1);
  const content = new Map<string, Map<number, number>>();
  rows.labels.forEach((one, row) => {
    rows.read(row, -Infinity, Infinity, out);
    const times = new Map<number, number>();
    for (let i = 0; i < out.count; i++) {
      expect(i === 0 || out.timestampsMs[i]! > out.timestampsMs[i - 1]!).toBe(true);
      times.set(out.timestampsMs[i]!, out.values[i]!);
    }
    content.set(one.key, times);
  });
  block.close();
  return content;
}

const sorted = (content: Map<string, Map<number, number>>) =>
  [...content]
    .map(([key, times]) => [key, [...times].sort((a, b) => a[0] - b[0])] as const)
    .sort((a, b) => (a[0] < b[0] ? -1 : 1));

describe('compaction', () => {
  test('leaves every sample that was not deleted, once, in order', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 50 }), (given, chunkSize) => {
        const files = new MemoryFiles();
        const model = scene(files, given, chunkSize);
        const parents = given.map((_, index) => testUlid(index + 1));
        const { meta } = compactBlocks({ files, dataDirectory: DATA, parents, ulid: testUlid(50) });
        if (model.size === 0) {
          expect(meta).toBeNull();
          for (const parent of parents) {
            expect(readMeta(files, `${DATA}/${parent}`).compaction.deletable).toBe(true);
          }
          return;
        }
        expect(sorted(contentOf(files, 50))).toEqual(sorted(model));
        const block = openTestBlock(files, 50);
        let sampleCount = 0;
        for (const { chunks } of block.source().series()) {
          let previousMaxMs = -Infinity;
          for (const chunk of chunks) {
            expect(chunk.minMs).toBeGreaterThan(previousMaxMs);
            previousMaxMs = chunk.maxMs;
            sampleCount += chunk.sampleCount;
          }
        }
        block.close();
        expect(meta!.stats.sampleCount).toBe(sampleCount);
        expect(meta!.compaction).toMatchObject({ level: 2, sources: parents, hints: [] });
        expect(meta!.compaction.parents.map(({ ulid }) => ulid)).toEqual(parents);
        expect([meta!.minMs, meta!.endMs]).toEqual([0, 10_000]);
      }),
      { numRuns: 120 },
    );
  });

  test('copies chunks that nothing touches, byte for byte', () => {
    const files = new MemoryFiles();
    const make = (first: number): PlainSeries => ({
      labels: Labels.fromObject({ l: 'a' }),
      samples: Array.from({ length: 300 }, (_, i) => [first + i * 10, Math.sin(i)] as const),
    });
    writeTestBlock(files, [make(0)], { serial: 1, minMs: 0, endMs: 3000 });
    writeTestBlock(files, [make(3000)], { serial: 2, minMs: 3000, endMs: 6000 });
    const parents = [testUlid(1), testUlid(2)];
    compactBlocks({ files, dataDirectory: DATA, parents, ulid: testUlid(3) });
    const chunksIn = (serial: number) => {
      const block = openTestBlock(files, serial);
      const found = [...block.source().series()].flatMap(({ chunks }) => chunks);
      block.close();
      return found;
    };
    expect(chunksIn(3)).toEqual([...chunksIn(1), ...chunksIn(2)]);
  });

  test('wherever it stops, the parents are whole, and the new block if it is there', () => {
    const given: GivenBlock[] = [1, 2].map((value) => ({
      series: [
        {
          labels: Labels.fromObject({ l: 'a' }),
          samples: Array.from({ length: 50 }, (_, i) => [i * value, value] as const),
        },
      ],
      deletions: [],
    }));
    fc.assert(
      fc.property(
        fc.nat(3000),
        fc.array(fc.double({ min: 0, max: 0.999 }), { minLength: 1 }),
        (freeBytes, chance) => {
          const files = new MemoryFiles();
          files.makeDirectory(DATA);
          files.syncDirectory('/');
          const model = scene(files, given, 20);
          const parents = [testUlid(1), testUlid(2)];
          const before = parents.map((_, i) => sorted(contentOf(files, i + 1)));
          files.freeBytes = freeBytes;
          try {
            compactBlocks({ files, dataDirectory: DATA, parents, ulid: testUlid(50) });
          } catch (error) {
            expect(error).toMatchObject({ code: 'ENOSPC' });
          }
          let next = 0;
          const after = files.crash('random', () => chance[next++ % chance.length]!);
          removeBlockLeftovers(after, DATA);
          const ulids = listBlocks(after, DATA);
          expect(ulids.slice(0, 2)).toEqual(parents);
          expect(parents.map((_, i) => sorted(contentOf(after, i + 1)))).toEqual(before);
          if (ulids.length > 2) expect(sorted(contentOf(after, 50))).toEqual(sorted(model));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('keeps a hint that all parents have, and drops the others', () => {
    const files = new MemoryFiles();
    const series = [{ labels: Labels.fromObject({ l: 'a' }), samples: [[1, 1] as const] }];
    const stale = 'from-stale-series';
    writeTestBlock(files, series, { serial: 1, compaction: { hints: [stale], level: 3 } });
    writeTestBlock(files, series, {
      serial: 2,
      compaction: { hints: [stale, 'from-out-of-order'] },
    });
    const parents = [testUlid(1), testUlid(2)];
    const { meta } = compactBlocks({ files, dataDirectory: DATA, parents, ulid: testUlid(3) });
    expect(meta!.compaction).toMatchObject({ hints: [stale], level: 4 });
  });

  test('refuses a block that does not keep to its own time', () => {
    const files = new MemoryFiles();
    const series = [{ labels: Labels.fromObject({ l: 'a' }), samples: [[5, 1] as const] }];
    writeTestBlock(files, series, { minMs: 0, endMs: 10 });
    const directory = `${DATA}/${testUlid(1)}`;
    writeMeta(files, directory, { ...readMeta(files, directory), minMs: 6 });
    const options = { files, dataDirectory: DATA, parents: [testUlid(1)], ulid: testUlid(2) };
    expect(() => compactBlocks(options)).toThrow(
      'chunk of {l="a"} from 5 to 5 lies outside its block',
    );
    expect(listBlocks(files, DATA)).toEqual([testUlid(1)]);
  });

  test('that failed is noted at the block', () => {
    const files = new MemoryFiles();
    writeTestBlock(files, [{ labels: Labels.fromObject({ l: 'a' }), samples: [[1, 1] as const] }]);
    markCompactionFailed(files, DATA, testUlid(1));
    expect(readMeta(files, `${DATA}/${testUlid(1)}`).compaction.failed).toBe(true);
  });
});
