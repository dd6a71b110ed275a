/** From the spelling of `tracing` to what the tracing room works with. */
import type { TracingConfig } from '../tracing/tracing-config.ts';
import type { FileValues } from './file-shape.ts';
import { toTls } from './to-scrape-config.ts';

const TIMEOUT_MS = 10_000;

export function toTracing(value: FileValues['tracing']): TracingConfig | null {
  if (value === null) return null;
  return {
    protocol: value.client_type as TracingConfig['protocol'],
    endpoint: value.endpoint,
    samplingRatio: value.sampling_fraction,
    isInsecure: value.insecure,
    headers: value.headers,
    usesGzip: value.compression === 'gzip',
    timeoutMs: value.timeout || TIMEOUT_MS,
    tls: toTls(value.tls_config),
  };
}
