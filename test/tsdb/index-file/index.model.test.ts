/** The index against plain maps, and what damage to its file does. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareLabels,
  compareText,
  CorruptionError,
  Labels,
  METRIC_NAME,
} from '../../../model/index.ts';
import { IndexReader } from '../../../tsdb/index-file/index-reader.ts';
import { IndexWriter } from '../../../tsdb/index-file/index-writer.ts';
import { type ChunkMeta, SeriesEntry } from '../../../tsdb/index-file/series-entry.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { labelsArbitrary } from '../support/arbitraries.ts';
import { indexVersionOne } from '../support/index-v1.ts';

const PATH = '/index';
type Series = { readonly labels: Labels; readonly chunks: readonly ChunkMeta[] };

const chunks: fc.Arbitrary<ChunkMeta[]> = fc
  .tuple(
    fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
    fc.array(fc.tuple(fc.nat(2 ** 30), fc.nat(2 ** 22), fc.nat(2 ** 33)), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([first, steps]) => {
    let minMs = first;
    let ref = 8;
    return steps.map(([length, gap, size]) => {
      const meta = { minMs, maxMs: minMs + length, ref };
      minMs += length + gap + 1;
      ref += size;
      return meta;
    });
  });

const seriesLists: fc.Arbitrary<Series[]> = fc
  .array(fc.record({ labels: labelsArbitrary, chunks }), { maxLength: 60 })
  .map((list) => {
    const byKey = new Map(list.map((series) => [series.labels.key, series]));
    return [...byKey.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  });

function write(series: readonly Series[]): MemoryFiles {
  const files = new MemoryFiles();
  const symbols = new Set(series.flatMap(({ labels }) => labels.flat));
  const writer = new IndexWriter(files, PATH, [...symbols].sort(compareText));
  for (const { labels, chunks: metas } of series) writer.addSeries(labels, metas);
  expect(writer.finish()).toBe(files.stat(PATH)!.sizeBytes);
  return files;
}

function open(files: MemoryFiles, windowSizeBytes = 64): IndexReader {
  const cache = new WindowCache(windowSizeBytes * 8, windowSizeBytes);
  return new IndexReader(files.open(PATH, 'read'), cache);
}

/** All that an index says. */
function readAll(index: IndexReader): Series[] {
  const entry = new SeriesEntry();
  return Array.from(index.allPostings(), (ref) => {
    index.readSeries(ref, entry);
    return {
      labels: index.labelsOf(entry),
      chunks: Array.from({ length: entry.chunkCount }, (_, i) => ({
        minMs: entry.chunkMinMs[i]!,
        maxMs: entry.chunkMaxMs[i]!,
        ref: entry.chunkRefs[i]!,
      })),
    };
  });
}

