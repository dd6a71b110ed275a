/**
 * The writer's side: database and scraping, in one thread, because then nothing needs a lock.
 * Everything that others ask of it comes in as calls of these methods.
 */
import {
  type Logger,
  Matcher,
  type MetricFamily,
  Registry,
  type RelabelConfig,
  type RelabelStep,
} from '../../model/index.ts';
import {
  type LabelRecord,
  type MetadataRequest,
  type ScrapeConfig,
  ScrapeManager,
  type ScrapeManagerOptions,
  type TargetGroup,
  type TargetMetadataRequest,
  type TargetsRequest,
} from '../../scrape/index.ts';
import { type Db, type DbOptions, type DbStatus, openDb, type SharedDb } from '../../tsdb/index.ts';
import { writeExemplarsAnswer } from '../../web/answers/index.ts';
import type { PlainMatcher, TimeRange } from '../../web/index.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { FileLoggers } from '../file-loggers.ts';
import { REAL_CLOCK } from '../real-clock.ts';
import { OtlpReceiver, type OtlpRequest } from '../remote/otlp-receive.ts';
import { RemoteWriteReceiver } from '../remote/receive.ts';
import type { WriteReport, WriteVersion } from '../remote/write-batch.ts';
import { runJobInWorker } from './compaction-runner.ts';
import { handOver, type Handover } from './rpc.ts';
import { appendRuleBatch, type RuleBatch } from './rule-append.ts';

/** Of the database's options, what can be sent to a thread. */
export type PlainDbOptions = Omit<
  DbOptions,
  'clock' | 'logger' | 'registry' | 'files' | 'random' | 'runJob' | 'onReplayProgress'
>;

export type ReplayProgress = {
  readonly min: number;
  readonly max: number;
  readonly current: number;
};

/** Sent while the log is read; no answer to anything. */
export type ReplayMessage = { readonly replay: ReplayProgress };

/** What a configuration means for this thread. */
export type IngestConfig = {
  readonly jobs: readonly ScrapeConfig[];
  /** Tells this server from others, so that they scrape at different moments. */
  readonly offsetSeed: string;
  readonly db: Parameters<Db['configure']>[0];
};

export type ScrapeOptions = Pick<
  ScrapeManagerOptions,
  'userAgent' | 'timestampToleranceMs' | 'appendMetadata' | 'externalHost' | 'listenPort'
>;

const TICK_MS = 1000;
/** Garbage is collected when the number of series ever made has grown by this factor, and rests. */
const GROWTH_UNTIL_COLLECTION = 1.1;

export class Ingest {
  readonly #logger: Logger;
  readonly #registry = new Registry();
  readonly #onReplay: (progress: ReplayProgress) => void;
  #db: Db | null = null;
  #scrapes: ScrapeManager | null = null;
  #receiver: RemoteWriteReceiver | null = null;
  #otlpReceiver: OtlpReceiver | null = null;
  #failureLogs = new FileLoggers();
  #timer: NodeJS.Timeout | null = null;
  /** Series ever made: at the last tick, and when garbage was last collected. */
  #seriesAtTick = 0;
  #seriesAtCollection = -1;

  constructor(logger: Logger, onReplay: (progress: ReplayProgress) => void) {
    this.#logger = logger;
    this.#onReplay = onReplay;
  }

