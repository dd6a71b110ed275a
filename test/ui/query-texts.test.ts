import { describe, expect, test } from 'vitest';
import { errorPlace, hintFor } from '../../web/ui/pages/query/query-error-text.ts';
import { buildExamples } from '../../web/ui/pages/query/examples.ts';
import { labelUse, searchNames, suggestQueries } from '../../web/ui/pages/query/metric-search.ts';
import { csvOf, labelColumns, rowsOf, sortRows } from '../../web/ui/pages/query/table-rows.ts';
import { byteSize, compactNumber, countOf } from '../../web/ui/parts/number-text.ts';
import { commonLabels, selectorText, seriesText } from '../../web/ui/parts/series-text.ts';
import { passesFilter } from '../../web/ui/parts/text-filter.ts';

describe('examples of the first visit', () => {
  test('use only metrics that exist', () => {
    expect(buildExamples([], {})).toEqual([]);
    expect(buildExamples(['up'], {}).map(({ expr }) => expr)).toEqual([
      'sum by (job) (up)',
      'topk(10, count by (__name__) ({__name__!=""}))',
    ]);
  });

  test('prefer a service of one’s own to the server’s', () => {
    const names = ['prometheus_http_requests_total', 'shop_requests_total', 'up'];
    const titles = Object.fromEntries(buildExamples(names, {}).map((one) => [one.title, one.expr]));
    expect(titles['Requests per second']).toBe('sum by (job) (rate(shop_requests_total[5m]))');
  });

  test('do not take a gauge for a counter', () => {
    const metadata = { odd_total: [{ type: 'gauge', help: '', unit: '' }] };
    const titles = buildExamples(['odd_total'], metadata).map(({ title }) => title);
    expect(titles).not.toContain('Requests per second');
  });
});

describe('searching metric names', () => {
  const names = ['go_goroutines', 'http_request_duration_seconds', 'http_requests_total', 'up'];
  test.each([
    ['', names],
    ['http', ['http_requests_total', 'http_request_duration_seconds']],
    ['dur http', ['http_request_duration_seconds']],
    ['hrt', ['http_request_duration_seconds', 'http_requests_total']],
    ['zzz', []],
  ])('%j finds %j', (typed, found) => {
    expect(searchNames(names, typed)).toEqual(found);
  });

  test.each([
    ['a_bucket', 'histogram', 'histogram_quantile(0.95, sum by (le) (rate(a_bucket[5m])))'],
    ['a', 'histogram', 'histogram_quantile(0.95, sum(rate(a[5m])))'],
    ['a_sum', 'summary', 'rate(a_sum[5m]) / rate(a_count[5m])'],
    ['a_total', undefined, 'rate(a_total[5m])'],
    ['a', 'gauge', 'a'],
  ])('%s of type %s is first offered as %s', (name, type, expr) => {
    expect(suggestQueries(name, type, {})[0]!.expr).toBe(expr);
  });

  test('label values are counted, and labels that tell apart come first', () => {
    const series = [
      { __name__: 'up', job: 'a', zone: 'x' },
      { __name__: 'up', job: 'a', zone: 'y' },
      { __name__: 'up', job: 'a', zone: 'y' },
    ];
    expect(labelUse(series)).toEqual([
      {
        name: 'zone',
        values: [
          { value: 'y', seriesCount: 2 },
          { value: 'x', seriesCount: 1 },
        ],
      },
      { name: 'job', values: [{ value: 'a', seriesCount: 3 }] },
    ]);
  });
});

describe('series as text', () => {
  test.each([
    [{ __name__: 'up' }, 'up'],
    [{ __name__: 'up', job: 'a"b' }, 'up{job="a\\"b"}'],
    [{ job: 'a' }, '{job="a"}'],
    [{}, '{}'],
    [{ 'my.label': '1' }, '{"my.label"="1"}'],
  ])('%j is %s', (labels, text) => {
    expect(seriesText(labels as Record<string, string>)).toBe(text);
  });

  test('a selector of a name that is not classic is quoted', () => {
    expect(selectorText('my.metric', { job: 'a' })).toBe('{"my.metric", job="a"}');
    expect(selectorText('up')).toBe('up');
  });

  test('common labels are those with one value in all series', () => {
    expect(
      commonLabels([
        { a: '1', b: '2' },
        { a: '1', b: '3' },
      ]),
    ).toEqual({ a: '1' });
    expect(commonLabels([{ a: '1' }])).toEqual({});
  });
});

describe('errors of queries', () => {
  test.each([
    ['1:5: parse error: unclosed', 'sum(', { line: 'sum(', column: 5 }],
    [
      'invalid parameter "query": 2:3: parse error: x',
      'sum(\nfoo bar',
      { line: 'foo bar', column: 3 },
    ],
    ['many-to-many matching not allowed', 'a * b', undefined],
    ['9:1: parse error: text that was changed since', 'up', undefined],
  ])('%s', (message, expr, place) => {
    expect(errorPlace(message, expr)).toEqual(place);
  });

  test('a step too fine offers the cure', () => {
    const text = 'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing';
    expect(hintFor(text)?.resolution).toBe('auto');
    expect(hintFor('something else')).toBeUndefined();
  });
});

describe('the result table', () => {
  const rows = rowsOf({
    resultType: 'vector',
    result: [
      { metric: { __name__: 'a', x: '1' }, value: [0, '3'] },
      { metric: { __name__: 'a', y: 'q"r' }, value: [0, '+Inf'] },
      { metric: { x: '2' }, value: [0, 'NaN'] },
      { metric: { x: '3' }, histogram: [0, { count: '7', sum: '1' }] },
    ],
  });

  test('sorts by value, infinities at the ends, NaN last', () => {
    const order = (way: 'ascending' | 'descending') => sortRows(rows, way).map(({ key }) => key);
    expect(order('descending')).toEqual(['1', '3', '0', '2']);
    expect(order('ascending')).toEqual(['0', '3', '1', '2']);
  });

  test('has a column for every label, and copies as CSV', () => {
    expect(labelColumns(rows)).toEqual(['__name__', 'x', 'y']);
    expect(csvOf(rows.slice(0, 2), labelColumns(rows))).toBe(
      '__name__,x,y,value\na,1,,3\na,,"q""r",+Inf',
    );
  });
});

describe('numbers for people', () => {
  test.each([
    [0, '0'],
    [1234, '1.234k'],
    [999.99, '1000'],
    [1e6, '1M'],
    [0.05, '0.05'],
    [0.000_34, '340µ'],
    [-2_500_000, '-2.5M'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '∞'],
    [1e30, '1.00e+30'],
  ])('%d is %s', (value, text) => {
    expect(compactNumber(value)).toBe(text);
  });

  test('sizes and counts', () => {
    expect(byteSize(500)).toBe('500 B');
    expect(byteSize(1536)).toBe('1.50 KiB');
    expect(countOf(1, 'series', 'series')).toBe('1 series');
    expect(countOf(12_345, 'target')).toBe('12,345 targets');
  });
});

test('a filter passes when every word occurs somewhere', () => {
  expect(passesFilter('', () => [])).toBe(true);
  expect(passesFilter('JOB=node 9100', () => ['job=node', 'a:9100'])).toBe(true);
  expect(passesFilter('job=node 9101', () => ['job=node', 'a:9100'])).toBe(false);
});
