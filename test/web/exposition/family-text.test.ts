import { expect, test } from 'vitest';
import { Registry } from '../../../model/index.ts';
import { readExposition } from '../../../scrape/index.ts';
import {
  contentTypeOf,
  writeFamiliesOpenMetrics,
  writeFamiliesProtobuf,
  writeFamiliesText,
} from '../../../web/exposition/index.ts';

function families() {
  const registry = new Registry();
  const requests = registry.counters('b_total', 'Help with \\ and "quotes"\nand lines.', [
    'z',
    'a',
  ]);
  requests.labels('2', 'x').increase(1234567);
  requests.labels('1', 'quote " slash \\ line \n').increase();
  registry.counter('c_count', 'A counter with another ending.').increase(2);
  registry.gauge('d_ratio', 'D.').set(0.5);
  registry.gauge('e_bytes', 'E.').set(Number.POSITIVE_INFINITY);
  const durations = registry.histograms('f_seconds', 'F.', ['handler'], [0.1, 1, 1e6]);
  durations.labels('/').observe(0.05);
  durations.labels('/').observe(5);
  registry.summaries('g_seconds', 'G.', [], [0.5, 1]).labels();
  registry.gauges('h_unused', 'H.', ['x']);
  return registry.snapshot();
}

test('figures as text 0.0.4', () => {
  expect(writeFamiliesText(families())).toBe(
    [
      '# HELP b_total Help with \\\\ and "quotes"\\nand lines.',
      '# TYPE b_total counter',
      'b_total{a="quote \\" slash \\\\ line \\n",z="1"} 1',
      'b_total{a="x",z="2"} 1.234567e+06',
      '# HELP c_count A counter with another ending.',
      '# TYPE c_count counter',
      'c_count 2',
      '# HELP d_ratio D.',
      '# TYPE d_ratio gauge',
      'd_ratio 0.5',
      '# HELP e_bytes E.',
      '# TYPE e_bytes gauge',
      'e_bytes +Inf',
      '# HELP f_seconds F.',
      '# TYPE f_seconds histogram',
      'f_seconds_bucket{handler="/",le="0.1"} 1',
      'f_seconds_bucket{handler="/",le="1"} 1',
      'f_seconds_bucket{handler="/",le="1e+06"} 2',
      'f_seconds_bucket{handler="/",le="+Inf"} 2',
      'f_seconds_sum{handler="/"} 5.05',
      'f_seconds_count{handler="/"} 2',
      '# HELP g_seconds G.',
      '# TYPE g_seconds summary',
      'g_seconds{quantile="0.5"} NaN',
      'g_seconds{quantile="1"} NaN',
      'g_seconds_sum 0',
      'g_seconds_count 0',
      '',
    ].join('\n'),
  );
});

test('figures as OpenMetrics 1.0', () => {
  expect(writeFamiliesOpenMetrics(families())).toBe(
    [
      '# HELP b Help with \\\\ and \\"quotes\\"\\nand lines.',
      '# TYPE b counter',
      'b_total{a="quote \\" slash \\\\ line \\n",z="1"} 1.0',
      'b_total{a="x",z="2"} 1.234567e+06',
      '# HELP c_count A counter with another ending.',
      '# TYPE c_count unknown',
      'c_count 2.0',
      '# HELP d_ratio D.',
      '# TYPE d_ratio gauge',
      'd_ratio 0.5',
      '# HELP e_bytes E.',
      '# TYPE e_bytes gauge',
      'e_bytes +Inf',
      '# HELP f_seconds F.',
      '# TYPE f_seconds histogram',
      'f_seconds_bucket{handler="/",le="0.1"} 1',
      'f_seconds_bucket{handler="/",le="1.0"} 1',
      'f_seconds_bucket{handler="/",le="1e+06"} 2',
      'f_seconds_bucket{handler="/",le="+Inf"} 2',
      'f_seconds_sum{handler="/"} 5.05',
      'f_seconds_count{handler="/"} 2',
      '# HELP g_seconds G.',
      '# TYPE g_seconds summary',
      'g_seconds{quantile="0.5"} NaN',
      'g_seconds{quantile="1.0"} NaN',
      'g_seconds_sum 0.0',
      'g_seconds_count 0',
      '# EOF',
      '',
    ].join('\n'),
  );
});

test('figures as protobuf say what they say as text', () => {
  const read = (kind: 'text' | 'protobuf', body: Uint8Array) => {
    const found = readExposition(body, contentTypeOf({ kind, escaping: 'underscores' }));
    const samples = found.samples.map(({ labels, value }) => `${String(labels)} ${value}`);
    return { samples: samples.sort(), metadata: found.metadata };
  };
  const text = read('text', Buffer.from(writeFamiliesText(families())));
  expect(text.samples.length).toBe(15);
  expect(read('protobuf', writeFamiliesProtobuf(families()))).toEqual(text);
});
