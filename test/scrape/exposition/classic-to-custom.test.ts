/** Classic histograms in text, stored as native ones. Outcomes are those of Prometheus 3.14. */
import { describe, expect, test } from 'vitest';
import { FedTarget } from '../support/scrape-once.ts';
import { shownSeries } from '../support/show.ts';

function convert(body: string, keepClassicHistograms = false): string[] {
  const target = new FedTarget({ convertClassicHistograms: true, keepClassicHistograms });
  expect(target.scrape(`# TYPE h histogram\n${body}\n`)).toBe('');
  return shownSeries(target.storage);
}

const COMPLETE =
  'h_bucket{le="1"} 1\nh_bucket{le="2"} 3\nh_bucket{le="+Inf"} 4\nh_sum 5.5\nh_count 4';
const CONVERTED = 'h count=4 sum=5.5 -Infinity..1:1 1..2:2 2..Infinity:1';

describe('a histogram', () => {
  test.each<[string, string, string[]]>([
    ['complete', COMPLETE, [CONVERTED]],
    ['in another order', COMPLETE.split('\n').reverse().join('\n'), [CONVERTED]],
    ['with empty lines between', COMPLETE.replaceAll('\n', '\n\n'), [CONVERTED]],
    ['without +Inf', COMPLETE.replace('h_bucket{le="+Inf"} 4\n', ''), [CONVERTED]],
    [
      'without +Inf and count',
      'h_bucket{le="1"} 1\nh_bucket{le="2"} 3\nh_sum 5.5',
      ['h count=3 sum=5.5 -Infinity..1:1 1..2:2'],
    ],
    [
      'with buckets only',
      'h_bucket{le="1"} 1\nh_bucket{le="2"} 3',
      ['h count=3 sum=0 -Infinity..1:1 1..2:2'],
    ],
    ['with sum and count only', 'h_sum 3\nh_count 2', ['h count=2 sum=3 -Infinity..Infinity:2']],
    ['with a sum only', 'h_sum 2', ['h count=0 sum=2']],
    [
      'of fractions',
      'h_bucket{le="1"} 1.5\nh_bucket{le="2"} 3\nh_bucket{le="+Inf"} 4\nh_sum 5.5\nh_count 4',
      ['h float count=4 sum=5.5 -Infinity..1:1.5 1..2:1.5 2..Infinity:1'],
    ],
    ['that decreases is dropped', 'h_bucket{le="1"} 3\nh_bucket{le="2"} 1\nh_count 4', []],
    ['whose count is wrong is dropped', 'h_bucket{le="+Inf"} 4\nh_count 5', []],
    ['with a negative count is dropped', 'h_bucket{le="1"} -1\nh_bucket{le="+Inf"} 4', []],
    [
      'with NaN for a count is dropped',
      'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} NaN\nh_count NaN',
      [],
    ],
    [
      'that names a bound twice keeps the first',
      'h_bucket{le="1"} 1\nh_bucket{le="1.0"} 2\nh_bucket{le="+Inf"} 4',
      ['h count=4 sum=0 -Infinity..1:1 1..Infinity:3'],
    ],
    [
      'leaves buckets alone that have no bound',
      'h_bucket{le="1"} 1\nh_bucket{le="x"} 2\nh_bucket 3\nh_count 4',
      ['h count=4 sum=0 -Infinity..1:1 1..Infinity:3', 'h_bucket 3', 'h_bucket{le="x"} 2'],
    ],
    [
      'per label set',
      ['1', '2']
        .map(
          (a) => `h_bucket{a="${a}",le="+Inf"} ${a}\nh_sum{a="${a}"} ${a}\nh_count{a="${a}"} ${a}`,
        )
        .join('\n'),
      [
        'h{a="1"} count=1 sum=1 -Infinity..Infinity:1',
        'h{a="2"} count=2 sum=2 -Infinity..Infinity:2',
      ],
    ],
    [
      'whose lines are mixed with another one counts as it is at the first change',
      'h_bucket{a="1",le="1"} 1\nh_bucket{a="2",le="1"} 2\nh_bucket{a="1",le="+Inf"} 4',
      ['h{a="1"} count=1 sum=0 -Infinity..1:1', 'h{a="2"} count=2 sum=0 -Infinity..1:2'],
    ],
    [
      'ends at any other line',
      'h_bucket{le="1"} 1\nx 5\nh_bucket{le="+Inf"} 4\nh_sum 5.5\nh_count 4',
      ['h count=1 sum=0 -Infinity..1:1', 'x 5'],
    ],
    [
      'ends at a comment',
      'h_bucket{le="1"} 1\n# comment\nh_bucket{le="+Inf"} 4',
      ['h count=1 sum=0 -Infinity..1:1'],
    ],
    ['has other series beside it', `${COMPLETE}\nh_max 3`, [CONVERTED, 'h_max 3']],
  ])('%s', (_, body, expected) => {
    expect(convert(body)).toEqual(expected);
  });

  test('is stored in both forms where that is wanted', () => {
    expect(convert(COMPLETE, true)).toEqual([
      CONVERTED,
      'h_bucket{le="+Inf"} 4',
      'h_bucket{le="1.0"} 1',
      'h_bucket{le="2.0"} 3',
      'h_count 4',
      'h_sum 5.5',
    ]);
  });
});

test('only what its type line calls a histogram is one', () => {
  const target = new FedTarget({ convertClassicHistograms: true });
  target.scrape(
    '# TYPE h gauge\nh_bucket{le="1"} 1\nh_sum 1\n# TYPE h_bucket histogram\nh_bucket{le="2"} 1\n',
  );
  expect(shownSeries(target.storage)).toEqual([
    'h_bucket{le="1"} 1',
    'h_bucket{le="2.0"} 1',
    'h_sum 1',
  ]);
});

