/**
 * `<scrape_config>`. What a job leaves open is taken from `global` once the whole file is read.
 * Source: Prometheus configuration documentation; order of keys and messages from a running 3.14.
 */
import type { NameScheme } from '../../model/index.ts';
import type { NameEscapingScheme, ScrapeProtocol } from '../../scrape/index.ts';
import { checkStaticTargets, DISCOVERY_FIELDS } from './discovery-shapes.ts';
import { checkHttpClient, HTTP_CLIENT_FIELDS } from './http-client-shape.ts';
import { checkRulesForScheme, relabelConfig } from './relabel-shape.ts';
import {
  bool,
  choice,
  duration,
  filePath,
  float,
  orUnset,
  size,
  string,
  uint,
} from './scalar-types.ts';
import {
  type Field,
  field,
  type Infer,
  list,
  listOf,
  mapOf,
  object,
  type Place,
  shown,
  type Type,
} from './type.ts';

const PROTOCOLS = [
  'OpenMetricsText0.0.1',
  'OpenMetricsText1.0.0',
  'PrometheusProto',
  'PrometheusText0.0.4',
  'PrometheusText1.0.0',
] as const satisfies readonly ScrapeProtocol[];
const unknownProtocol = (text: string) =>
  `unknown scrape protocol ${text}, supported: [${PROTOCOLS.join(' ')}]`;

const protocol = choice(PROTOCOLS, unknownProtocol);

/** Null where the key is absent. Printed unless null. */
export const protocolsField: Field<readonly ScrapeProtocol[] | null> = {
  type: {
    expected: `a list of ${PROTOCOLS.join(', ')}`,
    read(place) {
      const protocols = list(protocol).read(place);
      if (protocols.length === 0) place.fail('scrape_protocols cannot be empty');
      if (new Set(protocols).size < protocols.length) {
        place.fail(`duplicated protocol in scrape_protocols, got [${protocols.join(' ')}]`);
      }
      return protocols;
    },
    print: (protocols) => protocols,
    schema: () => list(protocol).schema(),
  },
  initial: null,
  showing: (protocols) => protocols !== null,
};

const fallbackProtocol: Type<ScrapeProtocol | ''> = choice(
  ['', ...PROTOCOLS],
  (text) => `invalid fallback_scrape_protocol: ${unknownProtocol(text)}`,
);

export const nameScheme: Type<NameScheme | ''> = choice(
  ['', 'utf8', 'legacy'],
  (text) => `unrecognized ValidationScheme: "${text}", expected utf8 or legacy`,
);
export const ESCAPING_SCHEMES = [
  'allow-utf-8',
  'underscores',
  'dots',
  'values',
] as const satisfies readonly NameEscapingScheme[];

const unset = <T>(type: Type<T>): Field<T | null> => shown(orUnset(type), null);

export const scrapeConfig = object(
  {
    job_name: shown(string, ''),
    honor_labels: field(bool, false),
    honor_timestamps: shown(bool, true),
    track_timestamps_staleness: shown(bool, false),
    params: field(mapOf(list(string)), {}),
    scrape_interval: field(duration, 0),
    scrape_timeout: field(duration, 0),
    scrape_protocols: protocolsField,
    fallback_scrape_protocol: field(fallbackProtocol, ''),
    scrape_native_histograms: unset(bool),
    always_scrape_classic_histograms: unset(bool),
    convert_classic_histograms_to_nhcb: unset(bool),
    scrape_failure_log_file: field(filePath, ''),
    metrics_path: field(string, '/metrics'),
    scheme: field(string, 'http'),
    enable_compression: shown(bool, true),
    body_size_limit: field(size, 0),
    sample_limit: field(uint, 0),
    target_limit: field(uint, 0),
    label_limit: field(uint, 0),
    label_name_length_limit: field(uint, 0),
    label_value_length_limit: field(uint, 0),
    native_histogram_bucket_limit: field(uint, 0),
    native_histogram_min_bucket_factor: field(float, 0),
    keep_dropped_targets: field(uint, 0),
    metric_name_validation_scheme: field(nameScheme, ''),
    metric_name_escaping_scheme: field(string, ''),
    extra_scrape_metrics: unset(bool),
    ...HTTP_CLIENT_FIELDS,
    relabel_configs: field(listOf(relabelConfig, 'target relabeling rule in scrape config'), []),
    metric_relabel_configs: field(
      listOf(relabelConfig, 'metric relabeling rule in scrape config'),
      [],
    ),
    ...DISCOVERY_FIELDS,
  },
  (value, place) => {
    if (value.job_name === '') place.fail('job_name is empty');
    checkStaticTargets(value, place);
    return checkHttpClient(value, place);
  },
);
export type ScrapeValues = Infer<typeof scrapeConfig>;

