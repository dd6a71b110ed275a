/** Section `tracing` of the configuration; plain data, because every thread is handed it. */
import type { TlsConfig } from '../../scrape/index.ts';

export type TracingConfig = {
  readonly protocol: 'grpc' | 'http';
  /** `host:port`. */
  readonly endpoint: string;
  /** Of the traces that begin here; those that others began say it themselves. */
  readonly samplingRatio: number;
  /** No TLS. */
  readonly isInsecure: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly usesGzip: boolean;
  /** For a batch, with all attempts to send it. */
  readonly timeoutMs: number;
  readonly tls: TlsConfig;
};
