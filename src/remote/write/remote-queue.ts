/**
 * One `<remote_write>` section at work: follows the log, sorts samples into shards, and reads no
 * further while a shard is full, so that memory is bounded whatever the receiver does.
 */
import type {
  Clock,
  Exemplar,
  FloatHistogram,
  Histogram,
  Labels,
  Logger,
  TracerSource,
} from '../../../model/index.ts';
import { CUSTOM_BUCKETS_SCHEMA, messageOf } from '../../../model/index.ts';
import {
  type ExemplarRow,
  type HistogramRow,
  LogFollower,
  type LogPosition,
  type LogSink,
  type MetadataRow,
  type SampleBatch,
} from '../../../tsdb/index.ts';
import { INDEX_MAX, keyBehind, type LogKey } from './log-key.ts';
import { sendMetadata, type SentMetadata } from './metadata-sender.ts';
import { Progress } from './progress.ts';
import { RequestSender } from './request-sender.ts';
import { RequestV1 } from './request-v1.ts';
import { RequestV2 } from './request-v2.ts';
import type { Counts, Special } from './send-queue.ts';
import { SentSeries, UNKNOWN } from './sent-series.ts';
import { Shard } from './shard.ts';
import { ShardPlan } from './shard-plan.ts';
import type { RemoteWriteConfig } from './write-config.ts';
import type { QueueMetrics } from './write-metrics.ts';

export type RemoteQueueOptions = {
  readonly config: RemoteWriteConfig;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** `<data>/wal` */
  readonly logDirectory: string;
  readonly progressFile: string;
  /** Where the log ends now: a queue without a past begins here. */
  readonly end: LogPosition;
  /** Progress at this segment or behind was noted of another log than this one. */
  readonly progressBefore: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: QueueMetrics;
  readonly userAgent: string;
  readonly tracer: TracerSource;
};

/** Samples wait for others to go with them anyway, mostly for longer. */
const POLL_MS = 200;
/** Other queues and answers get their turn after so long. */
const READ_SLICE_MS = 20;
const RESHARD_MS = 10_000;
const COLLECT_MS = 30_000;
const STOP_POLL_MS = 20;
/** A request under way may take so long to end by itself. */
const GRACE_MS = 2000;
/** The first metadata goes out when targets have been scraped. */
const FIRST_METADATA_MS = 5000;

export class RemoteQueue {
  readonly #options: RemoteQueueOptions;
  readonly #series: SentSeries;
  readonly #sender: RequestSender;
  readonly #progress: Progress;
  readonly #plan: ShardPlan;
  readonly #request: RequestV1 | RequestV2;
  readonly #follower: LogFollower;
  #shards: Shard[] = [];
  /** Up to here a shard's samples have been dealt with before this run. */
  #handled: readonly LogKey[];
  readonly #key: { segment: number; offset: number; index: number };
  #timer: NodeJS.Timeout | null = null;
  readonly #timers: NodeJS.Timeout[] = [];
  #isStopped = false;
  #isAtEnd = false;
  /** The number of shards to change to, once all that waits is sent. */
  #nextShardCount: number | null = null;
  /** When metadata is to be sent next, by the monotonic clock. */
  #metadataDueMs = Infinity;
  readonly #metadataAbort = new AbortController();
  #traffic = { samplesIn: 0, samplesOut: 0, sendSeconds: 0, sinceMs: 0 };
  /** Time of the first sample that had to be sent. */
  #firstTakenMs: number | null = null;

