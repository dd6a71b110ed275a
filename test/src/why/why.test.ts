import { expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { createEngine, loadScripts } from '../../../promql/index.ts';
import { checkSelectors, transitionSamples, whyOf } from '../../../src/why/index.ts';
import { evaluator } from '../../../src/why/index.ts';
import type { ExpressionPart } from '../../../web/index.ts';

const { MemoryStorage } = await loadScripts();
const MINUTE_MS = 60_000;
const NOW_MS = 10 * MINUTE_MS;

/** Ten minutes of a shop with two instances; a third one ended after five. */
function shop() {
  const storage = new MemoryStorage();
  const add = (text: Record<string, string>, value: (minute: number) => number, end = 10) => {
    const labels = Labels.fromObject(text);
    for (let minute = 0; minute <= end; minute++) {
      storage.append(labels, minute * MINUTE_MS, value(minute));
    }
  };
  add({ __name__: 'http_requests_total', job: 'api', code: '500' }, (m) => m * 6);
  add({ __name__: 'http_requests_total', job: 'api', code: '200' }, (m) => m * 60);
  add({ __name__: 'up', job: 'api', instance: 'a' }, () => 1);
  add({ __name__: 'up', job: 'api', instance: 'b' }, () => 0);
  add({ __name__: 'gone', job: 'api' }, () => 1, 2);
  return storage;
}

const storage = shop();
const context = {
  engine: createEngine(),
  queryable: storage,
  language: {},
  timeMs: NOW_MS,
  lookbackMs: 5 * MINUTE_MS,
  timeoutMs: 10_000,
  isCanceled: () => false,
};
const why = (query: string, related: Labels | null = null) => whyOf(query, related, context);

/** `text: values`, indented by depth. */
function outline({ text, rows, children }: ExpressionPart, depth = 0): string[] {
  const values = rows.map(({ value }) => value).join(' ');
  const own = `${'  '.repeat(depth)}${text}: ${values}`;
  return [own, ...children.flatMap((child) => outline(child, depth + 1))];
}

test('every part is shown with what it gives by itself', () => {
  const ratio =
    'sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m])) > 0.05';
  const { root, reason } = why(ratio);
  expect(reason).toBeNull();
  expect(outline(root)).toEqual([
    `${ratio}: 0.09090909090909091`,
    '  sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m])): 0.09090909090909091',
    '    sum(rate(http_requests_total{code="500"}[5m])): 0.1',
    '      rate(http_requests_total{code="500"}[5m]): 0.1',
    '        http_requests_total{code="500"}[5m]: 60',
    '    sum(rate(http_requests_total[5m])): 1.1',
    '      rate(http_requests_total[5m]): 1 0.1',
    '        http_requests_total[5m]: 600 60',
  ]);
  expect(root.children[0]!.children[0]!.children[0]!.children[0]!.rows[0]!.sampleCount).toBe(5);
});

test.each([
  ['up > 2', 'no value of up is > 2: the nearest of 2 is 1'],
  ['2 < up', '2 is < no value of up: the nearest of 2 is 1'],
  ['up == 0.4', 'no value of up is == 0.4: the nearest of 2 is 0'],
  ['upp == 0', 'upp finds nothing: there is no metric upp; the nearest one is up'],
  [
    'sum(up{job="web"}) > 0',
    'up{job="web"} finds nothing: series would match without job="web": job is "api"',
  ],
  ['gone == 1', 'gone finds nothing: 1 series match, but none has a sample at that time'],
  ['absent(up)', 'absent(up) gives something only where there is nothing, and there are 2 series'],
  ['up and on(x) upx', 'upx finds nothing: there is no metric upx; the nearest one is up'],
  ['up and on(code) http_requests_total', 'the sides of "and" have no labels in common'],
  ['up > on(job, instance) up', 'no pair meets ">"'],
  ['up unless up', 'everything on the left of "unless" is also on its right'],
  ['rate(up[30s]) > 0', 'rate(up[30s]) gives nothing: at most 1 samples lie in its range'],
])('%s: %s', (query, reason) => {
  expect(why(query).reason).toBe(reason);
});

test('only what concerns the alert counts', () => {
  const { root, reason } = why('up == 0', Labels.fromObject({ instance: 'a', job: 'api' }));
  expect(root).toMatchObject({ count: 1, relatedCount: 0, rows: [] });
  expect(root.children[0]).toMatchObject({ count: 2, relatedCount: 1 });
  const text = 'up == 0 gives 1 series, but none for this alert; what it is given for it is 1';
  expect(reason).toBe(text);
  const both = why('up == 0 or up > 1', Labels.fromObject({ instance: 'a' }));
  expect(both.reason).toBe(text);
  expect(why('up == 0', Labels.fromObject({ instance: 'b', job: 'api' })).reason).toBeNull();
});

test('a part that fails does not hide the others', () => {
  const { root } = why('up * on(job) http_requests_total');
  expect(root.error).toContain('many-to-many matching not allowed');
  expect(root.children.map(({ count }) => count)).toEqual([2, 2]);
});

test('selectors of a rule are looked at where and when the rule looks', () => {
  const found = checkSelectors('gone offset 8m or gone or up{instance=~"x.*"}', context);
  expect(found.map(({ seriesCount }) => seriesCount)).toEqual([1, 0, 0]);
  expect(found.map(({ problem }) => problem?.kind)).toEqual([undefined, 'ended', 'matcher']);
  expect(checkSelectors('max_over_time(gone[5m])[9m:1m]', context)[0]!.seriesCount).toBe(1);
});

test('the samples behind a change are those of its series', () => {
  const alerts = ['a', 'b'].map((instance) => Labels.fromObject({ instance, job: 'api' }).flat);
  const texts = transitionSamples('up == 0 and on() http_requests_total > 1', alerts, {
    language: {},
    evaluate: evaluator(context),
  });
  expect(JSON.parse(texts[1]!)).toEqual([
    {
      selector: 'up',
      seriesCount: 1,
      samples: [{ labels: { __name__: 'up', instance: 'b', job: 'api' }, value: '0' }],
    },
    { selector: 'http_requests_total', seriesCount: 2, samples: expect.any(Array) },
  ]);
  expect(texts[0]).toContain('"value":"1"');
});
