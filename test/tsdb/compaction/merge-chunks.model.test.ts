/** Chunks of several sources merged, against their samples in a map. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SampleBuffer } from '../../../model/index.ts';
import type { SourceChunk } from '../../../tsdb/block/block-source.ts';
import { decodeChunk } from '../../../tsdb/chunk/decoder.ts';
import { addInterval, type Intervals } from '../../../tsdb/chunk/intervals.ts';
import { mergeChunks } from '../../../tsdb/compaction/merge-chunks.ts';
import { chunksOf, type PlainSample } from '../support/blocks.ts';

const PLACE = { file: 'test', offsetBytes: 0 };
const END_MS = 100;

const source = fc.record({
  times: fc.uniqueArray(fc.nat(END_MS), { maxLength: 40 }),
  chunkSize: fc.integer({ min: 1, max: 12 }),
  deleted: fc.option(
    fc.array(fc.tuple(fc.nat(END_MS), fc.nat(20)), { minLength: 1, maxLength: 3 }),
    { nil: null },
  ),
});

function intervalsOf(ranges: readonly (readonly [number, number])[]): Intervals {
  let intervals: Intervals = [];
  for (const [min, length] of ranges) intervals = addInterval(intervals, min, min + length);
  return intervals;
}

function samplesOf(chunks: readonly SourceChunk[]): PlainSample[] {
  const found: PlainSample[] = [];
  const buffer = new SampleBuffer();
  for (const { encoding, bytes, minMs, maxMs, sampleCount } of chunks) {
    buffer.clear();
    decodeChunk(encoding, bytes, 0, bytes.length, -Infinity, Infinity, buffer, PLACE);
    expect(buffer.count).toBe(sampleCount);
    expect([buffer.timestampsMs[0], buffer.timestampsMs[sampleCount - 1]]).toEqual([minMs, maxMs]);
    const values = new Float64Array(buffer.valueHalves.buffer, buffer.valueHalves.byteOffset);
    for (let i = 0; i < buffer.count; i++) found.push([buffer.timestampsMs[i]!, values[i]!]);
  }
  return found;
}

describe('mergeChunks', () => {
  test('gives every sample that is not deleted once, the first source before the others', () => {
    fc.assert(
      fc.property(fc.array(source, { minLength: 1, maxLength: 3 }), (plain) => {
        const truth = new Map<number, number>();
        const sources = plain.map(({ times, chunkSize, deleted }, index) => {
          const intervals = deleted === null ? null : intervalsOf(deleted);
          const samples = times.sort((a, b) => a - b).map((t): PlainSample => [t, t + index / 4]);
          for (const [timestampMs, value] of samples) {
            const isDeleted = (deleted ?? []).some(
              ([min, length]) => timestampMs >= min && timestampMs <= min + length,
            );
            if (!isDeleted && !truth.has(timestampMs)) truth.set(timestampMs, value);
          }
          return { chunks: chunksOf(samples, chunkSize), deleted: intervals, place: PLACE };
        });
        const expected = [...truth].sort(([a], [b]) => a - b);
        expect(samplesOf(mergeChunks(sources))).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  test('passes on what needs no work, byte for byte', () => {
    const chunks = chunksOf(
      Array.from({ length: 20 }, (_, i): PlainSample => [i * 1000, i]),
      5,
    );
    for (const deleted of [null, [5000 - 900, 5000 - 100], [-Infinity, -1, 19_001, Infinity]]) {
      expect(mergeChunks([{ chunks, deleted, place: PLACE }])).toEqual(chunks);
    }
  });
});
