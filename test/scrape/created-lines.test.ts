/** Start timestamps of scrapes: from lines of OpenMetrics, from protobuf, and where nobody asks. */
import { expect, test } from 'vitest';
import { writeFamilies } from './support/family-writer.ts';
import { FedTarget } from './support/scrape-once.ts';

/** The start of the newest sample of each series, in seconds. */
function starts(target: FedTarget): Record<string, number | undefined> {
  return Object.fromEntries(
    target.storage.all().flatMap(({ labels, samples }) => {
      const last = samples.at(-1);
      if (last === undefined || last.value === 'stale') return [];
      return [[labels.toString(), last.startMs === undefined ? 0 : last.startMs / 1000]];
    }),
  );
}

const page = (value: number, began: number, more = '') => `# TYPE a counter
a_total{l="x"} ${value}
a_created{l="x"} ${began}
a_total{l="y"} ${value}
# TYPE h histogram
h_bucket{l="x",le="1"} ${value}
h_bucket{l="x",le="+Inf"} ${value}
h_created{l="x"} ${began}
h_count{l="x"} ${value}
# TYPE s summary
s{quantile="0.5"} 1
s_count ${value}
s_created ${began}
# TYPE g gauge
g_created ${value}
${more}# EOF
`;
const began = (x: number) => ({
  '{__name__="a_total", l="x"}': x,
  '{__name__="a_total", l="y"}': 0,
  '{__name__="h_bucket", l="x", le="1.0"}': x,
  '{__name__="h_bucket", l="x", le="+Inf"}': x,
  '{__name__="h_count", l="x"}': x,
  '{__name__="s", quantile="0.5"}': x,
  '{__name__="s_count"}': x,
  '{__name__="g_created"}': 0,
});

test('lines that are repeated say the same as new ones', () => {
  const target = new FedTarget({ readsStarts: true });
  for (const [value, start] of [
    [1, 50],
    [2, 50],
    [3, 60.25],
  ] as const) {
    expect(target.scrape(page(value, start), 'openmetrics')).toBe('');
    expect(starts(target)).toEqual(began(start));
  }
});

test('entries that get other numbers keep their starts', () => {
  const target = new FedTarget({ readsStarts: true });
  const many = Array.from({ length: 1000 }, (_, i) => `v${i} 1\n`).join('');
  target.scrape(page(1, 50, `# TYPE v0 unknown\n${many}`), 'openmetrics');
  for (const start of [50, 51, 52]) {
    target.scrape(page(2, start), 'openmetrics');
    expect(starts(target)).toMatchObject(began(start));
  }
});

test('a metric without such a line loses its start', () => {
  const target = new FedTarget({ readsStarts: true });
  target.scrape(page(1, 50), 'openmetrics');
  target.scrape(page(2, 50).replace(/a_created.*\n/, ''), 'openmetrics');
  expect(starts(target)).toEqual({ ...began(50), '{__name__="a_total", l="x"}': 0 });
});

test('a number that is none is no start', () => {
  const target = new FedTarget({ readsStarts: true });
  target.scrape('# TYPE a counter\na_total 1\na_created NaN\n# EOF\n', 'openmetrics');
  expect(starts(target)).toEqual({ '{__name__="a_total"}': 0 });
});

test('where nobody asks the lines are samples', () => {
  const target = new FedTarget();
  target.scrape(page(1, 50), 'openmetrics');
  expect(target.storage.find('a_created', { l: 'x' })?.values).toEqual([50]);
  expect(Object.values(starts(target)).every((start) => start === 0)).toBe(true);
});

const messages = writeFamilies(
  { name: 'a_total', type: 'counter', metrics: [{ counter: 1, createdMs: 50_250 }] },
  { name: 'g', type: 'gauge', metrics: [{ gauge: 1, createdMs: 50_250 }] },
  {
    name: 's',
    type: 'summary',
    metrics: [{ summary: { count: 1, sum: 1, quantiles: [] }, createdMs: 50_250 }],
  },
  {
    name: 'n',
    type: 'histogram',
    metrics: [
      {
        histogram: { count: 1, sum: 1, schema: 0, zeroThreshold: 1, zeroCount: 1 },
        createdMs: 50_250,
      },
    ],
  },
);

test('protobuf says it with the metric', () => {
  const target = new FedTarget({ readsStarts: true, scrapeNativeHistograms: true });
  for (let scrape = 0; scrape < 2; scrape++) {
    expect(target.scrape(messages, 'protobuf')).toBe('');
    expect(starts(target)).toEqual({
      '{__name__="a_total"}': 50.25,
      '{__name__="g"}': 0,
      '{__name__="s_count"}': 50.25,
      '{__name__="s_sum"}': 50.25,
      '{__name__="n"}': 50.25,
    });
  }
  const unasked = new FedTarget({ scrapeNativeHistograms: true });
  unasked.scrape(messages, 'protobuf');
  expect(Object.values(starts(unasked)).every((start) => start === 0)).toBe(true);
});

test('what is made up of whole scrapes', () => {
  const target = new FedTarget({ synthesizesStarts: true });
  const scrape = (value: number) =>
    target.scrape(`# TYPE a counter\na ${value}\n# TYPE g gauge\ng ${value}\n`);
  for (const value of [10, 15, 3]) expect(scrape(value)).toBe('');
  expect(target.storage.find('a')?.samples).toEqual([
    { timestampMs: 1_002_000, value: 5, startMs: 1_001_000 },
    { timestampMs: 1_003_000, value: 3, startMs: 1_002_999 },
  ]);
  expect(target.storage.find('g')?.values).toEqual([10, 15, 3]);
  target.scrape('not a metric');
  expect(scrape(20)).toBe('');
  expect(scrape(21)).toBe('');
  expect(target.storage.find('a')?.values.slice(2)).toEqual(['stale', 1]);
});
