/**
 * What to do about a failing target: a sentence beside the error, for people who see such an error
 * for the first time. Keyed by what happened, not by the words of the error.
 */
import type { ScrapeConfig } from './config.ts';
import { FetchError, type FetchErrorKind } from './http/fetch-error.ts';

const CONTAINER =
  'From inside a container, localhost is the container itself: use the name of the other ' +
  'container, or host.docker.internal for the machine around it.';

const FETCH_HINTS: Partial<Record<FetchErrorKind, string>> = {
  address: 'The address is not one that can be connected to: check host, port and scheme.',
  lookup: `The host name is not known here: check its spelling and the DNS settings. ${CONTAINER}`,
  refused:
    'The machine answers, but nothing listens on this port. Is the program running, and does it ' +
    `listen on this address and not only on its own localhost? ${CONTAINER}`,
  unreachable: 'There is no way to this address: check network, routes and firewall.',
  timeout:
    'The target took longer than scrape_timeout. Is it overloaded, or does a firewall drop the ' +
    'packets? If it is only slow, raise scrape_timeout (at most to scrape_interval).',
  closed: 'The target closed the connection in the middle: look into its log for a crash.',
  tls:
    'The encrypted connection did not come about: check scheme, and tls_config (ca_file for a ' +
    'private certificate authority, server_name when the certificate is for another name).',
  protocol: 'What listens there does not speak HTTP: check the port.',
  redirects: 'The target redirects in a circle: check metrics_path and scheme.',
  encoding: 'The target announces gzip and sends something else.',
  secret: 'A file or service that the job takes its credentials from cannot be used.',
};

const STATUS_HINTS: Readonly<Record<number, string>> = {
  301: 'The target redirects, and the job has follow_redirects off or the target names no place.',
  302: 'The target redirects, and the job has follow_redirects off or the target names no place.',
  400: 'The target does not understand the request: is it an HTTPS port asked by scheme http?',
  401: 'The target wants credentials: set basic_auth or authorization for this job.',
  403: 'The target refuses these credentials, or this address may not ask it.',
  404: 'The target answers but has nothing at this path: check metrics_path (default /metrics).',
  405: 'The path exists but does not answer GET: check metrics_path.',
  500: 'The target failed while it collected its metrics: look into its log.',
  502: 'A proxy in front of the target cannot reach it.',
  503: 'The target says that it is not available: is it still starting?',
};

export type FailureKind =
  | 'content-type'
  | 'format'
  | 'body-size'
  | 'sample-limit'
  | 'label-limit'
  | 'bucket-limit'
  | 'target-limit';

const FAILURE_HINTS: Record<FailureKind, string> = {
  'content-type':
    'The answer does not say which format it is in, or it is a web page: check metrics_path. If it ' +
    'is right, set fallback_scrape_protocol, for example to PrometheusText0.0.4.',
  format:
    'The answer breaks the exposition format; nothing of it was stored. ' +
    '`promtool check metrics` shows such mistakes before a scrape does.',
  'body-size':
    'The answer is larger than body_size_limit: expose fewer series, or raise the limit.',
  'sample-limit':
    'The target has more series than sample_limit, so none was stored. Look for a label with many ' +
    'values; drop series with metric_relabel_configs, or raise the limit.',
  'label-limit':
    'A series has too many or too long labels, so nothing was stored: see label_limit, ' +
    'label_name_length_limit and label_value_length_limit.',
  'bucket-limit':
    'A native histogram has more than native_histogram_bucket_limit buckets in every resolution.',
  'target-limit': 'The job found more targets than target_limit, so none of them is scraped.',
};

const SHOWN_BYTES = 80;

/** The limits behind a kind of failure, under their keys in the configuration. */
const LIMITS: Partial<Record<FailureKind, (config: ScrapeConfig) => Record<string, number>>> = {
  'body-size': (config) => ({ body_size_limit: config.bodySizeLimitBytes }),
  'sample-limit': (config) => ({ sample_limit: config.sampleLimit }),
  'label-limit': (config) => ({
    label_limit: config.labelLimit,
    label_name_length_limit: config.labelNameLengthLimit,
    label_value_length_limit: config.labelValueLengthLimit,
  }),
  'bucket-limit': (config) => ({
    native_histogram_bucket_limit: config.nativeHistogramBucketLimit,
  }),
  'target-limit': (config) => ({ target_limit: config.targetLimit }),
};

export function statusHint(status: number): string {
  return STATUS_HINTS[status] ?? '';
}

/** @param body  what the target answered, if it came so far */
export function failureHint(kind: FailureKind, config: ScrapeConfig, body?: Uint8Array): string {
  const isUnreadable = kind === 'content-type' || kind === 'format';
  const page = isUnreadable && body !== undefined ? webPageHint(body) : '';
  return page || [FAILURE_HINTS[kind], limitsInForce(kind, config)].filter(Boolean).join(' ');
}

export function fetchHint(error: unknown, config: ScrapeConfig): string {
  if (!(error instanceof FetchError)) return '';
  if (error.kind === 'too-large') return failureHint('body-size', config);
  return FETCH_HINTS[error.kind] ?? '';
}

/** For an answer that is no metrics at all; empty for others. */
function webPageHint(body: Uint8Array): string {
  const start = Buffer.from(body.subarray(0, SHOWN_BYTES)).toString('utf8').trim();
  if (!start.startsWith('<')) return '';
  const shown = start.replaceAll(/\s+/g, ' ');
  return `The answer is a web page and no metrics: check metrics_path. It begins with ${shown}`;
}

function limitsInForce(kind: FailureKind, config: ScrapeConfig): string {
  const limits = Object.entries(LIMITS[kind]?.(config) ?? {}).filter(([, value]) => value > 0);
  const written = limits.map(([key, value]) => `${key} is ${value}`);
  return written.length === 0 ? '' : `Here ${written.join(', ')}.`;
}
