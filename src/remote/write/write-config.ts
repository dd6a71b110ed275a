/** One `<remote_write>` section as plain data that can be sent to a thread. */
import type { RelabelConfig } from '../../../model/index.ts';
import type { CloudAuthConfig, HttpClientConfig } from '../../../scrape/index.ts';

export type RemoteWriteConfig = {
  /** As configured, or made of the section's content: tells queues apart in metrics and logs. */
  readonly name: string;
  /** What stays the same when other settings of the section change: its name or its URL. */
  readonly identity: string;
  readonly url: string;
  readonly version: 1 | 2;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly relabelConfigs: readonly RelabelConfig[];
  readonly sendsExemplars: boolean;
  readonly sendsHistograms: boolean;
  readonly httpClient: HttpClientConfig;
  readonly cloudAuth: CloudAuthConfig | null;
  readonly queue: QueueConfig;
  /** Of version 1; null when none is sent. */
  readonly metadata: { readonly intervalMs: number; readonly countMax: number } | null;
};

export type QueueConfig = {
  /** Samples per shard that wait at most. */
  readonly capacity: number;
  readonly shardsMin: number;
  readonly shardsMax: number;
  readonly samplesPerSendMax: number;
  readonly sendDeadlineMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  readonly retriesTooMany: boolean;
  /** Older samples are not sent; 0 for no limit. */
  readonly sampleAgeLimitMs: number;
};
