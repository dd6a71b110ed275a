/**
 * `<remote_write>`, `<remote_read>`, and the ways to sign requests for clouds.
 * Source: Prometheus configuration documentation; order of keys and messages from a running 3.14.
 */
import { MINUTE_MS, SECOND_MS } from '../../model/index.ts';
import { labelSet } from './discovery-shapes.ts';
import { checkHttpClient, HTTP_CLIENT_FIELDS } from './http-client-shape.ts';
import { relabelConfig } from './relabel-shape.ts';
import { bool, duration, int, secret, string, url } from './scalar-types.ts';
import { field, listOf, mapOf, object, optional, type Place, shown } from './type.ts';

export const sigv4 = object(
  {
    region: field(string, ''),
    access_key: field(string, ''),
    secret_key: field(secret, ''),
    profile: field(string, ''),
    role_arn: field(string, ''),
    external_id: field(string, ''),
    use_fips_sts_endpoint: field(bool, false),
  },
  (value, place) => {
    if ((value.access_key === '') !== (value.secret_key === '')) {
      place.fail(
        'must provide a AWS SigV4 Access key and Secret Key if credentials are specified in the SigV4 config',
      );
    }
    if (value.external_id !== '' && value.role_arn === '') {
      place.fail('external_id can only be used with role_arn', 'external_id');
    }
  },
);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Ids of Azure have to be there and to be UUIDs. */
function azureIds(what: string, keys: readonly string[], idMayBeEmpty = false) {
  return (value: object, place: Place) => {
    for (const key of keys) {
      const text = (value as Record<string, string>)[key]!;
      if (text === '' && idMayBeEmpty) continue;
      if (text === '') place.fail(`must provide an Azure ${what} ${key} in the Azure AD config`);
      const isId = key === 'client_id' || (key === 'tenant_id' && what !== 'OAuth');
      if (isId && !UUID.test(text)) {
        place.fail(`the provided Azure ${what} ${key} is invalid`, key);
      }
    }
  };
}

const AZURE_METHODS = [
  'managed_identity',
  'workload_identity',
  'oauth',
  'certificate',
  'sdk',
] as const;
const azuread = object(
  {
    managed_identity: optional(
      object({ client_id: field(string, '') }, azureIds('Managed Identity', ['client_id'], true)),
    ),
    workload_identity: optional(
      object(
        {
          client_id: field(string, ''),
          tenant_id: field(string, ''),
          token_file_path: field(string, ''),
        },
        azureIds('Workload Identity', ['client_id', 'tenant_id']),
      ),
    ),
    oauth: optional(
      object(
        {
          client_id: field(string, ''),
          client_secret: field(secret, ''),
          tenant_id: field(string, ''),
        },
        azureIds('OAuth', ['client_id', 'client_secret', 'tenant_id']),
      ),
    ),
    certificate: optional(
      object(
        {
          client_id: field(string, ''),
          tenant_id: field(string, ''),
          certificate_path: field(string, ''),
          certificate_key_path: field(string, ''),
          certificate_password: field(secret, ''),
          send_certificate_chain: field(bool, false),
        },
        (value, place) => {
          if (value.certificate_path === '') {
            place.fail('must provide an Azure Certificate certificate_path in the Azure AD config');
          }
        },
      ),
    ),
    sdk: optional(object({ tenant_id: field(string, '') })),
    cloud: field(string, 'AzurePublic'),
    scope: field(string, ''),
  },
  (value, place) => {
    if (!['AzurePublic', 'AzureChina', 'AzureGovernment'].includes(value.cloud)) {
      place.fail('must provide a cloud in the Azure AD config', 'cloud');
    }
    const count = AZURE_METHODS.filter((method) => value[method] !== null).length;
    if (count === 0) {
      place.fail(
        'must provide an Azure Managed Identity, Azure Workload Identity, Azure OAuth, Azure Certificate or Azure SDK in the Azure AD config',
      );
    }
    if (count > 1) {
      place.fail('cannot provide multiple authentication methods in the Azure AD config');
    }
  },
);

const RESERVED_HEADERS = new Set([
  'host',
  'content-encoding',
  'content-length',
  'content-type',
  'user-agent',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'www-authenticate',
  'accept-encoding',
  'x-prometheus-remote-write-version',
  'x-prometheus-remote-read-version',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-content-sha256',
]);

