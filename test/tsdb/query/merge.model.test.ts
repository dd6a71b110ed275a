import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareLabels,
  compareText,
  type FloatHistogram,
  Labels,
  SampleBuffer,
  type SelectedSeries,
} from '../../../model/index.ts';
import { mergeSamples } from '../../../tsdb/query/merge-samples.ts';
import { mergeSelected, mergeTexts } from '../../../tsdb/query/merge-series.ts';

const samples = fc
  .uniqueArray(fc.nat(60), { maxLength: 40 })
  .map((times) => times.sort((a, b) => a - b));

function buffer(times: readonly number[], number: number): SampleBuffer {
  const out = new SampleBuffer(4);
  out.reserve(times.length);
  times.forEach((timestampMs, i) => {
    out.timestampsMs[i] = timestampMs;
    // Bits that a plain number would not keep.
    out.valueHalves[i * 2] = timestampMs;
    out.valueHalves[i * 2 + 1] = 0x7ff00000 + number;
  });
  out.count = times.length;
  return out;
}

describe('merging samples', () => {
  test('gives every time once, from the earliest source that has it', () => {
    fc.assert(
      fc.property(fc.array(samples, { maxLength: 5 }), (sources) => {
        const out = new SampleBuffer(1);
        mergeSamples(sources.map(buffer), out);
        const wanted = new Map<number, number>();
        sources.forEach((times, number) => {
          for (const t of times) if (!wanted.has(t)) wanted.set(t, number);
        });
        const found = Array.from({ length: out.count }, (_, i) => [
          out.timestampsMs[i]!,
          out.valueHalves[i * 2 + 1]! - 0x7ff00000,
        ]);
        expect(found).toEqual([...wanted].sort((a, b) => a[0] - b[0]));
        for (let i = 0; i < out.count; i++)
          expect(out.valueHalves[i * 2]).toBe(out.timestampsMs[i]);
      }),
    );
  });

  test('keeps histograms and start timestamps with their samples', () => {
    const histogram = { kind: 'float' } as FloatHistogram;
    const a = buffer([1, 3], 0);
    const b = buffer([2, 3, 4], 1);
    b.histograms = [histogram, null, histogram];
    b.startTimestampsMs = Float64Array.of(20, 30, 40);
    const out = new SampleBuffer();
    mergeSamples([a, b], out);
    expect([...out.timestampsMs.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(out.histograms).toEqual([null, histogram, null, histogram]);
    expect([...out.startTimestampsMs!.subarray(0, 4)]).toEqual([0, 20, 0, 40]);
  });
});

/** Rows with one sample whose value tells source and row. */
function source(number: number, labels: readonly Labels[]): SelectedSeries {
  return {
    labels,
    warnings: [`warning ${number}`],
    read(row, _minMs, _maxMs, out) {
      out.clear();
      out.reserve(1);
      out.timestampsMs[0] = number;
      out.values[0] = number * 1000 + row;
      out.count = 1;
    },
  };
}

describe('merging selections', () => {
  const labels = fc
    .dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3'))
    .map((object) => Labels.fromObject(object));
  const rows = fc
    .uniqueArray(labels, { maxLength: 12, selector: (set) => set.key })
    .map((sets) => sets.sort(compareLabels));

  test('gives each series once, in order, with the samples of all its sources', () => {
    fc.assert(
      fc.property(fc.array(rows, { maxLength: 4 }), fc.nat(10), (lists, limit) => {
        const merged = mergeSelected(
          lists.map((sets, number) => source(number, sets)),
          limit,
        );
        const byKey = new Map(lists.flat().map((set) => [set.key, set]));
        let wanted = [...byKey.values()].sort(compareLabels);
        if (limit > 0) wanted = wanted.slice(0, limit);
        expect(merged.labels.map(String)).toEqual(wanted.map(String));
        expect(merged.warnings.length).toBe(lists.length);
        const out = new SampleBuffer();
        merged.labels.forEach((set, row) => {
          merged.read(row, 0, 100, out);
          const values: number[] = [];
          lists.forEach((sets, number) => {
            const at = sets.findIndex((other) => other.equals(set));
            if (at >= 0) values.push(number * 1000 + at);
          });
          expect([...out.values.subarray(0, out.count)]).toEqual(values);
        });
      }),
    );
  });

  test('texts come out sorted and once', () => {
    const texts = fc
      .uniqueArray(fc.string({ maxLength: 3, unit: 'binary' }), { maxLength: 20 })
      .map((list) => list.sort(compareText));
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 4 }), fc.nat(5), (lists, limit) => {
        let wanted = [...new Set(lists.flat())].sort(compareText);
        if (limit > 0) wanted = wanted.slice(0, limit);
        expect(mergeTexts(lists, limit)).toEqual(wanted);
      }),
    );
  });
});