describe('an index', () => {
  test('gives back every series', () => {
    fc.assert(
      fc.property(seriesLists, fc.constantFrom(64, 1000, 2 ** 18), (series, windowSizeBytes) => {
        const index = open(write(series), windowSizeBytes);
        expect(readAll(index)).toEqual(series);
        expect(readAll(index)).toEqual(series); // again, without checksums
      }),
      { numRuns: 80 },
    );
  });

  test('knows names, values and which series have them', () => {
    fc.assert(
      fc.property(seriesLists, fc.string(), (series, stranger) => {
        const index = open(write(series));
        const refs = index.allPostings();
        const names = new Map<string, Map<string, number[]>>();
        series.forEach(({ labels }, i) => {
          for (const [name, value] of labels) {
            const values = names.get(name) ?? new Map<string, number[]>();
            names.set(name, values);
            values.set(value, [...(values.get(value) ?? []), refs[i]!]);
          }
        });
        expect(index.labelNames()).toEqual([...names.keys()].sort(compareText));
        for (const [name, values] of names) {
          // By searching first: reading all values puts them into memory.
          for (const [value, expected] of values) {
            expect(Array.from(index.postings(name, value))).toEqual(expected);
            expect(index.postingsCount(name, value)).toBe(expected.length);
          }
          if (!values.has(stranger)) expect(index.postings(name, stranger)).toHaveLength(0);
          expect(index.labelValues(name)).toEqual([...values.keys()].sort(compareText));
          expect(index.labelValueCount(name)).toBe(values.size);
          for (const [value, expected] of values) {
            expect(Array.from(index.postings(name, value))).toEqual(expected);
          }
          const all = [...values.values()].flat().sort((a, b) => a - b);
          expect(Array.from(index.postingsWithName(name))).toEqual(all);
        }
        expect(index.postings('no such name', 'x')).toHaveLength(0);
      }),
      { numRuns: 60 },
    );
  });

  test('finds a value among thousands', () => {
    const series = Array.from({ length: 6000 }, (_, i) => ({
      labels: Labels.fromObject({
        [METRIC_NAME]: 'm',
        id: `n${i}`,
        half: i < 1500 ? 'a' : 'b',
        long: `${i}`.padStart(20, '-'),
      }),
      chunks: [{ minMs: i, maxMs: i, ref: 8 + i }],
    })).sort((a, b) => compareLabels(a.labels, b.labels));
    const index = open(write(series), 4096);
    const entry = new SeriesEntry();
    for (const i of [0, 1, 31, 32, 33, 999, 5999]) {
      const [ref] = index.postings('id', `n${i}`);
      index.readSeries(ref!, entry);
      expect(index.labelsOf(entry).get('id')).toBe(`n${i}`);
    }
    expect(index.postings('id', 'n6000')).toHaveLength(0);
    expect(index.postings('id', '')).toHaveLength(0);
    expect(index.postings('id', 'zzz')).toHaveLength(0);
    expect(index.postingsMatching('id', (value) => value.endsWith('7'), 'n29')).toHaveLength(11);
    const half = index.postings('half', 'a');
    expect(half).toHaveLength(1500);
    expect(index.filter(half, 'id', (value) => value === 'n12' || value === 'n2000')).toHaveLength(
      1,
    );
  });

  test('with a flipped bit is found out or says the same', () => {
    const series: Series[] = ['a', 'b', 'c'].map((value, i) => ({
      labels: Labels.fromObject({ [METRIC_NAME]: 'metric', value }),
      chunks: [{ minMs: i * 10, maxMs: i * 10 + 5, ref: 8 + i * 100 }],
    }));
    const files = write(series);
    const intact = files.readAll(PATH);
    const answers = (index: IndexReader) => ({
      series: readAll(index),
      names: index.labelNames(),
      values: index.labelNames().map((name) => index.labelValues(name)),
      postings: Array.from(index.postings('value', 'b')),
      matching: Array.from(index.postingsMatching('value', () => true, '')),
    });
    const expected = answers(open(files));
    let foundOut = 0;
    for (let bit = 0; bit < intact.length * 8; bit++) {
      const spoiled = intact.slice();
      spoiled[bit >>> 3]! ^= 1 << (bit & 7);
      files.put(PATH, spoiled);
      try {
        expect(answers(open(files))).toEqual(expected);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        foundOut++;
      }
    }
    // All but the padding, and the two entries of the table of contents that nobody reads.
    expect(foundOut).toBeGreaterThan(intact.length * 8 * 0.7);
  });

  test('cut off anywhere is found out', () => {
    const files = write([
      { labels: Labels.fromObject({ a: 'b' }), chunks: [{ minMs: 0, maxMs: 1, ref: 8 }] },
    ]);
    const intact = files.readAll(PATH);
    for (let size = 0; size < intact.length; size++) {
      files.put(PATH, intact.slice(0, size));
      expect(() => readAll(open(files)), `${size} bytes`).toThrow(CorruptionError);
    }
  });

  test('of version 1 is read alike', () => {
    fc.assert(
      fc.property(seriesLists, (series) => {
        const files = new MemoryFiles();
        files.put(PATH, indexVersionOne(series));
        const index = open(files);
        expect(index.version).toBe(1);
        const newer = open(write(series));
        expect(readAll(index)).toEqual(series);
        expect(index.labelNames()).toEqual(newer.labelNames());
        const places = (one: IndexReader, refs: Iterable<number>) => {
          const all = [...one.allPostings()];
          return Array.from(refs, (ref) => all.indexOf(ref));
        };
        for (const name of index.labelNames()) {
          expect(index.labelValues(name)).toEqual(newer.labelValues(name));
          expect(places(index, index.postingsWithName(name))).toEqual(
            places(newer, newer.postingsWithName(name)),
          );
          for (const value of index.labelValues(name)) {
            const found = places(index, index.postings(name, value));
            expect(found).toEqual(places(newer, newer.postings(name, value)));
            expect(index.postingsCount(name, value)).toBe(found.length);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
