/** A written block against the list it was written from; damage, crashes and full disks. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareLabels, CorruptionError, Labels, SampleBuffer } from '../../../model/index.ts';
import { openBlocks } from '../../../tsdb/block/block.ts';
import {
  listBlocks,
  removeBlock,
  removeBlockLeftovers,
} from '../../../tsdb/block/block-directory.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import { labelsArbitrary } from '../support/arbitraries.ts';
import {
  DATA,
  openTestBlock,
  type PlainSeries,
  testUlid,
  writeTestBlock,
} from '../support/blocks.ts';

export const seriesArbitrary: fc.Arbitrary<PlainSeries> = fc
  .tuple(labelsArbitrary, fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer())))
  .map(([labels, steps]) => {
    let timestampMs = 0;
    return {
      labels,
      samples: steps.map(([step, value]) => [(timestampMs += step), value] as const),
    };
  });

const seriesLists = fc
  .array(seriesArbitrary, { maxLength: 12 })
  .map((list) => [...new Map(list.map((one) => [one.labels.key, one])).values()]);

function expectedOf(list: readonly PlainSeries[]): PlainSeries[] {
  return list
    .filter(({ samples }) => samples.length > 0)
    .sort((a, b) => compareLabels(a.labels, b.labels));
}

function readBack(files: MemoryFiles, windowSizeBytes?: number): PlainSeries[] {
  const block = openTestBlock(files, 1, windowSizeBytes);
  const rows = new BlockQuerier(block).select([], 0, Infinity);
  const out = new SampleBuffer(1);
  const list = rows.labels.map((labels, row) => {
    rows.read(row, 0, Infinity, out);
    const samples = Array.from(
      { length: out.count },
      (_, i) => [out.timestampsMs[i]!, out.values[i]!] as const,
    );
    return { labels, samples };
  });
  block.close();
  return list;
}

describe('a block', () => {
  test('gives back the series it was written from', () => {
    fc.assert(
      fc.property(
        seriesLists,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 40, max: 4000 }),
        fc.constantFrom(64, 4096),
        (list, chunkSize, chunkSegmentSizeBytesMax, windowSizeBytes) => {
          const files = new MemoryFiles();
          const meta = writeTestBlock(files, list, { chunkSize, chunkSegmentSizeBytesMax });
          const expected = expectedOf(list);
          if (expected.length === 0) {
            expect(meta).toBeNull();
            expect(files.list(DATA)).toEqual([]);
            return;
          }
          expect(readBack(files, windowSizeBytes)).toEqual(expected);
          expect(meta!.stats).toMatchObject({
            seriesCount: expected.length,
            sampleCount: expected.reduce((sum, { samples }) => sum + samples.length, 0),
            chunkCount: expected.reduce(
              (sum, { samples }) => sum + Math.ceil(samples.length / chunkSize),
              0,
            ),
          });
        },
      ),
      { numRuns: 80 },
    );
  });

  test('reads any range of any row, in any order', () => {
    const list = [1, 2, 3].map((step) => ({
      labels: Labels.fromObject({ step: String(step) }),
      samples: Array.from({ length: 500 }, (_, i) => [1 + i * step, i] as const),
    }));
    const files = new MemoryFiles();
    writeTestBlock(files, list, { chunkSize: 7 });
    const block = openTestBlock(files);
    const rows = new BlockQuerier(block).select([], 0, Infinity);
    const out = new SampleBuffer(1);
    fc.assert(
      fc.property(fc.nat(2), fc.nat(1600), fc.nat(1600), (row, minMs, maxMs) => {
        rows.read(row, minMs, maxMs, out);
        const expected = list[row]!.samples.filter(([t]) => t >= minMs && t <= maxMs);
        expect(Array.from(out.values.subarray(0, out.count))).toEqual(expected.map(([, v]) => v));
      }),
    );
    block.close();
  });

  test('with any byte changed is found out or says the same', () => {
    const list = [
      { labels: Labels.fromObject({ a: 'x' }), samples: [[1, 1] as const, [2, 2] as const] },
      { labels: Labels.fromObject({ a: 'y' }), samples: [[3, 3] as const] },
    ];
    const files = new MemoryFiles();
    writeTestBlock(files, list);
    const directory = `${DATA}/${testUlid(1)}`;
    for (const name of ['chunks/000001', 'tombstones']) {
      const path = `${directory}/${name}`;
      const intact = files.readAll(path);
      for (let bit = 0; bit < intact.length * 8; bit++) {
        const spoiled = intact.slice();
        spoiled[bit >>> 3]! ^= 1 << (bit & 7);
        files.put(path, spoiled);
        try {
          expect(readBack(files)).toEqual(list);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptionError);
          expect((error as CorruptionError).place.file).toBe(path);
        }
      }
      for (let size = 0; size < intact.length; size++) {
        files.put(path, intact.slice(0, size));
        expect(() => readBack(files), `${name} of ${size} bytes`).toThrow(CorruptionError);
      }
      files.put(path, intact);
    }
    expect(readBack(files)).toEqual(list);
  });

  test('that cannot be opened does not take the others down', () => {
    const files = new MemoryFiles();
    const list = [{ labels: Labels.fromObject({ a: 'x' }), samples: [[1, 1] as const] }];
    for (const serial of [1, 2, 3, 4]) writeTestBlock(files, list, { serial });
    files.put(`${DATA}/${testUlid(2)}/index`, new Uint8Array(10));
    files.put(`${DATA}/${testUlid(3)}/meta.json`, Buffer.from('{"version": 1'));
    files.remove(`${DATA}/${testUlid(4)}/index`);
    const ulids = listBlocks(files, DATA);
    const { blocks, failures } = openBlocks(files, DATA, ulids, new WindowCache());
    expect(blocks.map(({ ulid }) => ulid)).toEqual([testUlid(1)]);
    expect(failures.map(({ ulid }) => ulid)).toEqual([testUlid(2), testUlid(3), testUlid(4)]);
    expect(failures[0]!.error.message).toBe(
      `index is too short (${DATA}/${testUlid(2)}/index @ byte 0)`,
    );
    expect(failures[1]!.error.message).toContain('meta.json');
    for (const block of blocks) block.close();
  });

  test('is there as a whole or not at all, wherever writing it stops', () => {
    const list = [
      { labels: Labels.fromObject({ a: 'x' }), samples: [[1, 1] as const, [2, 2] as const] },
    ];
    fc.assert(
      fc.property(
        fc.nat(2500),
        fc.array(fc.double({ min: 0, max: 0.999 }), { minLength: 1 }),
        (freeBytes, chance) => {
          const files = new MemoryFiles();
          files.makeDirectory(DATA);
          files.syncDirectory('/');
          files.freeBytes = freeBytes;
          let isWritten = false;
          try {
            writeTestBlock(files, list);
            isWritten = true;
          } catch (error) {
            expect(error).toMatchObject({ code: 'ENOSPC' });
            expect(files.list(DATA)).toEqual([]);
          }
          let next = 0;
          const after = files.crash('random', () => chance[next++ % chance.length]!);
          removeBlockLeftovers(after, DATA);
          expect(after.list(DATA)).toEqual(isWritten ? [testUlid(1)] : []);
          if (isWritten) expect(readBack(after)).toEqual(list);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('is gone as a whole or still there, wherever removing it stops', () => {
    const list = [{ labels: Labels.fromObject({ a: 'x' }), samples: [[1, 1] as const] }];
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999 }), { minLength: 1 }), (chance) => {
        const files = new MemoryFiles();
        files.makeDirectory(DATA);
        files.syncDirectory('/');
        writeTestBlock(files, list);
        removeBlock(files, DATA, testUlid(1));
        expect(files.list(DATA)).toEqual([]);
        let next = 0;
        const after = files.crash('random', () => chance[next++ % chance.length]!);
        removeBlockLeftovers(after, DATA);
        expect(after.list(DATA)).toEqual([]);
      }),
    );
  });
});
