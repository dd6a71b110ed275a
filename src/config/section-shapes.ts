/**
 * `runtime`, `alerting`, `storage`, `tracing`, `otlp`.
 * Source: Prometheus configuration documentation; order of keys and messages from a running 3.14.
 */
import { SECOND_MS } from '../../model/index.ts';
import { formatSize } from '../flags/values.ts';
import { checkStaticTargets, DISCOVERY_FIELDS } from './discovery-shapes.ts';
import { checkHttpClient, HTTP_CLIENT_FIELDS, tlsConfig } from './http-client-shape.ts';
import { relabelConfig } from './relabel-shape.ts';
import { sigv4 } from './remote-shape.ts';
import { bool, duration, float, int, size, string } from './scalar-types.ts';
import {
  field,
  type Infer,
  list,
  listOf,
  mapOf,
  object,
  optional,
  type Place,
  shown,
} from './type.ts';

export const runtimeConfig = object({ gogc: field(int, 75) });

const alertRules = field(listOf(relabelConfig, 'alert relabeling rule'), []);

const alertmanager = object(
  {
    ...HTTP_CLIENT_FIELDS,
    sigv4: optional(sigv4),
    scheme: field(string, 'http'),
    path_prefix: field(string, ''),
    timeout: field(duration, 10 * SECOND_MS),
    api_version: shown(string, 'v2'),
    relabel_configs: field(listOf(relabelConfig, 'Alertmanager target relabeling rule'), []),
    alert_relabel_configs: field(listOf(relabelConfig, 'Alertmanager alert relabeling rule'), []),
    ...DISCOVERY_FIELDS,
  },
  (value, place) => {
    checkStaticTargets(value, place);
    if (value.api_version !== 'v2') {
      const what = 'expected Alertmanager api version to be one of [v2] but got';
      place.fail(`${what} ${value.api_version}`, 'api_version');
    }
    const isSigned = value.sigv4 !== null;
    const others = [value.basic_auth, value.authorization, value.oauth2];
    if (isSigned && others.some((method) => method !== null)) {
      place.fail(
        'at most one of basic_auth, authorization, oauth2, & sigv4 must be configured',
        'sigv4',
      );
    }
    return checkHttpClient(value, place);
  },
);

export const alertingConfig = object({
  alert_relabel_configs: alertRules,
  alertmanagers: field(listOf(alertmanager, 'Alertmanager config section'), []),
});

const retention = object(
  {
    time: field(duration, 0),
    size: field(size, 0),
    percentage: field(float, 0),
  },
  (value, place) => {
    if (value.size < 0) {
      place.fail(
        `'storage.tsdb.retention.size' must be greater than or equal to 0, got ${formatSize(value.size)}`,
        'size',
      );
    }
    if (value.percentage < 0 || value.percentage > 100) {
      place.fail(
        `'storage.tsdb.retention.percentage' must be in the range [0, 100], got ${value.percentage}`,
        'percentage',
      );
    }
  },
);

const chunkEncoding = object({ floats: field(string, '') }, ({ floats }, place) => {
  if (floats !== '' && floats !== 'xor' && floats !== 'xor2') {
    place.fail(
      `'storage.tsdb.chunk_encoding.floats' must be 'xor' or 'xor2', or the field must be omitted entirely, got "${floats}"`,
      'floats',
    );
  }
});

const tsdb = object(
  {
    // The same as the next one, in milliseconds: an internal of Prometheus that shows in its print.
    outofordertimewindow: shown(int, 0),
    out_of_order_time_window: field(duration, 0),
    stale_series_compaction_threshold: field(float, 0),
    chunk_encoding: field(chunkEncoding, chunkEncoding.initial()),
    retention: optional(retention),
  },
  (value) => ({ ...value, outofordertimewindow: value.out_of_order_time_window }),
);

export const storageConfig = object({
  tsdb: optional(tsdb),
  exemplars: optional(object({ max_exemplars: field(int, 0) })),
});
export type StorageValues = Infer<typeof storageConfig>;

export const DEFAULT_MAX_EXEMPLARS = 100_000;

export const tracingConfig = object(
  {
    client_type: field(string, 'grpc'),
    endpoint: field(string, ''),
    sampling_fraction: field(float, 0),
    insecure: field(bool, false),
    tls_config: field(tlsConfig, tlsConfig.initial()),
    headers: field(mapOf(string), {}),
    compression: field(string, ''),
    timeout: field(duration, 0),
  },
  (value, place) => {
    if (value.client_type !== 'grpc' && value.client_type !== 'http') {
      place.fail(
        `expected tracing client type to be to be http or grpc, but got ${value.client_type}`,
        'client_type',
      );
    }
    if (value.endpoint === '') place.fail('tracing endpoint must be set');
    if (Object.keys(value.headers).some((name) => name.toLowerCase() === 'authorization')) {
      place.fail('custom authorization header configuration is not yet supported', 'headers');
    }
    if (value.compression !== '' && value.compression !== 'gzip') {
      place.fail(
        `invalid compression type ${value.compression} provided, valid options: gzip`,
        'compression',
      );
    }
  },
);

const STRATEGIES = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
];

export const otlpConfig = object(
  {
    promote_all_resource_attributes: field(bool, false),
    promote_resource_attributes: field(list(string), []),
    ignore_resource_attributes: field(list(string), []),
    translation_strategy: field(string, 'UnderscoreEscapingWithSuffixes'),
    keep_identifying_resource_attributes: field(bool, false),
    convert_histograms_to_nhcb: field(bool, false),
    promote_scope_metadata: field(bool, false),
    label_name_underscore_sanitization: field(bool, true),
    label_name_preserve_multiple_underscores: field(bool, true),
  },
  (value, place) => {
    const { translation_strategy: strategy } = value;
    if (strategy !== '' && !STRATEGIES.includes(strategy)) {
      const what = `unsupported OTLP translation strategy "${strategy}"`;
      place.fail(`${what}, expected one of ${STRATEGIES.join(', ')}`, 'translation_strategy');
    }
    if (value.promote_all_resource_attributes && value.promote_resource_attributes.length > 0) {
      place.fail(
        "'promote_all_resource_attributes' and 'promote_resource_attributes' cannot be configured simultaneously",
        'promote_all_resource_attributes',
      );
    }
    if (!value.promote_all_resource_attributes && value.ignore_resource_attributes.length > 0) {
      place.fail(
        "'ignore_resource_attributes' cannot be configured unless 'promote_all_resource_attributes' is true",
        'ignore_resource_attributes',
      );
    }
    return {
      ...value,
      translation_strategy: strategy || 'UnderscoreEscapingWithSuffixes',
      promote_resource_attributes: attributes(
        value,
        place,
        'promote_resource_attributes',
        'promoted',
      ),
      ignore_resource_attributes: attributes(value, place, 'ignore_resource_attributes', 'ignored'),
    };
  },
);

/** Without spaces around; doubles and empty ones are mistakes. */
function attributes(value: object, place: Place, key: string, what: string): readonly string[] {
  const names = (value as Record<string, readonly string[]>)[key]!.map((name) => name.trim());
  const doubled = names.filter((name, index) => name !== '' && names.indexOf(name) < index);
  const mistakes = doubled.map((name) => `duplicated ${what} OTel resource attribute "${name}"`);
  if (names.includes('')) mistakes.push(`empty ${what} OTel resource attribute`);
  if (mistakes.length > 0) place.fail(`invalid '${key}': ${mistakes.join(', ')}`, key);
  return names;
}
