/** Requests and answers of Prometheus 3.14. */
import { describe, expect, test } from 'vitest';
import { defaultScrapeProtocols } from '../../../scrape/index.ts';
import { acceptHeader, negotiatedFormat } from '../../../scrape/exposition/negotiate.ts';

test.each([
  [
    defaultScrapeProtocols(false),
    'allow-utf-8',
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
      'application/openmetrics-text;version=0.0.1;q=0.5,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
  ],
  [
    defaultScrapeProtocols(true),
    'allow-utf-8',
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;' +
      'q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,' +
      'application/openmetrics-text;version=0.0.1;q=0.4,' +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1',
  ],
  [
    ['PrometheusText1.0.0', 'OpenMetricsText1.0.0'],
    'values',
    'text/plain;version=1.0.0;escaping=values;q=0.6,' +
      'application/openmetrics-text;version=1.0.0;escaping=values;q=0.5,*/*;q=0.4',
  ],
] as const)('%j with %s asks for %s', (protocols, escaping, header) => {
  expect(acceptHeader(protocols, escaping)).toBe(header);
});

describe('a content type', () => {
  test.each([
    ['text/plain', 'text'],
    ['text/plain; version=0.0.5', 'text'],
    ['TEXT/PLAIN; VERSION=1.0.0', 'text'],
    ['text/plain; version=0.0.4; charset=latin1', 'text'],
    ['application/openmetrics-text; version=9', 'openmetrics'],
    ['application/vnd.google.protobuf; proto=foo', 'protobuf'],
  ])('%s is read as %s', (contentType, format) => {
    expect(negotiatedFormat(contentType, null)).toBe(format);
    expect(negotiatedFormat(contentType, 'PrometheusText0.0.4')).toBe(format);
  });

  test.each([
    [
      '',
      'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol ' +
        'specified for target',
    ],
    [
      'text/html',
      'received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target',
    ],
    [
      'foo',
      'received unsupported Content-Type "foo" and no fallback_scrape_protocol specified for target',
    ],
    [
      ';;',
      'cannot parse Content-Type ";;" and no fallback_scrape_protocol for target\nmime: no media type',
    ],
    [
      'text/plain, application/json',
      'cannot parse Content-Type "text/plain, application/json" and no fallback_scrape_protocol ' +
        'for target\nmime: unexpected content after media subtype',
    ],
  ])('%j is refused unless there is a fallback', (contentType, message) => {
    expect(() => negotiatedFormat(contentType, null)).toThrow(message);
    expect(negotiatedFormat(contentType, 'OpenMetricsText1.0.0')).toBe('openmetrics');
  });
});