  /** What other threads may call. */
  readonly methods = {
    open: (options: { readonly db: PlainDbOptions; readonly scrape: ScrapeOptions }): SharedDb =>
      this.#open(options.db, options.scrape),
    /** All or nothing. */
    configure: (config: IngestConfig) => this.#configure(config),
    setTargets: ({ jobName, groups }: { jobName: string; groups: readonly TargetGroup[] }) =>
      this.#scraping.setTargets(jobName, groups),
    targets: (request: TargetsRequest) => this.#scraping.targets(request),
    poolNames: () => this.#scraping.poolNames(),
    relabelSteps: ({ scrapePool, labels }: { scrapePool: string; labels: LabelRecord }) =>
      this.#scraping.relabelSteps(scrapePool, labels)?.map(plainStep) ?? null,
    targetMetadata: (request: TargetMetadataRequest) => this.#scraping.targetMetadata(request),
    metadata: (request: MetadataRequest) => this.#scraping.metadata(request),
    status: (limit: number): DbStatus => this.#opened.status(limit),
    exemplars: (request: TimeRange & { readonly sets: readonly (readonly PlainMatcher[])[] }) =>
      this.#exemplars(request),
    appendRules: (batch: RuleBatch) => appendRuleBatch(this.#opened, batch),
    snapshot: ({ directory, withHead }: { directory: string; withHead: boolean }) =>
      this.#opened.snapshot(directory, withHead),
    deleteSeries: (request: TimeRange & { readonly sets: readonly (readonly PlainMatcher[])[] }) =>
      this.#deleteSeries(request),
    cleanTombstones: () => this.#opened.cleanTombstones(),
    /** After a reading thread died: what it held can be used again. */
    releaseReader: (owner: number) => this.#opened.releaseReader(owner),
    /** A request of remote write, as received. */
    remoteWrite: ({ version, body }: { version: WriteVersion; body: Uint8Array }): WriteReport => {
      if (this.#receiver === null) throw new Error('the database is not open');
      return this.#receiver.write(version, body);
    },
    otlpWrite: (request: OtlpRequest): void => {
      if (this.#otlpReceiver === null) throw new Error('the database is not open');
      this.#otlpReceiver.write(request);
    },
    metrics: (): MetricFamily[] => this.#registry.snapshot(),
    close: () => this.#close(),
  };

  get #opened(): Db {
    if (this.#db === null) throw new Error('the database is not open');
    return this.#db;
  }

  get #scraping(): ScrapeManager {
    if (this.#scrapes === null) throw new Error('the database is not open');
    return this.#scrapes;
  }

  #open(options: PlainDbOptions, scrape: ScrapeOptions): SharedDb {
    this.#db = openDb({
      ...options,
      clock: REAL_CLOCK,
      logger: this.#logger.with({ component: 'tsdb' }),
      registry: this.#registry,
      runJob: runJobInWorker,
      onReplayProgress: ({ log, segment, segmentCount }) => {
        if (log === 'wal') this.#onReplay({ min: 0, max: segmentCount - 1, current: segment });
      },
    });
    this.#scrapes = new ScrapeManager({
      ...scrape,
      appendable: this.#db,
      clock: REAL_CLOCK,
      logger: this.#logger,
      registry: this.#registry,
      openFailureLog: (file) => this.#failureLogs.open(file),
    });
    const receiving = {
      storage: this.#db,
      clock: REAL_CLOCK,
      appendMetadata: scrape.appendMetadata ?? false,
    };
    this.#otlpReceiver = new OtlpReceiver(receiving);
    this.#receiver = new RemoteWriteReceiver({
      ...receiving,
      logger: this.#logger,
      registry: this.#registry,
    });
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    return this.#db.shared;
  }

  #configure({ jobs, offsetSeed, db }: IngestConfig): void {
    this.#failureLogs.reopen();
    this.#scraping.applyConfig(jobs, offsetSeed);
    this.#opened.configure(db);
  }

  async #tick(): Promise<void> {
    this.#tidyUp();
    try {
      await this.#opened.tick();
    } catch (error) {
      this.#logger.error('Background work failed', { component: 'tsdb', err: error });
    }
  }

  /** Series that are new leave garbage behind, those that go on do not. */
  #tidyUp(): void {
    const { createdSeries } = this.#opened.head.counters;
    const isQuiet = createdSeries === this.#seriesAtTick;
    this.#seriesAtTick = createdSeries;
    if (!isQuiet || createdSeries <= this.#seriesAtCollection * GROWTH_UNTIL_COLLECTION) return;
    this.#seriesAtCollection = createdSeries;
    collectGarbage();
  }

  #exemplars(
    request: TimeRange & { readonly sets: readonly (readonly PlainMatcher[])[] },
  ): Handover<Uint8Array> {
    const found = this.#opened.exemplars(request.minMs, request.maxMs, matcherSets(request.sets));
    return handOver(writeExemplarsAnswer(found));
  }

  async #deleteSeries(
    request: TimeRange & { readonly sets: readonly (readonly PlainMatcher[])[] },
  ): Promise<void> {
    for (const matchers of matcherSets(request.sets)) {
      await this.#opened.deleteSeries(request.minMs, request.maxMs, matchers);
    }
  }

  async #close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#scrapes?.stop();
    this.#scrapes = null;
    this.#receiver = null;
    this.#otlpReceiver = null;
    await this.#db?.close();
    this.#db = null;
    this.#failureLogs.close();
  }
}
export type IngestMethods = Ingest['methods'];

type PlainStep = {
  readonly rule: RelabelConfig;
  readonly output: LabelRecord;
  readonly keep: boolean;
};

function plainStep({ rule, output, keep }: RelabelStep): PlainStep {
  return { rule, output: output.toObject(), keep };
}

function matcherSets(sets: readonly (readonly PlainMatcher[])[]): readonly (readonly Matcher[])[] {
  return sets.map((set) =>
    set.map(({ name, operator, value }) => new Matcher(name, operator, value)),
  );
}