test('a sample counts once per histogram, and its exemplars go along', () => {
  const target = new FedTarget({ convertClassicHistograms: true });
  const body =
    '# TYPE h histogram\nh_bucket{le="1"} 1 # {id="x"} 0.5\nh_bucket{le="+Inf"} 4\nh_count 4\n# EOF\n';
  expect(target.scrape(body, 'openmetrics')).toBe('');
  expect(target.tally).toMatchObject({ samplesScraped: 1, samplesKept: 1, seriesAdded: 1 });
  expect(target.storage.find('h')!.exemplars.map(({ value }) => value)).toEqual([0.5]);
});

test('repeated scrapes need no look-ups, and a histogram that is missing ends', () => {
  const target = new FedTarget({ convertClassicHistograms: true });
  const body = (count: number) =>
    `# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} ${count}\nh_count ${count}\na 1\n`;
  target.scrape(body(2));
  const { lookups } = target.storage;
  for (let count = 3; count < 20; count++) target.scrape(body(count));
  expect(target.storage.lookups).toBe(lookups);
  target.scrape('a 1\n');
  const { values } = target.storage.find('h')!;
  expect(values).toEqual([...Array.from({ length: 18 }, (_, i) => i + 2), 'stale']);

  // Storage drops the series and the target comes back: labels are found again.
  target.scrape(body(30));
  target.storage.collect(() => true);
  target.scrape(body(31));
  expect(target.storage.find('h')!.values).toEqual([31]);
});

test('histograms that come and go do not pile up', () => {
  const target = new FedTarget({ convertClassicHistograms: true });
  for (let round = 0; round < 60; round++) {
    const lines = Array.from({ length: 50 }, (_, i) => {
      const label = `id="${round}-${i}"`;
      return `h_bucket{${label},le="1"} 1\nh_bucket{${label},le="+Inf"} 2\nh_count{${label}} 2\n`;
    });
    expect(target.scrape(`# TYPE h histogram\n${lines.join('')}`)).toBe('');
  }
  expect(target.series.cache.count).toBeLessThan(1000);
  expect(target.storage.find('h', { id: '59-49' })!.values).toEqual([2]);
  expect(target.storage.find('h', { id: '58-49' })!.values).toEqual([2, 'stale']);
});

describe('lines that tell when a metric began', () => {
  const histogram = `# TYPE h histogram\n${COMPLETE}\nh_created 1.5e9\n`;
  const counter = (name: string) =>
    `# TYPE ${name} counter\n${name}_total{a="1"} 1\n${name}_created{a="1"} 1.5e9\n`;
  const page = `${counter('b')}${histogram}${counter('c')}# TYPE s summary\ns_count 4\ns_created 1.5e9\n# TYPE "t.u" counter\n{"t.u_total"} 1\n{"t.u_created"} 1.5e9\n# TYPE g gauge\ng_created 3\n# EOF\n`;
  const names = (target: FedTarget) =>
    shownSeries(target.storage).map((line) => /^\{?"?([\w.]+)/.exec(line)![1]);

  test('are left out from the first converted histogram on, as in Prometheus', () => {
    const target = new FedTarget({ convertClassicHistograms: true });
    const left = ['b_created', 'b_total', 'c_total', 'g_created', 'h', 's_count', 't.u_total'];
    for (let round = 0; round < 3; round++) {
      expect(target.scrape(page, 'openmetrics')).toBe('');
      expect(new Set(names(target))).toEqual(new Set(left));
      expect(target.tally).toMatchObject({ samplesScraped: 7, samplesKept: 7 });
    }
  });

  test('are series where nothing is converted', () => {
    const target = new FedTarget();
    expect(target.scrape(page, 'openmetrics')).toBe('');
    expect(names(target)).toEqual(expect.arrayContaining(['h_created', 'c_created', 's_created']));
  });
});

describe('a metric that changes its type', () => {
  const lines = 'h_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n';
  const page = (type: string) => `# TYPE x counter\nx 1\n# TYPE h ${type}\n${lines}`;

  test('has its bounds read as numbers from then on, and the series of before end', () => {
    const target = new FedTarget();
    for (let round = 0; round < 3; round++) target.scrape(page('gauge'));
    for (let round = 0; round < 3; round++) target.scrape(page('histogram'));
    const { values: before } = target.storage.find('h_bucket', { le: '1' })!;
    const { values: after } = target.storage.find('h_bucket', { le: '1.0' })!;
    expect(before).toEqual([1, 1, 1, 'stale']);
    expect(after).toEqual([1, 1, 1]);
    expect(target.storage.find('h_sum')!.values).toEqual([3, 3, 3, 3, 3, 3]);
  });

  test('is converted when it becomes a histogram, and no longer when it stops being one', () => {
    const target = new FedTarget({ convertClassicHistograms: true });
    for (const type of ['gauge', 'histogram', 'histogram', 'gauge', 'gauge']) {
      expect(target.scrape(page(type))).toBe('');
    }
    expect(target.storage.find('h')!.values).toEqual([2, 2, 'stale']);
    expect(target.storage.find('h_sum')!.values).toEqual([3, 'stale', 3, 3]);
  });

  test('is noticed without a type line, too', () => {
    const target = new FedTarget();
    target.scrape(page('histogram'));
    target.scrape(lines);
    target.scrape(lines);
    expect(target.storage.find('h_bucket', { le: '1' })!.values).toEqual([1, 1]);
    expect(target.storage.find('h_bucket', { le: '1.0' })!.values).toEqual([1, 'stale']);
  });
});
