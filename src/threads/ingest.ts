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
import { FileLoggers } from '../file-loggers.ts';
import { REAL_CLOCK } from '../real-clock.ts';
import { runJobInWorker } from './compaction-runner.ts';
import { handOver, type Handover } from './rpc.ts';

/** Of the database's options, what can be sent to a thread. */
export type PlainDbOptions = Omit<
  DbOptions,
  'clock' | 'logger' | 'registry' | 'files' | 'runJob' | 'onReplayProgress'
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

export class Ingest {
  readonly #logger: Logger;
  readonly #registry = new Registry();
  readonly #onReplay: (progress: ReplayProgress) => void;
  #db: Db | null = null;
  #scrapes: ScrapeManager | null = null;
  #failureLogs = new FileLoggers();
  #timer: NodeJS.Timeout | null = null;

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
    snapshot: ({ directory, withHead }: { directory: string; withHead: boolean }) =>
      this.#opened.snapshot(directory, withHead),
    deleteSeries: (request: TimeRange & { readonly sets: readonly (readonly PlainMatcher[])[] }) =>
      this.#deleteSeries(request),
    cleanTombstones: () => this.#opened.cleanTombstones(),
    /** After a reading thread died: what it held can be used again. */
    releaseReader: (owner: number) => this.#opened.releaseReader(owner),
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
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    return this.#db.shared;
  }

  #configure({ jobs, offsetSeed, db }: IngestConfig): void {
    this.#failureLogs.reopen();
    this.#scraping.applyConfig(jobs, offsetSeed);
    this.#opened.configure(db);
  }

  async #tick(): Promise<void> {
    try {
      await this.#opened.tick();
    } catch (error) {
      this.#logger.error('Background work failed', { component: 'tsdb', err: error });
    }
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
