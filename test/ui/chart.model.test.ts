import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LabelSet } from '../../web/ui/api/query-result.ts';
import { gridOf, type RangeColumns, toColumns } from '../../web/ui/api/range-columns.ts';
import {
  lineData,
  nearestSeries,
  stackedData,
  valueRange,
} from '../../web/ui/parts/chart/chart-data.ts';
import {
  hiddenAfterClick,
  nextOrder,
  orderedSeries,
  withoutLabels,
} from '../../web/ui/parts/chart/legend-order.ts';
import { valueFormatOf } from '../../web/ui/parts/chart/value-format.ts';

const VALUE = fc.oneof(
  fc.integer({ min: -1000, max: 1000 }),
  fc.constantFrom('NaN', '+Inf', '-Inf'),
);
/** Per series: for every step a value, or nothing. */
const SERIES = fc.array(
  fc.array(fc.option(VALUE, { nil: undefined }), { minLength: 1, maxLength: 9 }),
  {
    maxLength: 6,
  },
);

const START_MS = 1_700_000_000_123;
const STEP_MS = 14_000;

function columnsOf(series: readonly (readonly (string | number | undefined)[])[]): RangeColumns {
  const stepCount = Math.max(1, ...series.map((values) => values.length));
  const grid = gridOf(START_MS, START_MS + (stepCount - 1) * STEP_MS, STEP_MS);
  const result = series.map((values, index) => ({
    metric: { series: String(index) },
    values: values.flatMap((value, step): [number, string][] =>
      value === undefined ? [] : [[(START_MS + step * STEP_MS) / 1000, String(value)]],
    ),
  }));
  return toColumns(result, grid, undefined);
}

const finite = (value: string | number | undefined) => typeof value === 'number';

describe('columns of a range query', () => {
  test('hold every finite value at its step, a gap elsewhere, and true figures', () => {
    fc.assert(
      fc.property(SERIES, (series) => {
        const columns = columnsOf(series);
        const drawn = lineData(columns, series.length);
        series.forEach((values, index) => {
          const expected = Array.from({ length: columns.grid.stepCount }, (_, step) =>
            finite(values[step]) ? values[step] : null,
          );
          expect(drawn[index + 1]).toEqual(expected);

          const numbers = values.filter((one) => typeof one === 'number');
          const figures = columns.series[index]!;
          expect(figures.valueCount).toBe(numbers.length);
          if (numbers.length === 0) return;
          expect(figures.min).toBe(Math.min(...numbers));
          expect(figures.max).toBe(Math.max(...numbers));
          expect(figures.last).toBe(numbers.at(-1));
          const mean = numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
          expect(figures.mean).toBeCloseTo(mean, 6);
          const isLone = values.some(
            (one, step) => finite(one) && !finite(values[step - 1]) && !finite(values[step + 1]),
          );
          expect(figures.hasLonePoint).toBe(isLone);
        });
      }),
    );
  });

  test('stack up to the sum of what is visible, and to nothing where nothing is', () => {
    fc.assert(
      fc.property(SERIES, fc.func(fc.boolean()), (series, isHidden) => {
        const columns = columnsOf(series);
        const stacked = stackedData(columns, series.length, (index) => isHidden(index));
        for (let step = 0; step < columns.grid.stepCount; step++) {
          const visible = series.map((values, index) =>
            isHidden(index) ? undefined : values[step],
          );
          const isEmpty = !visible.some(finite);
          let sum = 0;
          series.forEach((_, index) => {
            if (isHidden(index)) return;
            const value = visible[index];
            if (typeof value === 'number') sum += value;
            expect(stacked[index + 1]![step]).toBe(isEmpty ? null : sum);
          });
        }
      }),
    );
  });

  test('count native histograms, which have no line', () => {
    const result = [
      { metric: {}, histograms: [] },
      { metric: {}, values: [] },
    ];
    const columns = toColumns(result, gridOf(0, 10_000, 1000), undefined);
    expect(columns.histogramSeriesCount).toBe(1);
    expect(columns.series).toHaveLength(1);
  });

  test('the nearest series is the one no other is nearer than', () => {
    fc.assert(
      fc.property(SERIES, fc.integer({ min: -1000, max: 1000 }), (series, value) => {
        const data = lineData(columnsOf(series), series.length);
        const nearest = nearestSeries(data, 0, value, () => false);
        const distances = series.map(([first]) =>
          typeof first === 'number' ? Math.abs(first - value) : Number.POSITIVE_INFINITY,
        );
        if (nearest === -1)
          expect(distances.every((one) => one === Number.POSITIVE_INFINITY)).toBe(true);
        else expect(distances[nearest]).toBe(Math.min(...distances));
      }),
    );
  });
});