function checkHeaders(headers: Readonly<Record<string, string>>, place: Place): void {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === 'authorization') {
      place.fail(
        'authorization header must be changed via the basic_auth, authorization, oauth2, sigv4, azuread or google_iam parameter',
        'headers',
      );
    }
    if (RESERVED_HEADERS.has(name.toLowerCase())) {
      place.fail(`${name} is a reserved header. It must not be changed`, 'headers');
    }
  }
}

const queueConfig = object(
  {
    capacity: field(int, 10_000),
    max_shards: field(int, 50),
    min_shards: field(int, 1),
    max_samples_per_send: field(int, 2000),
    batch_send_deadline: field(duration, 5 * SECOND_MS),
    min_backoff: field(duration, 30),
    max_backoff: field(duration, 5 * SECOND_MS),
    retry_on_http_429: field(bool, false),
    sample_age_limit: field(duration, 0),
  },
  (value, place) => {
    const what = 'remote write queue';
    for (const key of ['capacity', 'max_shards', 'min_shards', 'max_samples_per_send'] as const) {
      if (value[key] <= 0) place.fail(`${what} ${key} must be positive`, key);
    }
    if (value.min_shards > value.max_shards) {
      place.fail(`${what} min_shards must not be greater than max_shards`, 'min_shards');
    }
    if (value.max_backoff < value.min_backoff) {
      place.fail(`${what} max_backoff must not be less than min_backoff`, 'max_backoff');
    }
  },
);

const metadataConfig = object({
  send: shown(bool, true),
  send_interval: shown(duration, MINUTE_MS),
  max_samples_per_send: field(int, 2000),
});

const MESSAGES = ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'];
const AUTH_METHODS = [
  'basic_auth',
  'authorization',
  'oauth2',
  'sigv4',
  'azuread',
  'google_iam',
] as const;

export const remoteWrite = object(
  {
    url: shown(url, ''),
    remote_timeout: field(duration, 30 * SECOND_MS),
    headers: field(mapOf(string), {}),
    write_relabel_configs: field(
      listOf(relabelConfig, 'relabeling rule in remote write config'),
      [],
    ),
    name: field(string, ''),
    send_exemplars: field(bool, false),
    send_native_histograms: field(bool, false),
    round_robin_dns: field(bool, false),
    protobuf_message: field(string, 'prometheus.WriteRequest'),
    ...HTTP_CLIENT_FIELDS,
    enable_http2: shown(bool, false),
    queue_config: field(queueConfig, queueConfig.initial()),
    metadata_config: field(metadataConfig, metadataConfig.initial()),
    sigv4: optional(sigv4),
    azuread: optional(azuread),
    google_iam: optional(object({ credentials_file: field(string, '') })),
  },
  (written, place) => {
    if (written.url === '') place.fail('url for remote_write is empty');
    checkHeaders(written.headers, place);
    if (!MESSAGES.includes(written.protobuf_message)) {
      place.fail(
        `invalid protobuf_message value: unknown type for remote write protobuf message ${written.protobuf_message}, supported: ${MESSAGES.join(', ')}`,
        'protobuf_message',
      );
    }
    const value = checkHttpClient(written, place);
    const methods = AUTH_METHODS.filter((method) => value[method] !== null);
    if (methods.length > 1) {
      place.fail(
        `at most one of basic_auth, authorization, oauth2, sigv4, azuread or google_iam must be configured. Currently configured: [${methods.join(' ')}]`,
        methods[1],
      );
    }
    return value;
  },
);

export const remoteRead = object(
  {
    url: shown(url, ''),
    remote_timeout: field(duration, MINUTE_MS),
    chunked_read_limit: field(int, 50_000_000),
    headers: field(mapOf(string), {}),
    read_recent: field(bool, false),
    name: field(string, ''),
    ...HTTP_CLIENT_FIELDS,
    required_matchers: field(labelSet, {}),
    filter_external_labels: field(bool, true),
  },
  (value, place) => {
    if (value.url === '') place.fail('url for remote_read is empty');
    checkHeaders(value.headers, place);
    return checkHttpClient(value, place);
  },
);
