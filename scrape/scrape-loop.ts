/**
 * The rhythm of one target: at each of its slots fetch, read, append, report.
 *
 *   slots   offset + k · interval in wall-clock time; the offset is a hash of the target and of this
 *           server, so that targets are spread, restarts change nothing, and two servers that scrape
 *           the same targets do not do it at the same moment
 *   time    of the samples is the slot's when the scrape begins within 2 ms of it (timestamps at
 *           equal distances take less space), else the moment itself
 */
import {
  type Appendable,
  type Clock,
  type Logger,
  messageOf,
  NO_SERIES,
  type TracerSource,
  ValueError,
} from '../model/index.ts';
import { REPORT_ENTRY } from './append-staged.ts';
import { ClassicFamilies } from './classic-families.ts';
import type { ScrapeConfig } from './config.ts';
import {
  BucketLimitError,
  ExpositionError,
  SampleLimitError,
} from './exposition/exposition-error.ts';
import { negotiatedFormat } from './exposition/negotiate.ts';
import { type FailureKind, failureHint, fetchHint, statusHint } from './hint.ts';
import { FetchError } from './http/fetch-error.ts';
import type { HttpResponse } from './http/http-request.ts';
import { ReportSeries } from './report.ts';
import { LabelLimitError } from './sample-labels.ts';
import type { Appointment, Scheduler } from './scheduler.ts';
import type { ScrapeJob } from './scrape-job.ts';
import type { ScrapeMetrics } from './scrape-metrics.ts';
import type { Target } from './target.ts';
import type { TargetReader } from './target-reader.ts';
import { TargetSeries } from './target-series.ts';

export type LoopContext = {
  readonly appendable: Appendable;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ScrapeMetrics;
  readonly scheduler: Scheduler;
  readonly reader: TargetReader;
  /** Told apart from other servers by this when slots are spread. */
  readonly offsetSeed: string;
  /** A scrape that begins within so many milliseconds of its slot gets the slot's time; 0: none. */
  readonly timestampToleranceMs: number;
  readonly tracer: TracerSource;
};

export type TargetHealth = 'up' | 'down' | 'unknown';

/** How the last scrape went. */
export type TargetState = {
  health: TargetHealth;
  lastError: string;
  /** What to do about the error; empty when there is nothing to say. */
  hint: string;
  /** Null before the first scrape. */
  lastScrapeMs: number | null;
  lastScrapeDurationSeconds: number;
};

/** Why a scrape brought nothing, and what to say about it. */
type Failure = { readonly message: string; readonly hint: string; readonly error: unknown };

/** Clocks that are set apart by more than this have been set anew. */
const CLOCK_STEP_MS = 1000;
/** A removed target's series are ended after so many intervals: it may come back elsewhere. */
const END_AFTER_INTERVALS = 2.1;

export class ScrapeLoop {
  readonly target: Target;
  readonly state: TargetState = {
    health: 'unknown',
    lastError: '',
    hint: '',
    lastScrapeMs: null,
    lastScrapeDurationSeconds: 0,
  };
  readonly series: TargetSeries;
  /** When set, scrapes fail with this text without asking the target. */
  forcedError = '';
  readonly #job: ScrapeJob;
  readonly #context: LoopContext;
  readonly #classic: ClassicFamilies | null;
  readonly #report: ReportSeries;
  readonly #abort = new AbortController();
  #appointment: Appointment | null = null;
  #slotMs = 0;
  /** The same moment by the monotonic clock. */
  #slotDueMs = 0;
  #lastStartMs = NaN;
  #stopped = false;
  #hasReported = false;