describe('the value axis', () => {
  test.each([
    { min: null, max: null, fromZero: false, range: [0, 1] },
    { min: 0, max: 100, fromZero: false, range: [0, 107] },
    { min: 50, max: 100, fromZero: true, range: [0, 107] },
    { min: -100, max: -50, fromZero: true, range: [-107, 0] },
    { min: 4, max: 4, fromZero: false, range: [2, 6] },
    { min: 0, max: 0, fromZero: false, range: [0, 1] },
  ])('from $min to $max spans $range', ({ min, max, fromZero, range }) => {
    const [low, high] = valueRange(min, max, fromZero);
    expect(low).toBeCloseTo(range[0]!, 9);
    expect(high).toBeCloseTo(range[1]!, 9);
  });
});

describe('units', () => {
  test.each([
    [[{ __name__: 'a_bytes' }], '1.50 KiB'],
    [[{ __name__: 'a_bytes' }, { __name__: 'b_bytes' }], '1.50 KiB'],
    [[{ __name__: 'a_bytes' }, {}], '1.536k'],
    [[{ __name__: 'a_bytes_total' }], '1.536k'],
    [[], '1.536k'],
  ])('1536 of %j is %s', (sets, text) => {
    expect(valueFormatOf(sets.map((labels) => ({ labels: labels as LabelSet }))).text(1536)).toBe(
      text,
    );
  });
});

describe('the legend', () => {
  test('a click isolates, a second one brings all back, with a modifier one toggles', () => {
    expect(hiddenAfterClick(new Set(), 1, 3, false)).toEqual(new Set([0, 2]));
    expect(hiddenAfterClick(new Set([0, 2]), 1, 3, false)).toEqual(new Set());
    expect(hiddenAfterClick(new Set([0, 2]), 2, 3, false)).toEqual(new Set([0, 1]));
    expect(hiddenAfterClick(new Set([0]), 1, 3, true)).toEqual(new Set([0, 1]));
    expect(hiddenAfterClick(new Set([0]), 0, 3, true)).toEqual(new Set());
  });

  test('whatever is clicked, something stays visible', () => {
    const clicks = fc.array(fc.tuple(fc.nat(4), fc.boolean()));
    fc.assert(
      fc.property(clicks, (all) => {
        let hidden: ReadonlySet<number> = new Set();
        for (const [index, isModified] of all) {
          hidden = hiddenAfterClick(hidden, index, 5, isModified);
          expect(hidden.size).toBeLessThan(5);
        }
      }),
    );
  });

  test('orders by a figure both ways, then as the server did; empty series come last', () => {
    const columns = columnsOf([[5], ['NaN'], [9], [1]]);
    const descending = nextOrder(undefined, 'last');
    expect(orderedSeries(columns.series, descending)).toEqual([2, 0, 3, 1]);
    const ascending = nextOrder(descending, 'last');
    expect(orderedSeries(columns.series, ascending)).toEqual([3, 0, 2, 1]);
    expect(orderedSeries(columns.series, nextOrder(ascending, 'last'))).toEqual([0, 1, 2, 3]);
  });

  test('names only what differs', () => {
    expect(withoutLabels({ a: '1', b: '2' }, { a: '1' })).toEqual({ b: '2' });
  });
});
