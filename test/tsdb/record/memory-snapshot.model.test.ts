/** Records of a snapshot of the head: what goes in comes out, and broken bytes are noticed or harmless. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter, CorruptionError } from '../../../model/index.ts';
import { Encoding } from '../../../tsdb/chunk/encoding.ts';
import { TextBytes } from '../../../tsdb/head/text-bytes.ts';
import { takeHistogramBody } from '../../../tsdb/record/histogram-body.ts';
import {
  decodeSnapshotChunk,
  decodeSnapshotExemplars,
  decodeSnapshotExtent,
  decodeSnapshotTombstones,
  encodeSnapshotExemplars,
  encodeSnapshotExtent,
  encodeSnapshotSeries,
  encodeSnapshotTombstones,
  type SnapshotChunk,
} from '../../../tsdb/record/memory-snapshot.ts';
import { SeriesCursor } from '../../../tsdb/record/series.ts';
import { histogramArbitrary, labelsArbitrary, valueBits } from '../support/arbitraries.ts';

const PLACE = { file: 'chunk_snapshot.000001.0000000000/00000000', offsetBytes: 7 };
const time = fc.integer({ min: -(2 ** 50), max: 2 ** 50 });
const ref = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const chunk = fc.record({
  minMs: time,
  maxMs: time,
  encoding: fc.constantFrom(Encoding.Xor, Encoding.Xor2),
  bytes: fc.uint8Array({ maxLength: 300 }),
});
const refMap = fc
  .array(fc.tuple(ref, ref), { maxLength: 5 })
  .map((pairs): ReadonlyMap<number, number> => new Map(pairs));

function emptyChunk(): SnapshotChunk {
  const bytes = new Uint8Array(0);
  return { minMs: 0, maxMs: 0, encoding: Encoding.Xor, bytes, start: 0, end: 0 };
}

test('series', () => {
  fc.assert(
    fc.property(
      ref,
      labelsArbitrary,
      fc.option(chunk),
      valueBits,
      (number, labels, open, [high, low]) => {
        const texts = new TextBytes();
        texts.clear();
        for (const text of labels.flat) texts.add(text);
        const out = new ByteWriter();
        const given = open === null ? null : { ...open, start: 0, end: open.bytes.length };
        encodeSnapshotSeries(out, number, texts, given, { high, low });
        const record = out.view().slice();
        const cursor = new SeriesCursor();
        cursor.reset(record, 0, record.length, PLACE);
        expect(cursor.next()).toBe(true);
        expect(cursor.ref).toBe(number);
        expect(cursor.labels().equals(labels)).toBe(true);
        const found = emptyChunk();
        const isThere = decodeSnapshotChunk(record, cursor.position, record.length, PLACE, found);
        expect(isThere).toBe(open !== null);
        if (open === null) return;
        const { minMs, maxMs, encoding } = found;
        const bytes = found.bytes.slice(found.start, found.end);
        expect({ minMs, maxMs, encoding, bytes }).toEqual(open);
        // Seven unused numbers, then the value.
        const rest = new ByteReader(record, found.end);
        expect(rest.remaining).toBe(64);
        rest.position += 56;
        expect([rest.takeUint32(), rest.takeUint32()]).toEqual([high >>> 0, low >>> 0]);
        // Cut anywhere, it is noticed, or only the newest value is missing.
        for (let end = cursor.position; end < record.length; end += 13) {
          try {
            decodeSnapshotChunk(record, cursor.position, end, PLACE, found);
            expect(end).toBeGreaterThanOrEqual(found.end);
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptionError);
          }
        }
      },
    ),
  );
});

test('the newest histogram of a chunk', () => {
  fc.assert(
    fc.property(chunk, histogramArbitrary, (open, histogram) => {
      const texts = new TextBytes();
      texts.clear();
      const out = new ByteWriter();
      const given = { ...open, encoding: Encoding.Histogram, start: 0, end: open.bytes.length };
      encodeSnapshotSeries(out, 1, texts, given, { histogram });
      const record = out.view().slice();
      const found = emptyChunk();
      decodeSnapshotChunk(record, 1 + 8 + 1, record.length, PLACE, found);
      const rest = new ByteReader(record, found.end);
      expect(takeHistogramBody(rest)).toEqual(histogram);
      expect([rest.remaining, rest.failed]).toEqual([0, false]);
    }),
  );
});

test('tombstones and exemplars', () => {
  const tombstone = fc.record({ ref, minMs: time, maxMs: time });
  const exemplar = fc.record({
    ref,
    timestampMs: time,
    value: fc.double({ noNaN: true }),
    labels: labelsArbitrary,
  });
  fc.assert(
    fc.property(
      fc.array(tombstone, { maxLength: 8 }),
      fc.array(exemplar, { minLength: 1, maxLength: 8 }),
      (tombstones, exemplars) => {
        const out = new ByteWriter();
        encodeSnapshotTombstones(out, tombstones);
        const record = out.view().slice();
        expect(decodeSnapshotTombstones(record, 0, record.length, PLACE)).toEqual(tombstones);
        for (let end = 1; end < record.length; end++) {
          expect(() => decodeSnapshotTombstones(record, 0, end, PLACE)).toThrow(CorruptionError);
        }
        out.clear();
        encodeSnapshotExemplars(out, exemplars);
        expect(out.bytes[0]).toBe(3);
        const found = decodeSnapshotExemplars(out.view().slice(), 0, out.length, PLACE);
        expect(found.map((row) => ({ ...row, labels: row.labels.toString() }))).toEqual(
          exemplars.map((row) => ({ ...row, labels: row.labels.toString() })),
        );
      },
    ),
  );
});

test('the extent', () => {
  const extents = fc.record({
    lastSegment: fc.record({ sizeBytes: fc.nat(), checksum: fc.nat(0xffff_ffff) }),
    lastRef: ref,
    minValidMs: fc.oneof(fc.constant(-Infinity), time),
    blocksEndMs: fc.oneof(fc.constant(-Infinity), time),
    seriesCount: fc.nat(),
    chunkFileEnds: refMap,
    aliases: refMap,
    deadRefs: fc.array(ref, { maxLength: 5 }),
  });
  fc.assert(
    fc.property(extents, (extent) => {
      const out = new ByteWriter();
      encodeSnapshotExtent(out, extent);
      const record = out.view().slice();
      expect(decodeSnapshotExtent(record, 0, record.length, PLACE)).toEqual(extent);
      for (let end = 0; end < record.length; end++) {
        expect(() => decodeSnapshotExtent(record, 0, end, PLACE)).toThrow(CorruptionError);
      }
    }),
  );
});
