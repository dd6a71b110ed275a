/**
 * Spans on their way to the collector: they wait in a queue of bounded length and go out in
 * batches, one at a time. What does not fit, or cannot be sent in time, is dropped and counted.
 * Source: OpenTelemetry specification, "Batching processor" (its defaults); OTLP, "Failures".
 */
import { type Logger, messageOf } from '../../model/index.ts';
import type { SpanRecord } from './span-record.ts';

/** What became of an attempt. */
export type Delivery =
  | { readonly kind: 'taken'; readonly refusedCount: number; readonly reason: string }
  /** The same batch may be taken later: not before `afterMs`, where the collector said so. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number | null }
  | { readonly kind: 'refused'; readonly reason: string };

/** Sends bytes to the collector. */
export interface SpanSender {
  /** One attempt. Never rejects. */
  send(body: Uint8Array, timeoutMs: number): Promise<Delivery>;
  close(): Promise<void>;
}

export type SpanQueueOptions = {
  readonly encode: (spans: readonly SpanRecord[]) => Uint8Array;
  readonly sender: SpanSender;
  /** For a batch, with all its attempts. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** For tests; the defaults are those of OpenTelemetry. */
  readonly delayMs?: number;
  readonly backoffMs?: number;
};

const LENGTH_MAX = 2048;
const BATCH_LENGTH_MAX = 512;
const DELAY_MS = 5000;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 5000;
/** A collector that does not answer must not hold up the end of a server for longer. */
const STOP_MS_MAX = 5000;
/** Losses are told so often at most. */
const REPORT_INTERVAL_MS = 60_000;

export class SpanQueue {
  readonly #options: SpanQueueOptions;
  #waiting: SpanRecord[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #isStopping = false;
  /** Ends waits between attempts. */
  readonly #hurry = Promise.withResolvers<void>();
  #lostCount = 0;
  #lossReason = '';
  #reportedMs = -Infinity;
  #reportTimer: NodeJS.Timeout | null = null;

  constructor(options: SpanQueueOptions) {
    this.#options = options;
  }

  add(span: SpanRecord): void {
    if (this.#isStopping) return;
    if (this.#waiting.length >= LENGTH_MAX) {
      this.#lose(1, 'the queue is full');
      return;
    }
    this.#waiting.push(span);
    if (this.#sending !== null) return;
    if (this.#waiting.length >= BATCH_LENGTH_MAX) this.#begin();
    else this.#timer ??= setTimeout(() => this.#begin(), this.#options.delayMs ?? DELAY_MS).unref();
  }

  /** Sends what waits, as far as that works in time, and takes no more. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#hurry.resolve();
    const { timeoutMs, sender } = this.#options;
    const deadline = Promise.withResolvers<void>();
    const timer = setTimeout(deadline.resolve, Math.min(timeoutMs, STOP_MS_MAX));
    if (this.#waiting.length > 0) this.#begin();
    await Promise.race([this.#sending, deadline.promise]);
    clearTimeout(timer);
    this.#lose(this.#waiting.splice(0).length, 'the server stops');
    this.#report();
    await sender.close();
  }

  #begin(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    do {
      const batch = this.#waiting.splice(0, BATCH_LENGTH_MAX);
      if (batch.length > 0) await this.#sendBatch(batch);
    } while (this.#waiting.length >= (this.#isStopping ? 1 : BATCH_LENGTH_MAX));
    this.#sending = null;
    if (this.#waiting.length > 0) {
      this.#timer = setTimeout(() => this.#begin(), this.#options.delayMs ?? DELAY_MS).unref();
    }
  }

  async #sendBatch(batch: readonly SpanRecord[]): Promise<void> {
    const { encode, sender, timeoutMs } = this.#options;
    const body = encode(batch);
    const endMs = performance.now() + timeoutMs;
    let backoffMs = this.#options.backoffMs ?? BACKOFF_MS;
    for (;;) {
      const delivery = await sender.send(body, endMs - performance.now());
      if (delivery.kind === 'taken') {
        if (delivery.refusedCount > 0) this.#lose(delivery.refusedCount, delivery.reason);
        return;
      }
      const waitMs =
        delivery.kind === 'again'
          ? (delivery.afterMs ?? backoffMs * (0.5 + Math.random()))
          : Infinity;
      if (this.#isStopping || performance.now() + waitMs >= endMs) {
        this.#lose(batch.length, delivery.reason);
        return;
      }
      await this.#sleep(waitMs);
      backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2);
    }
  }

  async #sleep(waitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs).unref();
    await Promise.race([promise, this.#hurry.promise]);
    clearTimeout(timer);
  }

  #lose(count: number, reason: string): void {
    if (count === 0) return;
    this.#lostCount += count;
    this.#lossReason = reason;
    const waitMs = this.#reportedMs + REPORT_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.#report();
    else this.#reportTimer ??= setTimeout(() => this.#report(), waitMs).unref();
  }

  #report(): void {
    if (this.#reportTimer !== null) clearTimeout(this.#reportTimer);
    this.#reportTimer = null;
    if (this.#lostCount === 0) return;
    this.#reportedMs = performance.now();
    this.#options.logger.error('OpenTelemetry handler returned an error', {
      err: `traces export: ${this.#lossReason}`,
      dropped_spans: this.#lostCount,
    });
    this.#lostCount = 0;
  }
}

/** The reason of a failed attempt that may be made again. */
export function again(error: unknown): Delivery {
  return { kind: 'again', reason: messageOf(error), afterMs: null };
}
