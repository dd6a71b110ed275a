/** Every record type: what goes in comes out, and broken bytes give a CorruptionError or nothing bad. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter, CorruptionError, Labels, METRIC_TYPES } from '../../../model/index.ts';
import { decodeExemplars, encodeExemplars } from '../../../tsdb/record/exemplars.ts';
import {
  decodeHistograms,
  encodeHistograms,
  histogramRecordType,
} from '../../../tsdb/record/histograms.ts';
import { decodeMetadata, encodeMetadata } from '../../../tsdb/record/metadata.ts';
import { decodeMmapMarkers, encodeMmapMarkers } from '../../../tsdb/record/mmap-markers.ts';
import { SampleBatch } from '../../../tsdb/record/sample-batch.ts';
import { decodeSamples, encodeSamples, encodeSamplesV2 } from '../../../tsdb/record/samples.ts';
import { beginSeriesRecord, SeriesCursor } from '../../../tsdb/record/series.ts';
import { encodeSeries } from '../support/series-record.ts';
import { decodeTombstones, encodeTombstones } from '../../../tsdb/record/tombstones.ts';
import {
  floatHistogramArbitrary,
  histogramArbitrary,
  labelsArbitrary,
  valueBits,
} from '../support/arbitraries.ts';

const PLACE = { file: 'wal/00000007', offsetBytes: 42 };
const ref = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.nat(2 ** 40));
const time = fc.oneof(
  fc.constant(1_761_955_200_000),
  fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
);
const startTime = fc.oneof(fc.constant(0), fc.constant(1_761_955_109_750), time);

function encoded(encode: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(8);
  out.putByte(0xaa); // so that offsets are not all 0
  encode(out);
  return out.view().slice(1);
}

const sampleRows = fc.array(fc.tuple(ref, time, valueBits, startTime), { maxLength: 40 });

function batchOf(rows: readonly (readonly [number, number, readonly [number, number], number])[]) {
  const batch = new SampleBatch(1);
  for (const [series, timestampMs, [high, low], startMs] of rows) {
    batch.push(series, timestampMs, high, low, startMs);
  }
  return batch;
}

function rowsOf(batch: SampleBatch) {
  return Array.from({ length: batch.count }, (_, i) => [
    batch.refs[i],
    batch.timestampsMs[i],
    [batch.valueHalves[i * 2 + 1], batch.valueHalves[i * 2]],
    batch.startTimestampsMs[i],
  ]);
}

/** Each: some records of the type, and its decoder. */
const KINDS: readonly {
  readonly name: string;
  readonly records: fc.Arbitrary<Uint8Array>;
  readonly decode: (record: Uint8Array) => void;
}[] = [
  {
    name: 'series',
    records: fc.array(fc.tuple(ref, labelsArbitrary), { minLength: 1 }).map((rows) =>
      encoded((out) => {
        beginSeriesRecord(out);
        for (const [series, labels] of rows) encodeSeries(out, series, labels);
      }),
    ),
    decode(record) {
      const cursor = new SeriesCursor();
      cursor.reset(record, 0, record.length, PLACE);
      while (cursor.next()) cursor.labels();
    },
  },
  {
    name: 'samples',
    records: sampleRows.map((rows) => encoded((out) => encodeSamples(batchOf(rows), out))),
    decode: (record) => decodeSamples(record, 0, record.length, new SampleBatch(), PLACE),
  },
  {
    name: 'samples with start times',
    records: sampleRows.map((rows) => {
      const batch = batchOf(rows);
      return encoded((out) => encodeSamplesV2(batch, batch.startTimestampsMs, out));
    }),
    decode: (record) => decodeSamples(record, 0, record.length, new SampleBatch(), PLACE),
  },
  {
    name: 'histograms',
    records: fc.array(fc.tuple(ref, time, histogramArbitrary)).map((rows) =>
      encoded((out) =>
        encodeHistograms(
          7,
          rows.map(([series, timestampMs, histogram]) => ({
            ref: series,
            timestampMs,
            startMs: 0,
            histogram,
          })),
          out,
        ),
      ),
    ),
    decode: (record) => decodeHistograms(record, 0, record.length, PLACE),
  },
  {
    name: 'tombstones',
    records: fc.array(fc.tuple(ref, time, time)).map((rows) =>
      encoded((out) =>
        encodeTombstones(
          rows.map(([series, minMs, maxMs]) => ({ ref: series, minMs, maxMs })),
          out,
        ),
      ),
    ),
    decode: (record) => decodeTombstones(record, 0, record.length, PLACE),
  },
  {
    name: 'metadata',
    records: fc.array(fc.tuple(ref, fc.string())).map((rows) =>
      encoded((out) =>
        encodeMetadata(
          rows.map(([series, help]) => ({
            ref: series,
            metadata: { type: 'gauge' as const, unit: '', help },
          })),
          out,
        ),
      ),
    ),
    decode: (record) => decodeMetadata(record, 0, record.length, PLACE),
  },
  {
    name: 'exemplars',
    records: fc.array(fc.tuple(ref, time, labelsArbitrary)).map((rows) =>
      encoded((out) =>
        encodeExemplars(
          rows.map(([series, timestampMs, labels]) => ({
            ref: series,
            timestampMs,
            value: 1,
            labels,
          })),
          out,
        ),
      ),
    ),
    decode: (record) => decodeExemplars(record, 0, record.length, PLACE),
  },
  {
    name: 'mmap markers',
    records: fc.array(fc.tuple(ref, ref)).map((rows) =>
      encoded((out) =>
        encodeMmapMarkers(
          rows.map(([series, chunkRef]) => ({ ref: series, chunkRef })),
          out,
        ),
      ),
    ),
    decode: (record) => decodeMmapMarkers(record, 0, record.length, PLACE),
  },
];