/** What `global` says where a job does not. */
export type ScrapeDefaults = Pick<
  ScrapeValues,
  | 'scrape_interval'
  | 'scrape_timeout'
  | 'scrape_protocols'
  | 'scrape_failure_log_file'
  | 'body_size_limit'
  | 'sample_limit'
  | 'target_limit'
  | 'label_limit'
  | 'label_name_length_limit'
  | 'label_value_length_limit'
  | 'keep_dropped_targets'
  | 'metric_name_validation_scheme'
  | 'metric_name_escaping_scheme'
> & {
  readonly scrape_native_histograms: boolean;
  readonly always_scrape_classic_histograms: boolean;
  readonly convert_classic_histograms_to_nhcb: boolean;
  readonly extra_scrape_metrics: boolean;
};

/** The default where protobuf is wanted before text. */
export const PROTOBUF_FIRST = [
  'PrometheusProto',
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
] as const satisfies readonly ScrapeProtocol[];
const PROTOCOLS_BY_PREFERENCE = PROTOBUF_FIRST.slice(1);

/**
 * The job with everything filled in.
 * @param place  of the job, for mistakes that only show now
 */
export function completeScrapeConfig(
  job: ScrapeValues,
  global: ScrapeDefaults,
  place: Place,
): ScrapeValues {
  const about = ` for scrape config with job name "${job.job_name}"`;
  const scrape_interval = job.scrape_interval || global.scrape_interval;
  const scrape_timeout = job.scrape_timeout || Math.min(global.scrape_timeout, scrape_interval);
  if (scrape_timeout > scrape_interval) {
    place.fail(`scrape timeout greater than scrape interval${about}`, 'scrape_timeout');
  }
  const scheme =
    job.metric_name_validation_scheme || global.metric_name_validation_scheme || 'utf8';
  // A job with a name scheme of its own does not take over how the others escape.
  const inherited =
    job.metric_name_validation_scheme === '' ? global.metric_name_escaping_scheme : '';
  const escaping = job.metric_name_escaping_scheme || inherited;
  if (escaping !== '' && !ESCAPING_SCHEMES.some((known) => known === escaping)) {
    place.fail(
      `unknown scrape config name escaping method specified, must be one of 'allow-utf-8', 'underscores', 'dots', or 'values', got "${escaping}"`,
      'metric_name_escaping_scheme',
    );
  }
  if (scheme === 'legacy' && escaping === 'allow-utf-8') {
    place.fail(
      'utf8 metric names requested but validation scheme is not set to UTF8',
      'metric_name_escaping_scheme',
    );
  }
  checkRulesForScheme(job.relabel_configs, scheme, place, 'relabel_configs');
  checkRulesForScheme(job.metric_relabel_configs, scheme, place, 'metric_relabel_configs');

  const native = job.scrape_native_histograms ?? global.scrape_native_histograms;
  const byPreference = native ? PROTOBUF_FIRST : PROTOCOLS_BY_PREFERENCE;
  return {
    ...job,
    scrape_interval,
    scrape_timeout,
    scrape_protocols: job.scrape_protocols ?? global.scrape_protocols ?? byPreference,
    scrape_native_histograms: native,
    always_scrape_classic_histograms:
      job.always_scrape_classic_histograms ?? global.always_scrape_classic_histograms,
    convert_classic_histograms_to_nhcb:
      job.convert_classic_histograms_to_nhcb ?? global.convert_classic_histograms_to_nhcb,
    extra_scrape_metrics: job.extra_scrape_metrics ?? global.extra_scrape_metrics,
    scrape_failure_log_file: job.scrape_failure_log_file || global.scrape_failure_log_file,
    body_size_limit: job.body_size_limit || global.body_size_limit,
    sample_limit: job.sample_limit || global.sample_limit,
    target_limit: job.target_limit || global.target_limit,
    label_limit: job.label_limit || global.label_limit,
    label_name_length_limit: job.label_name_length_limit || global.label_name_length_limit,
    label_value_length_limit: job.label_value_length_limit || global.label_value_length_limit,
    keep_dropped_targets: job.keep_dropped_targets || global.keep_dropped_targets,
    metric_name_validation_scheme: scheme,
    metric_name_escaping_scheme: escaping || (scheme === 'legacy' ? 'underscores' : 'allow-utf-8'),
  };
}