  constructor(options: RemoteQueueOptions) {
    const { config, externalLabels, clock, userAgent, logger, metrics } = options;
    this.#options = options;
    const { shardsMin, shardsMax, capacity, samplesPerSendMax } = config.queue;
    this.#series = new SentSeries(config.relabelConfigs, externalLabels);
    this.#sender = new RequestSender({
      config,
      clock,
      userAgent,
      observeConnection: metrics.observeConnection,
    });
    this.#progress = new Progress(options.progressFile, logger);
    this.#plan = new ShardPlan(shardsMin, shardsMax);
    this.#request = config.version === 1 ? new RequestV1() : new RequestV2();
    metrics.shardsMin.set(shardsMin);
    metrics.shardsMax.set(shardsMax);
    metrics.shardCapacity.set(capacity);
    metrics.samplesPerSendMax.set(samplesPerSendMax);

    const begun = this.#begin();
    this.#handled = begun.handled;
    this.#key = { ...begun.start };
    this.#follower = new LogFollower({
      directory: options.logDirectory,
      start: { segmentIndex: begun.start.segment, offsetBytes: begun.start.offset },
      sink: this.#sink(),
    });
  }

  /** Begins to read and to send. */
  start(): void {
    const { clock, config } = this.#options;
    this.#traffic.sinceMs = clock.monotonicMs();
    this.#timers.push(
      setInterval(() => this.#lookAtShards(), RESHARD_MS).unref(),
      setInterval(() => this.#collect(), COLLECT_MS).unref(),
    );
    this.#options.logger.info('Starting to follow the log', { shards: this.#shards.length });
    if (config.metadata !== null) this.#metadataDueMs = clock.monotonicMs() + FIRST_METADATA_MS;
    this.#schedule(0);
  }

  get wantsMetadata(): boolean {
    return this.#options.clock.monotonicMs() >= this.#metadataDueMs;
  }

  async sendMetadata(entries: readonly SentMetadata[]): Promise<void> {
    const { config, clock, logger, metrics } = this.#options;
    this.#metadataDueMs = clock.monotonicMs() + config.metadata!.intervalMs;
    const sending = { config, clock, logger, metrics, sender: this.#sender };
    await sendMetadata(entries, sending, this.#metadataAbort.signal);
  }

  /**
   * Ends. What was not sent is sent after the next start.
   * @param flushMs  how long to go on until everything in the log is sent; not at all while it fails
   */
  async stop(flushMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    const endMs = clock.monotonicMs() + flushMs;
    for (const shard of this.#shards) shard.hurry(true);
    if (flushMs > 0) {
      this.#isAtEnd = false;
      this.#schedule(0);
      while (clock.monotonicMs() < endMs && !this.#isFlushed() && !this.#isFailing()) {
        await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
      }
    }
    this.#isStopped = true;
    this.#metadataAbort.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const timer of this.#timers) clearInterval(timer);
    const giveUp = setTimeout(
      () => {
        for (const shard of this.#shards) shard.abort();
      },
      Math.max(GRACE_MS, endMs - clock.monotonicMs()),
    );
    await Promise.all(this.#shards.map((shard) => shard.stop()));
    clearTimeout(giveUp);
    this.#follower.close();
    this.#progress.close();
    await this.#sender.close();
    const left = this.#shards.reduce((sum, { queue }) => sum + queue.count, 0);
    if (left > 0) {
      logger.info('Stopped; samples that wait are sent after the next start', { count: left });
    }
  }

  /** The first segment that holds something to send, and how new what was sent is. */
  get passedOn(): { readonly timestampMs: number; readonly segment: number } {
    let { segmentIndex: segment } = this.#follower.position;
    for (const { queue } of this.#shards) {
      if (queue.count > 0) segment = Math.min(segment, queue.key(0).segment);
    }
    return { timestampMs: this.#passedOnMs, segment };
  }

  /** Before anything was sent: what was sent by an earlier run, or all that there is. */
  get #passedOnMs(): number {
    const sentMs = this.#options.metrics.highestSentSeconds.value * 1000;
    if (sentMs > 0) return sentMs;
    return this.#firstTakenMs ?? this.#options.clock.nowMs();
  }

  /** Current figures that nobody keeps. */
  measure(): void {
    const { metrics } = this.#options;
    const waiting: Counts = { samples: 0, histograms: 0, exemplars: 0 };
    for (const { queue } of this.#shards) {
      waiting.samples += queue.waiting.samples;
      waiting.histograms += queue.waiting.histograms;
      waiting.exemplars += queue.waiting.exemplars;
    }
    metrics.pending.samples.set(waiting.samples);
    metrics.pending.histograms.set(waiting.histograms);
    metrics.pending.exemplars.set(waiting.exemplars);
    metrics.shards.set(this.#shards.length);
    metrics.segment.set(this.#follower.position.segmentIndex);
  }

  /** Where the last run stopped, or now. */
  #begin(): { readonly start: LogKey; readonly handled: readonly LogKey[] } {
    const { config, end, progressBefore, logger } = this.#options;
    const known = this.#progress.read();
    // A log that was cut or replaced numbers its segments anew.
    const isUsable = known?.every(({ sending }) => sending.segment < progressBefore) ?? false;
    if (known === null || !isUsable) {
      if (known !== null) logger.warn('The log is not the one that was sent last time');
      const start = keyBehind(end);
      this.#makeShards(config.queue.shardsMin, start, null);
      return { start, handled: this.#shards.map(() => start) };
    }
    this.#progress.resume();
    const unsure = known.map(({ handled, sending }) => (sending === handled ? null : sending));
    this.#makeShards(known.length, null, unsure);
    const handled = known.map((shard) => shard.handled);
    // Behind the earliest record of which something may have to be sent.
    const start = handled.reduce((a, b) =>
      a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset) ? a : b,
    );
    return { start: { ...start, offset: Math.max(0, start.offset - 1) }, handled };
  }

  /** @param begin  a new progress file from here; null goes on with the one there is */
  #makeShards(
    count: number,
    begin: LogKey | null,
    unsure: readonly (LogKey | null)[] | null,
  ): void {
    const { config, clock, logger, metrics } = this.#options;
    if (begin !== null) this.#progress.begin(count, begin);
    this.#shards = [];
    for (let number = 0; number < count; number++) {
      this.#shards.push(
        new Shard({
          number,
          config,
          clock,
          logger,
          metrics,
          sender: this.#sender,
          tracer: this.#options.tracer,
          progress: this.#progress,
          encode: (queue, entryCount, minMs) =>
            this.#request.encode(this.#series, queue, entryCount, minMs),
          unsure: unsure?.[number] ?? null,
          readUpTo: () => keyBehind(this.#follower.position),
          onSent: (sent, seconds) => this.#onSent(sent, seconds),
        }),
      );
    }
  }

  #onSent(sent: Counts, seconds: number): void {
    this.#traffic.samplesOut += sent.samples + sent.histograms;
    this.#traffic.sendSeconds += seconds;
    if (!this.#isStopped && !this.#isAtEnd) this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#read(), delayMs);
  }

  #read(): void {
    this.#timer = null;
    const { clock, metrics, logger } = this.#options;
    const endMs = clock.monotonicMs() + READ_SLICE_MS;
    const isDraining = this.#nextShardCount !== null;
    let delayMs = 0;
    this.#isAtEnd = false;
    try {
      while (clock.monotonicMs() < endMs) {
        if (isDraining || this.#isFull()) {
          // Goes on when something was sent.
          if (!isDraining) metrics.enqueueRetries.increase();
          delayMs = POLL_MS;
          break;
        }
        if (this.#follower.next()) continue;
        this.#isAtEnd = true;
        delayMs = POLL_MS;
        break;
      }
    } catch (error) {
      logger.error('The log cannot be read', { err: messageOf(error) });
      delayMs = RESHARD_MS;
    }
    for (const shard of this.#shards) shard.wake();
    if (isDraining) this.#tryReshard();
    this.#schedule(delayMs);
  }

  #isFull(): boolean {
    const { capacity, samplesPerSendMax } = this.#options.config.queue;
    const limit = Math.max(capacity, samplesPerSendMax);
    return this.#shards.some(({ queue }) => queue.count >= limit);
  }

  #isFailing(): boolean {
    return this.#shards.some((shard) => shard.isFailing);
  }

  #isFlushed(): boolean {
    return this.#isAtEnd && this.#shards.every((shard) => shard.isEmpty);
  }

  #lookAtShards(): void {
    const { clock, metrics } = this.#options;
    const nowMs = clock.monotonicMs();
    const { samplesIn, samplesOut, sendSeconds, sinceMs } = this.#traffic;
    this.#traffic = { samplesIn: 0, samplesOut: 0, sendSeconds: 0, sinceMs: nowMs };
    const newest = metrics.highestSeconds.value;
    const { desired, shards } = this.#plan.look(this.#shards.length, {
      elapsedSeconds: Math.max(0.001, (nowMs - sinceMs) / 1000),
      samplesIn,
      samplesOut,
      sendSeconds,
      behindSeconds: newest - metrics.highestSentSeconds.value,
    });
    metrics.shardsDesired.set(desired);
    if (shards === this.#shards.length || this.#nextShardCount !== null) return;
    this.#nextShardCount = shards;
    for (const shard of this.#shards) shard.hurry(true);
    this.#schedule(0);
  }

  /** Shards change while nothing waits, so that each sample stays where its progress is noted. */
  #tryReshard(): void {
    const count = this.#nextShardCount!;
    if (!this.#shards.every((shard) => shard.isEmpty)) return;
    this.#options.logger.info('Resharding queues', { from: this.#shards.length, to: count });
    this.#nextShardCount = null;
    const start = { ...this.#key, index: INDEX_MAX };
    this.#makeShards(count, start, null);
    this.#handled = this.#shards.map(() => start);
  }

  /** Forgets series that the log has forgotten. */
  #collect(): void {
    const checkpoint = this.#follower.newCheckpoint();
    if (checkpoint === null) return;
    const waiting = new Set<number>();
    for (const { queue } of this.#shards) {
      for (let i = 0; i < queue.count; i++) waiting.add(queue.series[queue.at(i)]!);
    }
    const moved = this.#series.forgetBefore(
      checkpoint.index + 1,
      (ref, series) => checkpoint.refs.has(ref) || waiting.has(series),
    );
    for (const { queue } of this.#shards) queue.renumber(moved);
  }

  #sink(): LogSink {
    const { config, metrics, logger } = this.#options;
    return {
      series: (ref: number, labels: Labels) => {
        this.#series.add(ref, labels, this.#follower?.position.segmentIndex ?? 0);
      },
      metadata: (rows: readonly MetadataRow[]) => {
        if (config.version === 1) return;
        for (const { ref, metadata } of rows) this.#series.setMetadata(ref, metadata);
      },
      samples: (batch: SampleBatch) => {
        metrics.recordRead('samples');
        this.#takeSamples(batch);
      },
      histograms: (rows: readonly HistogramRow[]) => {
        metrics.recordRead('histogram_samples');
        if (config.sendsHistograms) this.#takeHistograms(rows);
      },
      exemplars: (rows: readonly ExemplarRow[]) => {
        metrics.recordRead('exemplars');
        if (config.sendsExemplars) this.#takeExemplars(rows);
      },
      damaged: (error) => {
        metrics.decodeFailures.increase();
        logger.error('The log is damaged; going on behind it', { err: error.message });
      },
    };
  }

  #beginRecord(): void {
    const { segmentIndex, offsetBytes } = this.#follower.position;
    this.#key.segment = segmentIndex;
    this.#key.offset = offsetBytes;
  }

  #takeSamples(batch: SampleBatch): void {
    this.#beginRecord();
    const { refs, timestampsMs, valueHalves, startTimestampsMs, count } = batch;
    const { metrics } = this.#options;
    const key = this.#key;
    const shardCount = this.#shards.length;
    let newestMs = metrics.highestSeconds.value * 1000;
    let dropped = 0;
    let unknown = 0;
    let taken = 0;
    for (let i = 0; i < count; i++) {
      const ref = refs[i]!;
      const series = this.#series.find(ref);
      if (series < 0) {
        if (series === UNKNOWN) unknown++;
        else dropped++;
        continue;
      }
      const shard = ref % shardCount;
      key.index = i;
      if (this.#isHandled(shard)) continue;
      const timestampMs = timestampsMs[i]!;
      if (timestampMs > newestMs) newestMs = timestampMs;
      this.#firstTakenMs ??= timestampMs;
      this.#shards[shard]!.queue.add(
        series,
        timestampMs,
        valueHalves[i * 2]!,
        valueHalves[i * 2 + 1]!,
        batch.hasStartTimestamps ? startTimestampsMs[i]! : 0,
        null,
        key,
      );
      taken++;
    }
    if (dropped > 0) metrics.dropped('samples', 'dropped_series', dropped);
    if (unknown > 0) metrics.dropped('samples', 'unintentional_dropped_series', unknown);
    metrics.highestSeconds.set(newestMs / 1000);
    this.#traffic.samplesIn += taken;
  }

  #takeHistograms(rows: readonly HistogramRow[]): void {
    this.#beginRecord();
    const { config, metrics } = this.#options;
    rows.forEach(({ ref, timestampMs, startMs, histogram }, index) => {
      if (config.version === 1 && histogram.schema === CUSTOM_BUCKETS_SCHEMA) {
        metrics.dropped('histograms', 'nhcb_in_rw1_not_supported', 1);
        return;
      }
      this.#takeSpecial('histograms', ref, index, timestampMs, startMs, histogram);
    });
  }

  #takeExemplars(rows: readonly ExemplarRow[]): void {
    this.#beginRecord();
    rows.forEach(({ ref, timestampMs, value, labels }, index) => {
      const special: Exemplar & { kind: 'exemplar' } = { kind: 'exemplar', labels, value };
      this.#takeSpecial('exemplars', ref, index, timestampMs, 0, special);
    });
  }

  #takeSpecial(
    kind: 'histograms' | 'exemplars',
    ref: number,
    index: number,
    timestampMs: number,
    startMs: number,
    special: Special | Histogram | FloatHistogram,
  ): void {
    const { metrics } = this.#options;
    const series = this.#series.find(ref);
    if (series < 0) {
      const reason = series === UNKNOWN ? 'unintentional_dropped_series' : 'dropped_series';
      metrics.dropped(kind, reason, 1);
      return;
    }
    const shard = ref % this.#shards.length;
    this.#key.index = index;
    if (this.#isHandled(shard)) return;
    this.#shards[shard]!.queue.add(series, timestampMs, 0, 0, startMs, special, this.#key);
    this.#firstTakenMs ??= timestampMs;
    this.#traffic.samplesIn++;
    const seconds = timestampMs / 1000;
    if (kind === 'histograms' && seconds > metrics.highestSeconds.value) {
      metrics.highestSeconds.set(seconds);
    }
  }

  /** Whether what stands at the current key was dealt with in an earlier run. */
  #isHandled(shard: number): boolean {
    const { segment, offset, index } = this.#handled[shard]!;
    const key = this.#key;
    if (key.segment !== segment) return key.segment < segment;
    if (key.offset !== offset) return key.offset < offset;
    return key.index <= index;
  }
}
