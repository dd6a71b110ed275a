/**
 * One shard of a queue: takes what waits in batches, one request at a time, so that a series' samples
 * arrive in order. A request that may be taken later is repeated for as long as it takes.
 */
import type { Clock, Logger, TracerSource } from '../../../model/index.ts';
import type { LogKey } from './log-key.ts';
import type { Progress } from './progress.ts';
import { compressed, type RequestSender } from './request-sender.ts';
import type { Verdict } from './retry.ts';
import { type Counts, SendQueue } from './send-queue.ts';
import type { RemoteWriteConfig } from './write-config.ts';
import type { QueueMetrics } from './write-metrics.ts';

/** Writes the oldest `count` entries that are not older than `minMs`; the view is used at once. */
export type Encode = (queue: SendQueue, count: number, minMs: number) => Uint8Array;

export type ShardOptions = {
  readonly number: number;
  readonly config: RemoteWriteConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: QueueMetrics;
  readonly sender: RequestSender;
  readonly tracer: TracerSource;
  readonly progress: Progress;
  readonly encode: Encode;
  /** Entries up to here go out together first: they were on their way when the last run ended. */
  readonly unsure: LogKey | null;
  /** How far the log has been read: nothing before comes any more. */
  readonly readUpTo: () => LogKey;
  /** There is room again, or nothing left. */
  readonly onSent: (sent: Counts, seconds: number) => void;
};

const KINDS = ['samples', 'histograms', 'exemplars'] as const;
const NONE: Counts = { samples: 0, histograms: 0, exemplars: 0 };

export class Shard {
  readonly queue = new SendQueue();
  readonly #options: ShardOptions;
  readonly #abort = new AbortController();
  #unsure: LogKey | null;
  /** When the oldest entry has waited long enough, by the monotonic clock. */
  #dueMs = Infinity;
  #isSending = false;
  #isStopping = false;
  #isHurrying = false;
  #isFailing = false;
  #timer: NodeJS.Timeout | null = null;
  #idle: Promise<void> = Promise.resolve();

  constructor(options: ShardOptions) {
    this.#options = options;
    this.#unsure = options.unsure;
  }

