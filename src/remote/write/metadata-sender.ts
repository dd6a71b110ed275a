/** Metadata in remote write 1.0: of every metric name, from time to time, apart from samples. */
import type { Clock, Logger, MetricMetadata } from '../../../model/index.ts';
import { compressed, type RequestSender } from './request-sender.ts';
import { RequestV1 } from './request-v1.ts';
import type { RemoteWriteConfig } from './write-config.ts';
import type { QueueMetrics } from './write-metrics.ts';

export type SentMetadata = MetricMetadata & { readonly name: string };

export type MetadataSending = {
  readonly config: RemoteWriteConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: QueueMetrics;
  readonly sender: RequestSender;
};

/** More would only delay what is newer by then. */
const ATTEMPTS_MAX = 10;

export async function sendMetadata(
  entries: readonly SentMetadata[],
  sending: MetadataSending,
  signal: AbortSignal,
): Promise<void> {
  const { countMax } = sending.config.metadata!;
  const request = new RequestV1();
  for (let start = 0; start < entries.length && !signal.aborted; start += countMax) {
    const some = entries.slice(start, start + countMax);
    await sendSome(compressed(request.encodeMetadata(some)), some.length, sending, signal);
  }
}

async function sendSome(
  body: Uint8Array,
  count: number,
  { config, clock, logger, metrics, sender }: MetadataSending,
  signal: AbortSignal,
): Promise<void> {
  let backoffMs = config.queue.backoffMinMs;
  for (let attempt = 0; ; attempt++) {
    const verdict = await sender.send(body, attempt, null, signal);
    if (verdict.kind === 'taken') {
      metrics.metadata.increase(count);
      metrics.metadataBytes.increase(body.length);
      return;
    }
    if (signal.aborted) return;
    if (verdict.kind === 'refused' || attempt + 1 >= ATTEMPTS_MAX) {
      metrics.metadataFailed.increase(count);
      logger.error('non-recoverable error while sending metadata', { count, err: verdict.reason });
      return;
    }
    metrics.metadataRetried.increase(count);
    try {
      await clock.sleep(verdict.afterMs ?? backoffMs, signal);
    } catch {
      return;
    }
    backoffMs = Math.min(config.queue.backoffMaxMs, backoffMs * 2);
  }
}
