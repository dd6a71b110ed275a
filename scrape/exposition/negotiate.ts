/**
 * What is asked of a target, and which format its answer is in.
 * Source: Prometheus configuration documentation, `scrape_protocols`; requests and errors of
 * Prometheus 3.14.
 */
import { quoteText, ValueError } from '../../model/index.ts';
import type { NameEscapingScheme, ScrapeProtocol } from '../config.ts';

/** A format that a body can be read in. */
export type ExpositionFormat = 'text' | 'openmetrics' | 'protobuf';

const MEDIA_TYPES: Record<ScrapeProtocol, { readonly type: string; readonly escapes: boolean }> = {
  PrometheusProto: {
    type: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
    escapes: false,
  },
  'OpenMetricsText1.0.0': { type: 'application/openmetrics-text;version=1.0.0', escapes: true },
  'OpenMetricsText0.0.1': { type: 'application/openmetrics-text;version=0.0.1', escapes: false },
  'PrometheusText1.0.0': { type: 'text/plain;version=1.0.0', escapes: true },
  'PrometheusText0.0.4': { type: 'text/plain;version=0.0.4', escapes: false },
};

/** Weights are written in tenths and count down from here, whatever the number of protocols. */
const FIRST_WEIGHT_TENTHS = 6;

export function acceptHeader(
  protocols: readonly ScrapeProtocol[],
  escaping: NameEscapingScheme,
): string {
  let weight = FIRST_WEIGHT_TENTHS;
  const parts = protocols.map((protocol) => {
    const { type, escapes } = MEDIA_TYPES[protocol];
    return `${type}${escapes ? `;escaping=${escaping}` : ''};q=0.${weight--}`;
  });
  return [...parts, `*/*;q=0.${weight}`].join(',');
}

export function formatOf(protocol: ScrapeProtocol): ExpositionFormat {
  if (protocol === 'PrometheusProto') return 'protobuf';
  return protocol.startsWith('OpenMetrics') ? 'openmetrics' : 'text';
}

/**
 * The format of an answer by its content type, or that of `fallback` where the type is of no use.
 * @throws ValueError without a usable type and fallback
 */
export function negotiatedFormat(
  contentType: string,
  fallback: ScrapeProtocol | null,
): ExpositionFormat {
  if (contentType === '') {
    if (fallback !== null) return formatOf(fallback);
    throw new ValueError(
      'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol ' +
        'specified for target',
    );
  }
  const parsed = parseMediaType(contentType);
  if ('problem' in parsed) {
    if (fallback !== null) return formatOf(fallback);
    throw new ValueError(
      `cannot parse Content-Type ${quoteText(contentType)} and no fallback_scrape_protocol ` +
        `for target\nmime: ${parsed.problem}`,
    );
  }
  switch (parsed.type) {
    case 'application/openmetrics-text':
      return 'openmetrics';
    case 'application/vnd.google.protobuf':
      return 'protobuf';
    case 'text/plain':
      return 'text';
    default:
  }
  if (fallback !== null) return formatOf(fallback);
  throw new ValueError(
    `received unsupported Content-Type ${quoteText(contentType)} and no ` +
      'fallback_scrape_protocol specified for target',
  );
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;

/** The type without parameters, in lower case. Parameters must be well-formed and mean nothing. */
function parseMediaType(text: string): { type: string } | { problem: string } {
  const semicolon = text.indexOf(';');
  const type = (semicolon < 0 ? text : text.slice(0, semicolon)).trim().toLowerCase();
  const [main = '', sub, ...more] = type.split('/');
  if (type === '') return { problem: 'no media type' };
  if (TOKEN.exec(main)?.[0] !== main) return { problem: 'expected slash after first token' };
  if (sub !== undefined) {
    if (sub === '') return { problem: 'expected token after slash' };
    if (more.length > 0 || TOKEN.exec(sub)?.[0] !== sub) {
      return { problem: 'unexpected content after media subtype' };
    }
  }
  return { type };
}