describe('log records', () => {
  test('samples come back bit for bit', () => {
    fc.assert(
      fc.property(sampleRows, fc.boolean(), (rows, withStarts) => {
        const batch = batchOf(rows);
        const record = encoded((out) =>
          withStarts
            ? encodeSamplesV2(batch, batch.startTimestampsMs, out)
            : encodeSamples(batch, out),
        );
        const back = new SampleBatch(1);
        decodeSamples(record, 0, record.length, back, PLACE);
        const expected = rows.map(([a, b, [high, low], start]) => [
          a,
          b,
          [high, low],
          withStarts ? start : 0,
        ]);
        expect(rowsOf(back)).toEqual(expected);
        expect(back.hasStartTimestamps).toBe(withStarts && rows.some(([, , , s]) => s !== 0));
      }),
    );
  });

  test('a slice of the columns makes a record of its own', () => {
    const batch = batchOf([
      [1, 10, [0, 1], 0],
      [2, 20, [0, 2], 0],
      [3, 30, [0, 3], 0],
    ]);
    const record = encoded((out) => encodeSamples(batch, out, 1, 3));
    const back = new SampleBatch(1);
    decodeSamples(record, 0, record.length, back, PLACE);
    expect(Array.from(back.refs.subarray(0, back.count))).toEqual([2, 3]);
  });

  test('series come back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ref, labelsArbitrary)), (rows) => {
        const record = encoded((out) => {
          beginSeriesRecord(out);
          for (const [series, labels] of rows) encodeSeries(out, series, labels);
        });
        const cursor = new SeriesCursor();
        cursor.reset(record, 0, record.length, PLACE);
        const back: [number, Labels][] = [];
        while (cursor.next()) back.push([cursor.ref, cursor.labels()]);
        expect(back).toEqual(rows);
      }),
    );
  });

  test('labels in another order are put right', () => {
    const record = encoded((out) => {
      beginSeriesRecord(out);
      encodeSeries(out, 5, Labels.fromSorted(['b', '1', 'a', '2']));
    });
    const cursor = new SeriesCursor();
    cursor.reset(record, 0, record.length, PLACE);
    cursor.next();
    expect(cursor.labels()).toEqual(Labels.fromObject({ a: '2', b: '1' }));
  });

  test('histograms of every record type come back', () => {
    const histogram = fc.oneof(histogramArbitrary, floatHistogramArbitrary);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(ref, time, startTime, histogram), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (rows, withStarts) => {
          const byType = new Map<number, Parameters<typeof encodeHistograms>[1][number][]>();
          for (const [series, timestampMs, start, value] of rows) {
            const type = histogramRecordType(value, withStarts);
            const startMs = withStarts ? start : 0;
            const list = byType.get(type) ?? [];
            list.push({ ref: series, timestampMs, startMs, histogram: value });
            byType.set(type, list);
          }
          for (const [type, list] of byType) {
            const record = encoded((out) => encodeHistograms(type as 7, list, out));
            expect(decodeHistograms(record, 0, record.length, PLACE)).toEqual(list);
          }
        },
      ),
    );
  });

  test('tombstones, metadata, exemplars and markers come back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(ref, time, time, fc.string(), labelsArbitrary), { maxLength: 10 }),
        (rows) => {
          const tombstones = rows.map(([series, minMs, maxMs]) => ({ ref: series, minMs, maxMs }));
          let record = encoded((out) => encodeTombstones(tombstones, out));
          expect(decodeTombstones(record, 0, record.length, PLACE)).toEqual(tombstones);

          const metadata = rows.map(([series, t, , help]) => ({
            ref: series,
            metadata: { type: METRIC_TYPES[Math.abs(t) % 8]!, unit: 'seconds', help },
          }));
          record = encoded((out) => encodeMetadata(metadata, out));
          expect(decodeMetadata(record, 0, record.length, PLACE)).toEqual(metadata);

          const exemplars = rows.map(([series, timestampMs, value, , labels]) => ({
            ref: series,
            timestampMs,
            value,
            labels,
          }));
          record = encoded((out) => encodeExemplars(exemplars, out));
          expect(decodeExemplars(record, 0, record.length, PLACE)).toEqual(exemplars);

          const markers = rows.map(([series, chunkRef]) => ({
            ref: series,
            chunkRef: Math.abs(chunkRef),
          }));
          record = encoded((out) => encodeMmapMarkers(markers, out));
          expect(decodeMmapMarkers(record, 0, record.length, PLACE)).toEqual(markers);
        },
      ),
    );
  });

  test('a deletion since ever is clamped, not refused', () => {
    // minMs = -2⁶³ and maxMs = 2⁶³-1, as Prometheus may write them.
    const record = Uint8Array.from(
      Buffer.from('030000000000000001ffffffffffffffffff01feffffffffffffffff01', 'hex'),
    );
    expect(decodeTombstones(record, 0, record.length, PLACE)).toEqual([
      { ref: 1, minMs: -Number.MAX_SAFE_INTEGER, maxMs: Number.MAX_SAFE_INTEGER },
    ]);
  });

  test.each(KINDS)(
    '$name survive any damage with an error that says where',
    ({ records, decode }) => {
      fc.assert(
        fc.property(records, fc.nat(), fc.nat(), fc.nat(255), (record, cut, at, to) => {
          const spoiled = record.slice(
            0,
            cut % 2 === 0 ? record.length : cut % (record.length + 1),
          );
          if (spoiled.length > 1) spoiled[1 + (at % (spoiled.length - 1))] = to;
          try {
            decode(spoiled);
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptionError);
            expect((error as CorruptionError).place).toEqual(PLACE);
          }
        }),
        { numRuns: 300 },
      );
    },
  );
});
