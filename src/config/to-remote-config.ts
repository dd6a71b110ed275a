/** From the spelling of `remote_write` and `remote_read` to what the remote room works with. */
import { createHash } from 'node:crypto';
import type { CloudAuthConfig } from '../../scrape/index.ts';
import type { RemoteReadConfig } from '../remote/read/read-config.ts';
import type { RemoteWriteConfig } from '../remote/write/write-config.ts';
import type { FileValues } from './file-shape.ts';
import { toRelabelConfig } from './relabel-shape.ts';
import { toHttpClient } from './to-scrape-config.ts';

type WriteValues = FileValues['remote_write'][number];

/** Amazon's name for managed Prometheus. */
const AWS_SERVICE = 'aps';
const NAME_LENGTH = 6;

export function toRemoteWrite(value: WriteValues): RemoteWriteConfig {
  const { queue_config: queue, metadata_config: metadata } = value;
  const version = value.protobuf_message === 'prometheus.WriteRequest' ? 1 : 2;
  return {
    name: value.name || hashedName(value),
    identity: value.name || value.url,
    url: value.url,
    version,
    timeoutMs: value.remote_timeout,
    headers: value.headers,
    relabelConfigs: value.write_relabel_configs.map(toRelabelConfig),
    sendsExemplars: value.send_exemplars,
    sendsHistograms: value.send_native_histograms || version === 2,
    httpClient: toHttpClient(value),
    cloudAuth: toCloudAuth(value),
    queue: {
      capacity: queue.capacity,
      shardsMin: queue.min_shards,
      shardsMax: queue.max_shards,
      samplesPerSendMax: queue.max_samples_per_send,
      sendDeadlineMs: queue.batch_send_deadline,
      backoffMinMs: queue.min_backoff,
      backoffMaxMs: queue.max_backoff,
      retriesTooMany: queue.retry_on_http_429,
      sampleAgeLimitMs: queue.sample_age_limit,
    },
    metadata:
      version === 1 && metadata.send
        ? {
            intervalMs: Math.max(1, metadata.send_interval),
            countMax: Math.max(1, metadata.max_samples_per_send),
          }
        : null,
  };
}

export function toRemoteRead(value: FileValues['remote_read'][number]): RemoteReadConfig {
  return {
    name: value.name || hashedName(value),
    url: value.url,
    timeoutMs: value.remote_timeout,
    headers: value.headers,
    requiredMatchers: value.required_matchers,
    readsRecent: value.read_recent,
    filtersExternalLabels: value.filter_external_labels,
    httpClient: toHttpClient(value),
  };
}

/** Stands for a section that has no name, in metrics and logs. */
function hashedName(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, NAME_LENGTH);
}

/** Absent sections are null. */
export function toCloudAuth({
  sigv4,
  azuread = null,
  google_iam: google = null,
}: Pick<WriteValues, 'sigv4'> & Partial<WriteValues>): CloudAuthConfig | null {
  if (sigv4 !== null) return { kind: 'aws', service: AWS_SERVICE, settings: sigv4 };
  if (azuread !== null) return { kind: 'azure', settings: azuread };
  if (google !== null) return { kind: 'google', credentialsFile: google.credentials_file };
  return null;
}
