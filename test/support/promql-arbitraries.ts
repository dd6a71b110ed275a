/** Random data and random, type-correct expressions about it, for fast-check. */
import * as fc from 'fast-check';
import { floatHistogram, Labels } from '../../model/index.ts';
import { MemoryStorage, type StoredValue } from '../../promql/script/memory-storage.ts';

export const DATA_SPAN_MS = 600_000;

export type SeriesData = {
  labels: Record<string, string>;
  samples: [timeMs: number, value: StoredValue][];
};

/** Strictly ascending times with gaps. */
const times = fc
  .array(fc.integer({ min: 5, max: 45 }), { minLength: 0, maxLength: 30 })
  .map((gaps) => {
    let timeMs = 0;
    return gaps.map((gap) => (timeMs += gap * 1000)).filter((t) => t <= DATA_SPAN_MS);
  });

const gauge = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: -20, max: 50 }) },
  { weight: 1, arbitrary: fc.constantFrom<StoredValue>('stale', NaN, 0.5) },
);

/**
 * A series with times of its own, or with those that most others have, as scrapes give them, or with
 * those but for one that came a second late.
 */
function series(
  labels: fc.Arbitrary<Record<string, string>>,
  values: (times: number[]) => fc.Arbitrary<StoredValue[]>,
  shared: number[],
): fc.Arbitrary<SeriesData> {
  const late = fc
    .nat({ max: Math.max(0, shared.length - 1) })
    .map((index) => shared.map((timeMs, i) => (i === index ? timeMs + 1000 : timeMs)));
  const own = fc.oneof(
    { weight: 3, arbitrary: fc.constant(shared) },
    { weight: 2, arbitrary: late },
    { weight: 2, arbitrary: times },
  );
  return fc.tuple(labels, own).chain(([named, at]) =>
    values(at).map((all) => ({
      labels: named,
      samples: at.map((timeMs, i) => [timeMs, all[i]!] as [number, StoredValue]),
    })),
  );
}

const exactly =
  <T>(item: fc.Arbitrary<T>) =>
  (at: number[]): fc.Arbitrary<T[]> =>
    fc.array(item, { minLength: at.length, maxLength: at.length });

/** Rises by small steps and starts over now and then. */
function counter(at: number[]): fc.Arbitrary<number[]> {
  return exactly(fc.integer({ min: -1, max: 12 }))(at).map((steps) => {
    let value = 3;
    return steps.map((step) => (value = step < 0 ? 0 : value + step));
  });
}

function histograms(at: number[]): fc.Arbitrary<StoredValue[]> {
  return exactly(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 }))(at).map(
    (all) => {
      const counts = [1, 1, 1];
      return all.map((steps) => {
        for (let i = 0; i < 3; i++) counts[i]! += steps[i]!;
        const count = counts.reduce((a, b) => a + b);
        return floatHistogram({
          count,
          sum: count * 2,
          positiveSpans: [{ offset: 0, length: 3 }],
          positiveCounts: counts.slice(),
        });
      });
    },
  );
}

const job = fc.constantFrom('a', 'b');
const instance = fc.constantFrom('1', '2', '3');
const named = (name: string, more: Record<string, fc.Arbitrary<string>> = {}) =>
  fc.record({ __name__: fc.constant(name), job, instance, ...more });

export const dataArbitrary: fc.Arbitrary<SeriesData[]> = times
  .chain((shared) => {
    const le = { le: fc.constantFrom('1', '2', '+Inf') };
    return fc.tuple(
      fc.array(series(named('gauge'), exactly(gauge), shared), { maxLength: 5 }),
      fc.array(series(named('counter_total'), counter, shared), { maxLength: 5 }),
      fc.array(series(named('other'), exactly(gauge), shared), { maxLength: 3 }),
      fc.array(series(named('x_bucket', le), counter, shared), { maxLength: 6 }),
      fc.array(series(named('hist'), histograms, shared), { maxLength: 3 }),
    );
  })
  .map((groups) => groups.flat());

export function storageOf(data: readonly SeriesData[]): MemoryStorage {
  const storage = new MemoryStorage();
  for (const { labels, samples } of data) {
    for (const [timeMs, value] of samples) storage.append(Labels.fromObject(labels), timeMs, value);
  }
  return storage;
}

