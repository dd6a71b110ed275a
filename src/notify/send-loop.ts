/**
 * Alerts to one Alertmanager: they wait in a queue of bounded length and go out in batches, one at a
 * time. A batch that fails is dropped: alerts that go on are sent again by the rules.
 */
import { type Logger, messageOf } from '../../model/index.ts';
import type { CloudAuthorizer, HttpClient } from '../../scrape/index.ts';
import type { NotifierMetrics } from './notifier-metrics.ts';
import { alertsBody, type OutgoingAlert } from './outgoing-alert.ts';

export type DeliveryReport = (
  url: string,
  alerts: readonly OutgoingAlert[],
  /** Null when it was accepted. */
  error: string | null,
) => void;

export type SendLoopOptions = {
  readonly url: string;
  readonly client: Pick<HttpClient, 'request'>;
  /** Signs requests; null: they go out as they are. */
  readonly authorizer: Pick<CloudAuthorizer, 'headers'> | null;
  readonly timeoutMs: number;
  readonly queueCapacity: number;
  readonly batchSizeMax: number;
  readonly metrics: NotifierMetrics;
  readonly logger: Logger;
  readonly onDelivery: DeliveryReport;
};

export class SendLoop {
  readonly #options: SendLoopOptions;
  readonly #metrics: ReturnType<NotifierMetrics['of']>;
  #queue: OutgoingAlert[] = [];
  #sending: Promise<void> | null = null;
  readonly #abort = new AbortController();

  constructor(options: SendLoopOptions) {
    this.#options = options;
    this.#metrics = options.metrics.of(options.url);
  }

  add(alerts: readonly OutgoingAlert[]): void {
    const { queueCapacity, url, logger } = this.#options;
    this.#queue.push(...alerts);
    const excess = this.#queue.length - queueCapacity;
    if (excess > 0) {
      this.#queue.splice(0, excess);
      this.#metrics.dropped.increase(excess);
      const what = 'Alert notification queue full, dropping alerts';
      logger.warn(what, { alertmanager: url, count: excess });
    }
    this.#metrics.queueLength.set(this.#queue.length);
    this.#sending ??= this.#sendAll();
  }

  /** Resolves when nothing waits any more. */
  async drain(): Promise<void> {
    await this.#sending;
  }

  /** Gives up what waits and what is under way. */
  async stop(): Promise<void> {
    const { length } = this.#queue;
    this.#queue = [];
    this.#metrics.dropped.increase(length);
    this.#metrics.queueLength.set(0);
    this.#abort.abort();
    await this.#sending;
  }

  async #sendAll(): Promise<void> {
    // In a later turn, so that what is added together goes out together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#options.batchSizeMax);
      this.#metrics.queueLength.set(this.#queue.length);
      await this.#send(batch);
    }
    this.#sending = null;
  }

  async #send(batch: readonly OutgoingAlert[]): Promise<void> {
    const { url, client, authorizer, timeoutMs, logger, onDelivery } = this.#options;
    const method = 'POST';
    const { signal } = this.#abort;
    const body = alertsBody(batch);
    let headers: Record<string, string> = { 'Content-Type': 'application/json' };
    let failure: string | null = null;
    try {
      if (authorizer !== null) {
        headers = await authorizer.headers({ method, url, headers, body }, signal);
      }
      const response = await client.request({ url, method, headers, body, timeoutMs, signal });
      response.release?.();
      if (response.status < 200 || response.status > 299) {
        failure = `bad response status ${response.status} ${response.statusText}`;
      }
    } catch (error) {
      failure = messageOf(error);
    }
    if (failure === null) this.#metrics.sent.increase(batch.length);
    else {
      this.#metrics.errors.increase(batch.length);
      this.#metrics.dropped.increase(batch.length);
      logger.error('Error sending alerts', {
        alertmanager: url,
        count: batch.length,
        err: failure,
      });
    }
    onDelivery(url, batch, failure);
  }
}