  constructor(target: Target, job: ScrapeJob, context: LoopContext) {
    this.target = target;
    this.#job = job;
    this.#context = context;
    const options = job.seriesOptions(target);
    this.series = new TargetSeries(options);
    this.#classic = options.convertClassicHistograms ? new ClassicFamilies() : null;
    this.series.onMove = (moved) => this.#classic?.move(moved);
    this.#report = new ReportSeries(job.config.extraScrapeMetrics, (name) =>
      options.sampleLabels.ofReport(name),
    );
  }

  /** Plans the first scrape, at the next slot. */
  start(): void {
    const { clock, offsetSeed } = this.#context;
    const { scrapeIntervalMs } = this.target;
    const nowMs = clock.nowMs();
    const offsetMs = spreadHash(`${offsetSeed}\n${this.target.key}`) % scrapeIntervalMs;
    const sinceSlotMs = (nowMs - offsetMs) % scrapeIntervalMs;
    this.#slotMs = sinceSlotMs === 0 ? nowMs : nowMs - sinceSlotMs + scrapeIntervalMs;
    this.#slotDueMs = clock.monotonicMs() + (this.#slotMs - nowMs);
    this.#plan();
  }

  /** Takes over from a loop with other settings: what that one left open is this one's to end. */
  succeed(former: ScrapeLoop): void {
    this.series.adopt(former.series);
    Object.assign(this.state, former.state);
    this.#hasReported = former.#hasReported;
  }

  /** Stops at once; a scrape that is under way is dropped. Open series stay open. */
  stop(): void {
    this.#stopped = true;
    if (this.#appointment !== null) this.#appointment.canceled = true;
    this.#abort.abort();
  }

  /**
   * Ends all series some time after `stop`, at the time of the scrape that would have come next.
   * Where the series have gone on meanwhile (another job took the target over), the markers come
   * too late and storage refuses them.
   * @returns the appointment, to be canceled when the server stops
   */
  endSeriesLater(done: () => void): Appointment {
    const { scrapeIntervalMs } = this.target;
    const { clock, scheduler } = this.#context;
    const endMs = this.#slotMs;
    const delayMs = END_AFTER_INTERVALS * scrapeIntervalMs;
    return scheduler.at(clock.monotonicMs() + delayMs, () => {
      this.#endSeries(endMs);
      done();
    });
  }

  #plan(): void {
    this.#appointment = this.#context.scheduler.at(this.#slotDueMs, () => void this.#run());
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#context;
    try {
      await this.#scrape(this.#timestampOfScrape());
    } catch (error) {
      // A bug of ours or a storage that cannot write: this target's next slot is another chance.
      logger.error('Scrape commit failed', {
        scrape_pool: this.#job.config.jobName,
        target: this.target.url,
        err: messageOf(error),
      });
    }
    if (this.#stopped) return;
    const { scrapeIntervalMs } = this.target;
    const lateMs = clock.monotonicMs() - this.#slotDueMs;
    // Slots that passed meanwhile are left out, but for the newest, which is made up for at once.
    const steps = Math.max(1, Math.floor(lateMs / scrapeIntervalMs));
    this.#slotMs += steps * scrapeIntervalMs;
    this.#slotDueMs += steps * scrapeIntervalMs;
    this.#plan();
  }

  #timestampOfScrape(): number {
    const { clock, metrics, timestampToleranceMs } = this.#context;
    const { scrapeIntervalMs, scrapeInterval } = this.target;
    const startMs = clock.monotonicMs();
    if (this.#lastStartMs === this.#lastStartMs) {
      const lengthSeconds = (startMs - this.#lastStartMs) / 1000;
      metrics.intervalLength.labels(scrapeInterval).observe(lengthSeconds);
      metrics.intervalLengthHistogram.labels(scrapeInterval).observe(lengthSeconds);
    }
    this.#lastStartMs = startMs;

    const nowMs = clock.nowMs();
    const expectedMs = nowMs - (startMs - this.#slotDueMs);
    if (Math.abs(expectedMs - this.#slotMs) > CLOCK_STEP_MS) this.#slotMs = Math.round(expectedMs);
    const toleranceMs = Math.min(timestampToleranceMs, scrapeIntervalMs / 100);
    return Math.abs(nowMs - this.#slotMs) <= toleranceMs ? this.#slotMs : nowMs;
  }

  async #scrape(timestampMs: number): Promise<void> {
    const { clock, metrics } = this.#context;
    const startMs = clock.monotonicMs();
    let response: HttpResponse | null = null;
    let failure: Failure | null = null;
    try {
      response = await this.#fetch();
    } catch (error) {
      failure = failureOf(error, this.#job.config);
    }
    if (this.#stopped) return;
    try {
      failure = this.#takeIn(response, failure, timestampMs, startMs);
    } finally {
      response?.release?.();
    }
    const durationSeconds = (clock.monotonicMs() - startMs) / 1000;
    this.state.health = failure === null ? 'up' : 'down';
    this.state.lastError = failure?.message ?? '';
    this.state.hint = failure?.hint ?? '';
    this.state.lastScrapeMs = timestampMs;
    this.state.lastScrapeDurationSeconds = durationSeconds;
    metrics.scrapeDuration.observe(durationSeconds);
    if (failure !== null) this.#logFailure(failure);
  }

  async #fetch(): Promise<HttpResponse> {
    if (this.forcedError !== '') throw new ForcedError(this.forcedError);
    const request = { ...this.#job.request(this.target), signal: this.#abort.signal };
    const span = this.#context.tracer()?.start('Scrape', 'client');
    try {
      const response = await this.#job.fetcher.request(
        span === undefined ? request : { ...request, span },
      );
      if (response.status !== 200) throw new StatusError(response.status, response.statusText);
      return response;
    } finally {
      span?.end();
    }
  }

  /** Reads the body and hands everything to storage; never waits. */
  #takeIn(
    response: HttpResponse | null,
    failed: Failure | null,
    timestampMs: number,
    startMs: number,
  ): Failure | null {
    const { appendable, clock, reader } = this.#context;
    const { series } = this;
    const appender = appendable.appender();
    let failure = failed;
    if (response === null) {
      series.beginWithoutBody(appender, reader.staging, timestampMs);
      series.abandon();
    } else {
      try {
        const contentType = response.headers['content-type'] ?? '';
        const { fallbackScrapeProtocol } = this.#job.config;
        const format = negotiated(contentType, fallbackScrapeProtocol);
        if (format instanceof ValueError) {
          series.beginWithoutBody(appender, reader.staging, timestampMs);
          throw format;
        }
        const { body, spareBytes = 0 } = response;
        reader.read(series, this.#classic, format, body, spareBytes, appender, timestampMs);
        series.finish();
      } catch (error) {
        if (!(error instanceof ExpositionError) && !(error instanceof ValueError)) {
          appender.rollback();
          throw error;
        }
        failure = failureOf(error, this.#job.config, response.body);
        this.#classic?.clear();
        series.abandon();
      }
    }
    const bodySizeBytes = response?.body.length ?? (isTooLarge(failed) ? -1 : 0);
    const durationSeconds = (clock.monotonicMs() - startMs) / 1000;
    this.#stageReport(failure === null, durationSeconds, bodySizeBytes, timestampMs);
    series.append(this.#report);
    appender.commit();
    this.#hasReported = true;
    this.#countTally(failure);
    return failure;
  }

  #stageReport(
    isUp: boolean,
    durationSeconds: number,
    bodySizeBytes: number,
    timestampMs: number,
  ): void {
    const { tally, appender, staging } = this.series;
    const { scrapeTimeoutMs } = this.target;
    const values = [
      isUp ? 1 : 0,
      durationSeconds,
      tally.samplesScraped,
      tally.samplesKept,
      tally.seriesAdded,
      scrapeTimeoutMs / 1000,
      this.#job.config.sampleLimit,
      bodySizeBytes,
    ];
    const { refs, names } = this.#report;
    for (let i = 0; i < names.length; i++) {
      if (refs[i] === NO_SERIES) refs[i] = appender.series(this.#report.labels(i));
      if (refs[i] !== NO_SERIES) staging.push(REPORT_ENTRY - i, refs[i]!, timestampMs, values[i]!);
    }
  }

  #endSeries(timestampMs: number): void {
    const { appendable, reader, logger } = this.#context;
    const { series } = this;
    if (!this.#hasReported) return;
    const appender = appendable.appender();
    try {
      series.beginWithoutBody(appender, reader.staging, timestampMs);
      series.abandon();
      for (const ref of this.#report.refs) {
        if (ref !== NO_SERIES) reader.staging.pushStale(ref, timestampMs);
      }
      series.append(this.#report);
      appender.commit();
    } catch (error) {
      logger.error('Stale append failed', { target: this.target.url, err: messageOf(error) });
    }
  }

  #countTally(failure: Failure | null): void {
    const { metrics, logger } = this.#context;
    const { tally } = this.series;
    metrics.duplicateTimestamp.increase(tally.duplicates);
    metrics.outOfOrder.increase(tally.outOfOrder);
    metrics.outOfBounds.increase(tally.outOfBounds);
    metrics.exemplarOutOfOrder.increase(tally.exemplarsOutOfOrder);
    metrics.cacheFlushForced.increase(tally.cacheFlushesForced);
    const error = failure?.error;
    if (error instanceof SampleLimitError) metrics.exceededSampleLimit.increase();
    else if (error instanceof BucketLimitError) metrics.exceededBucketLimit.increase();
    else if (error instanceof LabelLimitError) metrics.poolExceededLabelLimits.increase();
    else if (isTooLarge(failure)) metrics.exceededBodySizeLimit.increase();

    const about = { scrape_pool: this.#job.config.jobName, target: this.target.url };
    const warn = (count: number, what: string) => {
      if (count > 0) logger.warn(what, { ...about, num_dropped: count });
    };
    warn(tally.outOfOrder, 'Error on ingesting out-of-order samples');
    warn(tally.duplicates, 'Error on ingesting samples with different value but same timestamp');
    warn(
      tally.outOfBounds,
      'Error on ingesting samples that are too old or are too far into the future',
    );
    warn(tally.exemplarsOutOfOrder, 'Error on ingesting out-of-order exemplars');
  }

  #logFailure({ message }: Failure): void {
    const about = { scrape_pool: this.#job.config.jobName, target: this.target.url };
    this.#context.logger.debug('Scrape failed', { ...about, err: message });
    this.#job.failureLog?.error(message, {
      job_name: this.#job.config.jobName,
      target: this.target.url,
    });
  }
}

class ForcedError extends ValueError {}

class StatusError extends ValueError {
  readonly status: number;

  constructor(status: number, statusText: string) {
    super(`server returned HTTP status ${status} ${statusText}`.trimEnd());
    this.status = status;
  }
}

class ContentTypeError extends ValueError {}

function negotiated(...[contentType, fallback]: Parameters<typeof negotiatedFormat>) {
  try {
    return negotiatedFormat(contentType, fallback);
  } catch (error) {
    return new ContentTypeError(messageOf(error), { cause: error });
  }
}

function failureOf(error: unknown, config: ScrapeConfig, body?: Uint8Array): Failure {
  const message = messageOf(error);
  if (error instanceof StatusError) return { message, hint: statusHint(error.status), error };
  const kind = failureKindOf(error);
  const hint = kind === null ? fetchHint(error, config) : failureHint(kind, config, body);
  return { message, hint, error };
}

function failureKindOf(error: unknown): FailureKind | null {
  if (error instanceof ForcedError) return 'target-limit';
  if (error instanceof ContentTypeError) return 'content-type';
  if (error instanceof SampleLimitError) return 'sample-limit';
  if (error instanceof BucketLimitError) return 'bucket-limit';
  if (error instanceof LabelLimitError) return 'label-limit';
  return error instanceof ExpositionError ? 'format' : null;
}

function isTooLarge(failure: Failure | null): boolean {
  return failure?.error instanceof FetchError && failure.error.kind === 'too-large';
}

/** 48 well-mixed bits of a text, the same in every process. */
export function spreadHash(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x9747b28c;
  for (let i = 0; i < text.length; i++) {
    low = Math.imul(low ^ text.charCodeAt(i), 0x01000193);
    high = Math.imul(high ^ low, 0x5bd1e995) ^ (high >>> 15);
  }
  low ^= low >>> 16;
  low = Math.imul(low, 0x85ebca6b);
  low ^= low >>> 13;
  return ((high ^ (high >>> 16)) & 0xffff) * 0x1_0000_0000 + (low >>> 0);
}