  /** The last attempt came to nothing. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  get isEmpty(): boolean {
    return this.queue.count === 0 && !this.#isSending;
  }

  /** To be called when entries were added, or the log was read on. */
  wake(): void {
    if (this.#isSending || this.#isStopping) return;
    const { clock, config } = this.#options;
    if (this.queue.count === 0) {
      this.#dueMs = Infinity;
      return;
    }
    const nowMs = clock.monotonicMs();
    if (this.#dueMs === Infinity) this.#dueMs = nowMs + config.queue.sendDeadlineMs;
    const count = this.#batchCount(nowMs);
    if (count > 0) {
      this.#isSending = true;
      this.#idle = this.#send(count);
    } else {
      this.#timer ??= setTimeout(
        () => {
          this.#timer = null;
          this.wake();
        },
        Math.max(1, this.#dueMs - nowMs),
      ).unref();
    }
  }

  /** Sends what is there without waiting for more. */
  hurry(isHurrying: boolean): void {
    this.#isHurrying = isHurrying;
    this.wake();
  }

  /** Begins no other request; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Nobody knows how long it would go on failing; what was not sent is sent after the next start.
    if (this.#isFailing) this.abort();
    await this.#idle;
  }

  /** Gives up the request under way. */
  abort(): void {
    this.#abort.abort();
  }

  /** How many of the oldest entries are to go out now; 0: not yet. */
  #batchCount(nowMs: number): number {
    const { config, readUpTo } = this.#options;
    const { capacity, samplesPerSendMax } = config.queue;
    const { count } = this.queue;
    if (this.#unsure !== null) {
      const together = this.queue.countUpTo(this.#unsure);
      const read = readUpTo();
      const isRead =
        read.segment > this.#unsure.segment ||
        (read.segment === this.#unsure.segment && read.offset >= this.#unsure.offset);
      if (!isRead && together === count && count < Math.max(capacity, samplesPerSendMax)) return 0;
      this.#unsure = null;
      if (together > 0) return together;
    }
    const isDue = this.#isHurrying || count >= samplesPerSendMax || nowMs >= this.#dueMs;
    return isDue ? Math.min(count, samplesPerSendMax) : 0;
  }

  async #send(count: number): Promise<void> {
    const { number, progress, clock, metrics, onSent } = this.#options;
    const { queue } = this;
    const last = queue.key(count - 1);
    progress.note(number, 'sending', last);
    const startMs = clock.monotonicMs();
    const counts = await this.#sendUntilDone(count);
    this.#isSending = false;
    if (counts === null) return;
    let newestMs = 0;
    for (let i = 0; i < count; i++) {
      newestMs = Math.max(newestMs, queue.timestampsMs[queue.at(i)]!);
    }
    queue.remove(count);
    progress.note(number, 'handled', last);
    metrics.highestSentSeconds.set(Math.max(metrics.highestSentSeconds.value, newestMs / 1000));
    this.#dueMs = Infinity;
    onSent(counts, (clock.monotonicMs() - startMs) / 1000);
    this.wake();
  }

  /** What was sent or refused; null when it was given up. */
  async #sendUntilDone(count: number): Promise<Counts | null> {
    const { config, clock, logger, metrics, sender, encode } = this.#options;
    const { queue } = config;
    let backoffMs = queue.backoffMinMs;
    let body: Uint8Array | null = null;
    let counts = NONE;
    let tooOld = NONE;
    for (let attempt = 0; ; attempt++) {
      // What has grown too old while waiting is left out of the next attempt.
      if (body === null || queue.sampleAgeLimitMs > 0) {
        const minMs =
          queue.sampleAgeLimitMs > 0 ? clock.nowMs() - queue.sampleAgeLimitMs : -Infinity;
        const { young, old } = this.queue.countsOf(count, minMs);
        counts = young;
        this.#countTooOld(old, tooOld);
        tooOld = old;
        if (counts.samples + counts.histograms + counts.exemplars === 0) return counts;
        body = compressed(encode(this.queue, count, minMs));
      }
      const startMs = clock.monotonicMs();
      const sent = config.version === 2 ? counts : null;
      const spans = this.#beginSpans(counts, body.length, attempt);
      const { signal } = this.#abort;
      const verdict = await sender.send(body, attempt, sent, signal, spans?.request);
      spans?.end(verdict);
      metrics.sendSeconds.observe((clock.monotonicMs() - startMs) / 1000);
      if (this.#abort.signal.aborted && verdict.kind === 'again') return null;
      if (verdict.kind !== 'again') {
        this.#isFailing = false;
        this.#finish(verdict, counts, body.length);
        return counts;
      }
      this.#isFailing = true;
      if (this.#isStopping) return null;
      tally(metrics.retried, counts);
      const waitMs = verdict.afterMs ?? backoffMs;
      const fields = { err: verdict.reason, backoff: `${waitMs}ms` };
      if (attempt === 0) logger.warn('Failed to send batch, retrying', fields);
      else logger.debug('Failed to send batch, retrying', fields);
      try {
        await clock.sleep(waitMs, this.#abort.signal);
      } catch {
        return null;
      }
      if (this.#isStopping) return null;
      if (verdict.afterMs === null) backoffMs = Math.min(queue.backoffMaxMs, backoffMs * 2);
    }
  }

  /** Of one attempt; null while tracing is off. */
  #beginSpans(counts: Counts, sizeBytes: number, attempt: number) {
    const { tracer, config } = this.#options;
    const batch = tracer()?.start('Remote Send Batch', 'internal');
    if (batch === undefined) return null;
    batch.set('request_size', sizeBytes);
    for (const kind of KINDS) if (counts[kind] > 0) batch.set(kind, counts[kind]);
    batch.set('try', attempt);
    batch.set('remote_name', config.name);
    batch.set('remote_url', config.url);
    const request = batch.child('Remote Store', 'client');
    const end = (verdict: Verdict) => {
      request.end();
      if (verdict.kind !== 'taken') batch.fail(verdict.reason);
      batch.end();
    };
    return { request, end };
  }

  #finish(verdict: Exclude<Verdict, { kind: 'again' }>, counts: Counts, sizeBytes: number): void {
    const { logger, metrics } = this.#options;
    if (verdict.kind === 'taken') {
      tally(metrics.sent, counts);
      metrics.bytes.increase(sizeBytes);
      return;
    }
    tally(metrics.failed, counts);
    logger.error('non-recoverable error', {
      failedSampleCount: counts.samples,
      failedHistogramCount: counts.histograms,
      failedExemplarCount: counts.exemplars,
      err: verdict.reason,
    });
  }

  #countTooOld(now: Counts, before: Counts): void {
    for (const kind of KINDS) {
      const more = now[kind] - before[kind];
      if (more > 0) this.#options.metrics.dropped(kind, 'too_old', more);
    }
  }
}

function tally(
  counters: { readonly [Kind in keyof Counts]: { increase(by: number): void } },
  counts: Counts,
): void {
  for (const kind of KINDS) {
    if (counts[kind] > 0) counters[kind].increase(counts[kind]);
  }
}
