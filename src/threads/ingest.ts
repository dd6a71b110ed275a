/**
 * The writer's side: database and scraping, in one thread, because then nothing needs a lock.
 * Everything that others ask of it comes in as calls of these methods.
 */
import {
  type Appendable,
  type Logger,
  Matcher,
  type MetricFamily,
  type Queryable,
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
import {
  type AgentDb,
  type AgentDbOptions,
  type Db,
  type DbOptions,
  type DbStatus,
  type LogPosition,
  openAgentDb,
  openDb,
  type PassedOn,
  type ReplayProgressReport,
  type SharedDb,
} from '../../tsdb/index.ts';
import { writeExemplarsAnswer } from '../../web/answers/index.ts';
import type { PlainMatcher, PushedGroup, PushRequest, TimeRange } from '../../web/index.ts';
import { collectGarbage } from '../collect-garbage.ts';
import { takeCpuProfile, takeHeapSample } from '../debug/inspect.ts';
import { FileLoggers } from '../file-loggers.ts';
import { REAL_CLOCK } from '../real-clock.ts';
import { OtlpReceiver, type OtlpRequest } from '../remote/otlp-receive.ts';
import { PushGroups } from '../push/push-groups.ts';
import { RemoteWriteReceiver } from '../remote/receive.ts';
import type { WriteReport, WriteVersion } from '../remote/write-batch.ts';
import { Tracing } from '../tracing/tracing.ts';
import type { TracingConfig } from '../tracing/tracing-config.ts';
import { CompactionRunner } from './compaction-runner.ts';
import { handOver, type Handover } from './rpc.ts';
import { appendRuleBatch, type RuleBatch } from './rule-append.ts';

/** Of the database's options, what can be sent to a thread. */
export type PlainDbOptions = Omit<
  DbOptions,
  | 'clock'
  | 'logger'
  | 'registry'
  | 'files'
  | 'random'
  | 'runJob'
  | 'onReplayProgress'
  | 'onBlocksOpen'
>;

/** Of an agent's storage, likewise. */
export type PlainAgentOptions = Omit<
  AgentDbOptions,
  'clock' | 'logger' | 'registry' | 'files' | 'onReplayProgress'
>;

export type ReplayProgress = {
  readonly min: number;
  readonly max: number;
  readonly current: number;
};

/** Sent while the log is read; no answer to anything. */
export type ReplayMessage =
  | { readonly replay: ReplayProgress }
  /** Can be read from now on, without the head. */
  | { readonly blocks: SharedDb };

/** What a configuration means for this thread. */
export type IngestConfig = {
  readonly jobs: readonly ScrapeConfig[];
  /** Tells this server from others, so that they scrape at different moments. */
  readonly offsetSeed: string;
  /** How often what was pushed is stored anew. */
  readonly pushIntervalMs: number;
  readonly db: Parameters<Db['configure']>[0];
  readonly tracing: TracingConfig | null;
};

export type ScrapeOptions = Pick<
  ScrapeManagerOptions,
  | 'userAgent'
  | 'timestampToleranceMs'
  | 'appendMetadata'
  | 'readsStarts'
  | 'synthesizesStarts'
  | 'externalHost'
  | 'listenPort'
>;

const TICK_MS = 1000;
/** Garbage is collected when the number of series ever made has grown by this factor, and rests. */
const GROWTH_UNTIL_COLLECTION = 1.1;

export class Ingest {
  readonly #logger: Logger;
  readonly #registry = new Registry();
  readonly #tell: (message: ReplayMessage) => void;
  readonly #compaction = new CompactionRunner();
  #db: Db | null = null;
  /** In agent mode, instead of the database. */
  #agent: AgentDb | null = null;
  #scrapes: ScrapeManager | null = null;
  #receiver: RemoteWriteReceiver | null = null;
  #otlpReceiver: OtlpReceiver | null = null;
  #pushes: PushGroups | null = null;
  #failureLogs = new FileLoggers();
  readonly #tracing: Tracing;
  #timer: NodeJS.Timeout | null = null;
  /** Series ever made: at the last tick, and when garbage was last collected. */
  #seriesAtTick = 0;
  #seriesAtCollection = -1;

  constructor(logger: Logger, tell: (message: ReplayMessage) => void) {
    this.#logger = logger;
    this.#tell = tell;
    this.#tracing = new Tracing(REAL_CLOCK, logger);
  }

  /** What other threads may call. */
  readonly methods = {
    open: (options: { readonly db: PlainDbOptions; readonly scrape: ScrapeOptions }): SharedDb =>
      this.#open(options.db, options.scrape),
    /** In agent mode, instead of `open`. */
    openAgent: (options: { readonly db: PlainAgentOptions; readonly scrape: ScrapeOptions }) =>
      this.#openAgent(options.db, options.scrape),
    /** The first segment of the log that somebody still reads. */
    holdLog: (segment: number | null) => this.#db?.holdLog(segment),
    truncateAgent: (passedOn: PassedOn) => this.#agent?.truncate(passedOn),
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
    adoptBlocks: (directory: string) => this.#opened.adoptBlocks(directory),
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
    /** Behind what is committed. */
    logEnd: (): LogPosition => (this.#agent ?? this.#opened).logPosition,
    push: (request: PushRequest): string | null => {
      if (this.#pushes === null) throw new Error('the database is not open');
      return this.#pushes.push(request);
    },
    pushedGroups: (): readonly PushedGroup[] => this.#pushes?.list ?? [],
    cpuProfile: (durationMs: number) => takeCpuProfile(durationMs),
    heapSample: (durationMs: number) => takeHeapSample(durationMs),
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
      runJob: (job, shared) => this.#compaction.run(job, shared),
      onReplayProgress: (progress) => {
        if (progress.log === 'wal') this.#tellReplay(progress);
      },
      onBlocksOpen: (blocks) => this.#tell({ blocks }),
    });
    this.#takeIn(this.#db, options.directory, scrape);
    return this.#db.shared;
  }

  #openAgent(options: PlainAgentOptions, scrape: ScrapeOptions): void {
    this.#agent = openAgentDb({
      ...options,
      clock: REAL_CLOCK,
      logger: this.#logger.with({ component: 'agent' }),
      registry: this.#registry,
      onReplayProgress: (progress) => this.#tellReplay(progress),
    });
    this.#takeIn(this.#agent, options.directory, scrape);
  }

  /** As Prometheus does it: the last segment is the one that will be written next. */
  #tellReplay({
    firstSegment: min,
    segment,
    segmentCount,
  }: Omit<ReplayProgressReport, 'log'>): void {
    this.#tell({ replay: { min, max: min + segmentCount, current: min + segment } });
  }

  /** Begins with everything that brings samples. */
  #takeIn(storage: Appendable & Queryable, dataDirectory: string, scrape: ScrapeOptions): void {
    this.#countIncoming();
    this.#scrapes = new ScrapeManager({
      ...scrape,
      appendable: storage,
      clock: REAL_CLOCK,
      logger: this.#logger,
      registry: this.#registry,
      tracer: () => this.#tracing.tracer,
      openFailureLog: (file) => this.#failureLogs.open(file),
    });
    const receiving = {
      storage,
      clock: REAL_CLOCK,
      appendMetadata: scrape.appendMetadata ?? false,
    };
    this.#otlpReceiver = new OtlpReceiver(receiving);
    this.#receiver = new RemoteWriteReceiver({
      ...receiving,
      logger: this.#logger,
      registry: this.#registry,
    });
    this.#pushes = new PushGroups({
      dataDirectory,
      appendable: storage,
      clock: REAL_CLOCK,
      logger: this.#logger,
    });
    this.#pushes.load();
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
  }

  /** What remote write is fed with, whether anybody listens or not. */
  #countIncoming(): void {
    const P = 'prometheus_remote_storage_';
    const registry = this.#registry;
    const incoming = {
      samples: registry.counter(P + 'samples_in_total', 'Float samples that could be sent.'),
      histograms: registry.counter(P + 'histograms_in_total', 'Histograms that could be sent.'),
      exemplars: registry.counter(P + 'exemplars_in_total', 'Exemplars that could be sent.'),
    };
    const newest = registry.gauge(
      P + 'highest_timestamp_in_seconds',
      'Newest timestamp that has come in, in seconds since the epoch.',
    );
    registry.beforeSnapshot(() => {
      const { floats, histograms, exemplars, newestMs } = (this.#agent ?? this.#opened).incoming;
      incoming.samples.value = floats;
      incoming.histograms.value = histograms;
      incoming.exemplars.value = exemplars;
      newest.set(Math.max(0, newestMs / 1000));
    });
  }

  async #configure(config: IngestConfig): Promise<void> {
    const { jobs, offsetSeed, pushIntervalMs, db, tracing } = config;
    await this.#tracing.configure(tracing);
    this.#failureLogs.reopen();
    if (this.#pushes !== null) this.#pushes.intervalMs = pushIntervalMs;
    this.#scraping.applyConfig(jobs, offsetSeed);
    (this.#agent ?? this.#opened).configure(db);
  }

  async #tick(): Promise<void> {
    this.#pushes?.tick();
    if (this.#agent !== null) return;
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
    this.#pushes = null;
    await this.#db?.close();
    this.#db = null;
    await this.#agent?.close();
    this.#agent = null;
    await this.#tracing.stop();
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
