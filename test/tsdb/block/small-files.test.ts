/** meta.json, tombstones and ULIDs. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CorruptionError } from '../../../model/index.ts';
import { decodeMeta, encodeMeta } from '../../../tsdb/block/meta-json.ts';
import {
  decodeTombstoneFile,
  encodeTombstoneFile,
  Tombstones,
} from '../../../tsdb/block/tombstone-file.ts';
import { encodeUlid, isUlid, UlidSource, ulidTimeMs } from '../../../tsdb/block/ulid.ts';
import { addInterval, covers, overlaps } from '../../../tsdb/chunk/intervals.ts';

describe('meta.json', () => {
  const thanos = {
    ulid: '01M7YD0FESTYNVYYSDW87BJ3A2',
    minTime: 1761955200000,
    maxTime: 1761962400000,
    stats: { numSamples: 3, numSeries: 1, numChunks: 1, later: 7 },
    compaction: {
      level: 1,
      sources: ['01M7YD0FESTYNVYYSDW87BJ3A2'],
      hints: ['from-out-of-order'],
    },
    version: 1,
    thanos: { labels: { replica: 'a' }, downsample: { resolution: 0 } },
  };

  test('keeps the fields that it does not know', () => {
    const meta = decodeMeta(JSON.stringify(thanos), 'meta.json');
    expect(JSON.parse(encodeMeta(meta))).toEqual(thanos);
    const changed = { ...meta, compaction: { ...meta.compaction, failed: true } };
    expect(JSON.parse(encodeMeta(changed))).toMatchObject({
      thanos: thanos.thanos,
      stats: { later: 7 },
      compaction: { failed: true },
    });
  });

  test.each([
    { text: '{', message: 'not valid JSON' },
    { text: '[]', message: 'unexpected meta file version undefined' },
    { text: '{"version": 2}', message: 'unexpected meta file version 2' },
    { text: '{"version": 1, "ulid": "../x"}', message: 'not a block id: ../x' },
  ])('refuses $text', ({ text, message }) => {
    expect(() => decodeMeta(text, 'b/meta.json')).toThrow(CorruptionError);
    expect(() => decodeMeta(text, 'b/meta.json')).toThrow(message);
    expect(() => decodeMeta(text, 'b/meta.json')).toThrow('(b/meta.json @ byte 0)');
  });
});

describe('tombstones', () => {
  test('are the golden bytes', () => {
    // As 3.14 wrote them.
    const golden = Buffer.from(
      '0130ba3001ee0180aaedcec7668087c9d0c766916088 77'.replace(' ', ''),
      'hex',
    );
    const tombstones = decodeTombstoneFile(golden, 'tombstones');
    expect([...tombstones]).toEqual([[238, [1761958800000, 1761960600000]]]);
    expect(Buffer.from(encodeTombstoneFile(tombstones))).toEqual(golden);
    const empty = Buffer.from('0130ba300100000000', 'hex');
    expect(Buffer.from(encodeTombstoneFile(new Tombstones()))).toEqual(empty);
  });

  test('cover what was deleted and nothing else', () => {
    const interval = fc
      .tuple(fc.nat(60), fc.nat(20))
      .map(([min, length]) => [min, min + length] as const);
    fc.assert(
      fc.property(
        fc.array(interval, { maxLength: 12 }),
        fc.nat(80),
        fc.nat(10),
        (list, at, length) => {
          let intervals: readonly number[] = [];
          const deleted = new Set<number>();
          for (const [min, max] of list) {
            intervals = addInterval(intervals, min, max);
            for (let t = min; t <= max; t++) deleted.add(t);
          }
          const range = Array.from({ length: length + 1 }, (_, i) => at + i);
          expect(covers(intervals, at, at + length)).toBe(range.every((t) => deleted.has(t)));
          expect(overlaps(intervals, at, at + length)).toBe(range.some((t) => deleted.has(t)));
          // Ascending, and never touching.
          for (let i = 2; i < intervals.length; i += 2) {
            expect(intervals[i]!).toBeGreaterThan(intervals[i - 1]! + 1);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a ULID', () => {
  test('is that of the specification', () => {
    const chance = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 31]);
    expect(encodeUlid(1469918176385, chance)).toBe('01ARYZ6S41000000000000000Z');
    expect(ulidTimeMs('01ARYZ6S41000000000000000Z')).toBe(1469918176385);
    expect(encodeUlid(2 ** 48 - 1, new Uint8Array(10).fill(255))).toBe(
      '7ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    );
  });

  test('ascends within a millisecond, and when the clock goes back', () => {
    let serial = 0;
    const source = new UlidSource((chance) => {
      chance.fill(255);
      chance[9] = 250 + (serial++ % 2);
    });
    const made: string[] = [];
    for (const timeMs of [1000, 1000, 1000, 999, 500, 1000, 1000, 1001, 1001, 2000]) {
      made.push(source.next(timeMs));
    }
    expect(made.every(isUlid)).toBe(true);
    expect(made).toEqual([...made].sort());
    expect(new Set(made).size).toBe(made.length);
  });
});
