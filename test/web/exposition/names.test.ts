import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { negotiateFormat, unescapeName } from '../../../web/exposition/index.ts';
import { escapeLabelName, escapeMetricName } from '../../../web/exposition/names.ts';

// The first columns were read off a federation answer of Prometheus 3.14.
test.each([
  [
    'http.server.requests',
    'http_server_requests',
    'http_dot_server_dot_requests',
    'U__http_2e_server_2e_requests',
  ],
  ['温度', '__', '____', 'U___6e29__5ea6_'],
  ['service name', 'service_name', 'service__name', 'U__service_20_name'],
  ['a_b', 'a_b', 'a__b', 'a_b'],
  ['a_b.c', 'a_b_c', 'a__b_dot_c', 'U__a__b_2e_c'],
  ['job:rate5m', 'job:rate5m', 'job:rate5m', 'job:rate5m'],
])(
  'the metric %s is %s, %s or %s to readers that know only the old characters',
  (name, ...escaped) => {
    const schemes = ['underscores', 'dots', 'values'] as const;
    expect(schemes.map((scheme) => escapeMetricName(name, scheme))).toEqual(escaped);
    expect(escapeMetricName(name, 'allow-utf-8')).toBe(name);
  },
);

test('a name that was escaped by value is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (name) => {
      expect(unescapeName(escapeLabelName(name, 'values'))).toBe(name);
    }),
  );
});

const OPENMETRICS = 'application/openmetrics-text;version=1.0.0';
const PROTOBUF =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
test.each([
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/html', 'text'],
  ['application/json', 'text'],
  [`${OPENMETRICS},text/plain;q=0.5`, 'text'],
  [`${OPENMETRICS},*/*;q=0.1`, 'text'],
  [OPENMETRICS, 'openmetrics'],
  [`${OPENMETRICS},text/plain;q=0`, 'openmetrics'],
  ['application/openmetrics-text;version=0.0.1', 'text'],
  [PROTOBUF, 'protobuf'],
  [`${PROTOBUF},${OPENMETRICS};q=0.8,text/plain;q=0.5`, 'protobuf'],
  [`${PROTOBUF};q=0.3,text/plain;q=0.5`, 'text'],
  ['application/vnd.google.protobuf;proto=other;encoding=delimited', 'text'],
])('who accepts "%s" gets %s', (accept, kind) => {
  expect(negotiateFormat(accept, ['text', 'openmetrics', 'protobuf']).kind).toBe(kind);
});

test.each([
  ['text/plain;version=1.0.0;escaping=allow-utf-8', 'allow-utf-8'],
  ['text/plain; escaping=dots', 'dots'],
  ['text/plain;escaping="values"', 'values'],
  ['text/plain;escaping=nonsense', 'underscores'],
  ['text/plain', 'underscores'],
])('names for "%s" are escaped by %s', (accept, escaping) => {
  expect(negotiateFormat(accept, ['text']).escaping).toBe(escaping);
});
