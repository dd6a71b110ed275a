import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeltaToCumulative } from '../../../src/remote/delta-to-cumulative.ts';
import {
  newMetric,
  newPoint,
  newScope,
  type OtlpKind,
  type OtlpPoint,
  type OtlpResource,
  Temporality,
} from '../../../src/remote/otlp-data.ts';

function send(
  state: DeltaToCumulative,
  kind: OtlpKind,
  point: Partial<OtlpPoint>,
  nowMs = 0,
): OtlpPoint[] {
  const metric = {
    ...newMetric(),
    name: 'm',
    kind,
    temporality: Temporality.Delta,
    points: [{ ...newPoint(), ...point }],
  };
  const resource: OtlpResource = { attributes: [], scopes: [{ ...newScope(), metrics: [metric] }] };
  state.apply([resource], nowMs);
  return resource.scopes[0]!.metrics[0]?.points ?? [];
}

describe('changes', () => {
  test('become totals by stream, whatever the order of attributes', () => {
    const state = new DeltaToCumulative();
    const values = [
      send(state, 'sum', { timeMs: 1, value: 2, attributes: ['a', '1', 'b', '2'] }),
      send(state, 'sum', { timeMs: 1, value: 10, attributes: ['a', '2'] }),
      send(state, 'sum', { timeMs: 2, value: 3, attributes: ['b', '2', 'a', '1'] }),
    ].map(([point]) => point?.value);
    expect(values).toEqual([2, 10, 5]);
    expect(state.streamCount).toBe(2);
  });

  test('that come too late are left out', () => {
    const state = new DeltaToCumulative();
    send(state, 'sum', { timeMs: 10, value: 1 });
    expect(send(state, 'sum', { timeMs: 10, value: 1 })).toEqual([]);
    expect(send(state, 'sum', { timeMs: 9, value: 1 })).toEqual([]);
    expect(send(state, 'sum', { timeMs: 11, value: 1 })[0]!.value).toBe(2);
  });

  test('begin anew after a silence', () => {
    const state = new DeltaToCumulative();
    send(state, 'sum', { timeMs: 1, value: 1 }, 0);
    expect(send(state, 'sum', { timeMs: 2, value: 1 }, 299_000)[0]!.value).toBe(2);
    expect(send(state, 'sum', { timeMs: 3, value: 1 }, 700_000)[0]!.value).toBe(1);
  });

  test('of a histogram with other buckets begin anew', () => {
    const state = new DeltaToCumulative();
    const histogram = { count: 3, sum: 4, bucketCounts: [1, 2], bounds: [5] };
    send(state, 'histogram', { ...histogram, timeMs: 1 });
    const [second] = send(state, 'histogram', { ...histogram, timeMs: 2 });
    expect(second).toMatchObject({ count: 6, sum: 8, bucketCounts: [2, 4] });
    const [other] = send(state, 'histogram', { ...histogram, bounds: [6], timeMs: 3 });
    expect(other).toMatchObject({ count: 3, bucketCounts: [1, 2] });
  });

  test('of exponential histograms of any resolution lose no observation', () => {
    const side = fc.record({
      offset: fc.integer({ min: -40, max: 40 }),
      counts: fc.array(fc.nat(5), { maxLength: 60 }),
    });
    const change = fc.record({
      scale: fc.integer({ min: -2, max: 4 }),
      positive: side,
      negative: side,
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const state = new DeltaToCumulative();
        let last: OtlpPoint | undefined;
        changes.forEach((given, i) => {
          const count = [...given.positive.counts, ...given.negative.counts].reduce(
            (a, b) => a + b,
            0,
          );
          [last] = send(state, 'exponential', { ...given, count, zeroCount: 1, timeMs: i + 1 });
        });
        const { scale, zeroCount, positive, negative } = last!;
        expect(zeroCount).toBe(changes.length);
        for (const name of ['positive', 'negative'] as const) {
          const found = { positive, negative }[name];
          // Every observation, put where it belongs at the resolution that it has come to.
          const expected = new Map<number, number>();
          for (const given of changes) {
            given[name].counts.forEach((observed, i) => {
              const index = Math.floor((given[name].offset + i) / 2 ** (given.scale - scale));
              expected.set(index, (expected.get(index) ?? 0) + observed);
            });
          }
          const shown = new Map(found.counts.map((value, i) => [found.offset + i, value]));
          for (const [index, value] of expected) expect(shown.get(index) ?? 0).toBe(value);
          const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
          expect(sum(shown.values())).toBe(sum(expected.values()));
          if (changes.length > 1) expect(found.counts.length).toBeLessThanOrEqual(160);
        }
      }),
    );
  });
});