const duration = fc.constantFrom('20s', '30s', '1m', '90s', '5m');
const modifier = fc.oneof(
  { weight: 5, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(' offset 30s', ' offset -20s', ' @ 300', ' @ 200 offset 1m'),
  },
);
const floatMetric = fc.constantFrom('gauge', 'counter_total', 'other');
const metric = fc.oneof(
  { weight: 5, arbitrary: floatMetric },
  { weight: 1, arbitrary: fc.constantFrom('x_bucket', 'hist') },
);
const matchers = fc.constantFrom('', '{job="a"}', '{instance=~"1|2"}', '{job!="b",instance="1"}');
const selector = fc.tuple(metric, matchers, modifier).map((parts) => parts.join(''));
const grouping = fc.constantFrom('', 'by (job)', 'by (instance)', 'without (instance)', 'by (le)');

const RANGE_FUNCTIONS = [
  'rate',
  'increase',
  'delta',
  'irate',
  'idelta',
  'deriv',
  'avg_over_time',
  'sum_over_time',
  'min_over_time',
  'max_over_time',
  'count_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'first_over_time',
  'last_over_time',
  'present_over_time',
  'changes',
  'resets',
];

/**
 * `raw` are values as they are stored, on which comparisons and the like may be made; what is
 * computed may differ in the last digit between two ways of computing it.
 */
export const expressionArbitrary: fc.Arbitrary<string> = fc.letrec<Record<string, string>>(
  (tie) => {
    const call = (name: fc.Arbitrary<string>, arg: fc.Arbitrary<string>): fc.Arbitrary<string> =>
      fc.tuple(name, arg).map(([f, x]) => `${f}(${x})`);
    return {
      raw: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        selector,
        call(fc.constantFrom('abs', 'floor', 'sgn', 'clamp_min'), tie('raw')).map((text) =>
          text.startsWith('clamp_min') ? text.replace(/\)$/, ', 3)') : text,
        ),
        fc
          .tuple(
            tie('raw'),
            fc.constantFrom('>', '<', '==', '!=', '>= bool', '<= bool'),
            fc.integer({ min: -5, max: 20 }),
          )
          .map(([x, op, n]) => `(${x} ${op} ${n})`),
        fc
          .tuple(fc.constantFrom('topk', 'bottomk'), fc.integer({ min: 0, max: 3 }), tie('raw'))
          .map(([f, k, x]) => `${f}(${k}, ${x})`),
        fc
          .tuple(fc.constantFrom('min', 'max', 'count', 'group'), grouping, tie('raw'))
          .map(([f, by, x]) => `${f} ${by} (${x})`),
        fc
          .tuple(
            tie('raw'),
            fc.constantFrom('and', 'or', 'unless', '> on(job)', '== bool'),
            tie('raw'),
          )
          .map((parts) => `(${parts.join(' ')})`),
      ),
      range: fc.oneof(
        {
          weight: 3,
          arbitrary: fc
            .tuple(metric, matchers, duration, modifier)
            .map(([m, l, d, o]) => `${m}${l}[${d}]${o}`),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(tie('vector'), duration, fc.constantFrom('15s', '30s', '1m'), modifier)
            .map(([x, d, s, o]) => `(${x})[${d}:${s}]${o}`),
        },
      ),
      scalar: fc.oneof(
        { depthSize: 'small' },
        fc.integer({ min: -3, max: 9 }).map(String),
        fc.constant('time()'),
        call(fc.constant('scalar'), selector),
      ),
      vector: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        tie('raw'),
        call(fc.constantFrom(...RANGE_FUNCTIONS), tie('range')),
        fc.tuple(tie('scalar'), tie('range')).map(([n, r]) => `predict_linear(${r}, ${n})`),
        fc
          .tuple(fc.constantFrom('0.5', '0.9', '0', '2'), tie('range'))
          .map(([q, r]) => `quantile_over_time(${q}, ${r})`),
        fc
          .tuple(fc.constantFrom('sum', 'avg', 'stddev', 'stdvar'), grouping, tie('vector'))
          .map(([f, by, x]) => `${f} ${by} (${x})`),
        fc.tuple(grouping, tie('vector')).map(([by, x]) => `quantile ${by} (0.3, ${x})`),
        call(fc.constantFrom('histogram_count', 'histogram_sum', 'absent', '-'), tie('vector')),
        tie('vector').map((x) => `histogram_quantile(0.6, ${x})`),
        fc
          .tuple(tie('vector'), fc.constantFrom('+', '-', '*', '/'), tie('scalar'))
          .map(([x, op, n]) => `(${x} ${op} ${n})`),
        fc
          .tuple(
            tie('vector'),
            fc.constantFrom(
              '+',
              '-',
              '* on(job)',
              '/ on(job, instance)',
              '+ ignoring(le)',
              '- on(job) group_left()',
              '* on(job) group_right()',
              '* on(instance, job) group_left(le)',
            ),
            tie('vector'),
          )
          .map((parts) => `(${parts.join(' ')})`),
      ),
    };
  },
).vector!;
