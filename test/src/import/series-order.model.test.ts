import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { samplesBySeries } from '../../../src/import/series-order.ts';

const SERIES_COUNT = 4;
const sample = fc.tuple(fc.nat(SERIES_COUNT - 1), fc.nat(8), fc.constantFrom(0, -0, 1, NaN));

test('samples come by series and time, of equal times the first', () => {
  fc.assert(
    fc.property(
      fc.array(sample, { maxLength: 40 }),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: SERIES_COUNT }),
      (samples, ranks) => {
        let conflictCount = 0;
        const columns = {
          count: samples.length,
          series: Uint32Array.from(samples, ([series]) => series),
          timestampsMs: Float64Array.from(samples, ([, timestampMs]) => timestampMs),
          values: Float64Array.from(samples, ([, , value]) => value),
        };
        const found = [
          ...samplesBySeries(columns, Uint32Array.from(ranks), () => conflictCount++),
        ].map(({ series, timestampsMs, values, count }) => ({
          series,
          samples: [...timestampsMs.subarray(0, count)].map((t, i) => [t, values[i]]),
        }));

        let expectedConflictCount = 0;
        const model = new Map<number, Map<number, number>>();
        for (const [series, timestampMs, value] of samples) {
          const times = model.get(series) ?? new Map<number, number>();
          model.set(series, times);
          const first = times.get(timestampMs);
          if (first === undefined) times.set(timestampMs, value);
          else if (!Object.is(first, value)) expectedConflictCount++;
        }
        const expected = [...model]
          .sort(([a], [b]) => ranks[a]! - ranks[b]!)
          .map(([series, times]) => ({
            series,
            samples: [...times].sort(([a], [b]) => a - b),
          }));
        expect(found).toEqual(expected);
        expect(conflictCount).toBe(expectedConflictCount);
      },
    ),
  );
});
