/** Selecting from a block against looking at every series. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareText, Labels, Matcher, SampleBuffer } from '../../../model/index.ts';
import { Tombstones } from '../../../tsdb/block/tombstone-file.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import { openTestBlock, type PlainSeries, writeTestBlock } from '../support/blocks.ts';

const NAMES = ['__name__', 'job', 'pod', 'absent'];
const VALUES = ['', 'a', 'b', 'ab', 'ba', 'x.y', 'c'];
const REGEXES = ['a', 'a|b', 'a.*', '.*b', '.+', '.*', '', '|a', '[ab]+', 'nothing', '(a|c)|x\\.y'];

const matcher = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom('=' as const, '!=' as const, '=~' as const, '!~' as const),
    fc.nat(),
  )
  .map(([name, operator, pick]) => {
    const texts = operator === '=' || operator === '!=' ? VALUES : REGEXES;
    return new Matcher(name, operator, texts[pick % texts.length]!);
  });

const labels = fc
  .tuple(...NAMES.slice(0, 3).map(() => fc.constantFrom(...VALUES)))
  .map((values) => Labels.fromPairs(values.map((value, i) => [NAMES[i]!, value] as const)));

const seriesLists: fc.Arbitrary<PlainSeries[]> = fc
  .array(fc.tuple(labels, fc.nat(50), fc.integer({ min: 1, max: 30 })), {
    minLength: 1,
    maxLength: 40,
  })
  .map((list) =>
    list.map(([one, start, count]) => ({
      labels: one,
      samples: Array.from({ length: count }, (_, i) => [start + i, i] as const),
    })),
  )
  .map((list) => [...new Map(list.map((one) => [one.labels.key, one])).values()]);

function matching(list: readonly PlainSeries[], matchers: readonly Matcher[]): PlainSeries[] {
  return list.filter((one) => matchers.every((m) => m.matches(one.labels.get(m.name))));
}

describe('a block querier', () => {
  test('selects what looking at every series selects', () => {
    fc.assert(
      fc.property(
        seriesLists,
        fc.array(matcher, { maxLength: 4 }),
        fc.nat(90),
        fc.nat(90),
        fc.array(fc.tuple(fc.nat(39), fc.nat(80), fc.nat(30)), { maxLength: 6 }),
        (list, matchers, a, b, deletions) => {
          const files = new MemoryFiles();
          writeTestBlock(files, list, { chunkSize: 5 });
          const block = openTestBlock(files);
          const querier = new BlockQuerier(block);
          const minMs = Math.min(a, b);
          const maxMs = Math.max(a, b);

          // Deletions by row of a complete selection.
          const everything = querier.select([], 0, Infinity);
          const tombstones = new Tombstones();
          const isDeleted = (key: string, t: number) =>
            deletions.some(([row, from, length]) => {
              const at = row % everything.labels.length;
              return everything.labels[at]!.key === key && t >= from && t <= from + length;
            });
          for (const [row, from, length] of deletions) {
            const ref = everything.refs[row % everything.refs.length]!;
            tombstones.add(ref, from, from + length);
          }
          block.setTombstones(tombstones);

          const rows = querier.select(matchers, minMs, maxMs);
          const out = new SampleBuffer(1);
          const found = new Map<string, number[]>();
          rows.labels.forEach((one, row) => {
            rows.read(row, minMs, maxMs, out);
            if (out.count > 0)
              found.set(one.key, Array.from(out.timestampsMs.subarray(0, out.count)));
          });
          const expected = new Map<string, number[]>();
          for (const { labels: one, samples } of matching(list, matchers)) {
            const times = samples
              .map(([t]) => t)
              .filter((t) => t >= minMs && t <= maxMs && !isDeleted(one.key, t));
            if (times.length > 0) expected.set(one.key, times);
          }
          expect(found).toEqual(expected);
          // Sorted, without doubles.
          const keys = rows.labels.map(({ flat }) => flat.join('\u0000'));
          expect(keys).toEqual([...new Set(keys)].sort(compareText));
          const limited = querier.select(matchers, minMs, maxMs, { limit: 2 });
          expect(limited.labels).toEqual(rows.labels.slice(0, 2));
          const bare = querier.select(matchers, minMs, maxMs, { labelsOnly: true });
          expect(bare.labels).toEqual(rows.labels);
          block.close();
        },
      ),
      { numRuns: 150 },
    );
  });

  test('names labels and values as looking at every series does', () => {
    fc.assert(
      fc.property(
        seriesLists,
        fc.array(fc.array(matcher, { maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...NAMES),
        (list, sets, name) => {
          const files = new MemoryFiles();
          writeTestBlock(files, list);
          const block = openTestBlock(files);
          const querier = new BlockQuerier(block);
          // Answers are kept, so every question is asked twice.
          for (const matchers of [...sets, ...sets]) {
            const matched = matching(list, matchers);
            const names = new Set(matched.flatMap((one) => [...one.labels].map(([n]) => n)));
            expect(querier.labelNames(matchers)).toEqual([...names].sort(compareText));
            const values = new Set(matched.map((one) => one.labels.get(name)));
            values.delete('');
            expect(querier.labelValues(name, matchers)).toEqual([...values].sort(compareText));
          }
          block.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  test('looks at few series instead of at many values', () => {
    const list = Array.from({ length: 400 }, (_, i) => ({
      labels: Labels.fromObject({ __name__: i < 3 ? 'rare' : 'usual', id: `n${i}` }),
      samples: [[1, i] as const],
    }));
    const files = new MemoryFiles();
    writeTestBlock(files, list);
    const block = openTestBlock(files, 1, 4096);
    const tested: string[] = [];
    const regex = new Matcher('id', '=~', 'n[0-9]*1');
    const watched = Object.assign(Object.create(regex) as Matcher, {
      matches: (value: string) => {
        tested.push(value);
        return regex.matches(value);
      },
    });
    const rows = new BlockQuerier(block).select(
      [new Matcher('__name__', '=', 'rare'), watched],
      0,
      9,
    );
    expect(rows.labels.map((one) => one.get('id'))).toEqual(['n1']);
    expect(tested.length).toBeLessThan(10);
    block.close();
  });
});
