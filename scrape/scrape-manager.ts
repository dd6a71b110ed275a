/**
 * All scraping of a server: one pool per job. Runs beside the writer of the head; configuration and
 * targets come as plain data, from whatever thread.
 */
import {
  type Appendable,
  type Clock,
  type Labels,
  type Logger,
  Matcher,
  type MatchOperator,
  type MetricMetadata,
  Registry,
  type RelabelStep,
  SILENT_LOGGER,
  NO_TRACER,
  type TracerSource,
} from '../model/index.ts';
import type { LabelRecord, ScrapeConfig, TargetGroup } from './config.ts';
import { globalUrlOf } from './global-url.ts';
import { HttpClient } from './http/http-client.ts';
import { Scheduler } from './scheduler.ts';
import { type Fetcher, ScrapeJob } from './scrape-job.ts';
import type { LoopContext, ScrapeLoop, TargetHealth } from './scrape-loop.ts';
import { dialerMetrics, scrapeMetrics } from './scrape-metrics.ts';
import { ScrapePool } from './scrape-pool.ts';
import { TargetReader } from './target-reader.ts';

export type ScrapeManagerOptions = {
  readonly appendable: Appendable;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly registry?: Registry;
  /** How requests introduce themselves: `Prometheus/3.14.0`. */
  readonly userAgent: string;
  /** `--scrape.adjust-timestamps` and `--scrape.timestamp-tolerance`; 0 adjusts nothing. */
  readonly timestampToleranceMs?: number;
  readonly tracer?: TracerSource;
  /** `--enable-feature=metadata-wal-records`. */
  readonly appendMetadata?: boolean;
  /** Hand start timestamps of metrics to storage. */
  readonly readsStarts?: boolean;
  /** Make them up where a counter has none. */
  readonly synthesizesStarts?: boolean;
  /** Host and port of the external URL, and the port listened on: for `globalUrl`. */
  readonly externalHost?: string;
  readonly listenPort?: string;
  /** How to reach targets; HTTP unless a test says otherwise. */
  readonly createFetcher?: (config: ScrapeConfig) => Fetcher;
  /** A logger into a `scrape_failure_log_file`. */
  readonly openFailureLog?: (file: string) => Logger;
};

export type ActiveTarget = {
  /** Before relabelling. */
  readonly discoveredLabels: LabelRecord;
  /** After relabelling, without those whose names begin with `__`. */
  readonly labels: LabelRecord;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  /** `scrapeUrl` with a loopback host replaced by that of the external URL. */
  readonly globalUrl: string;
  /** Empty when the last scrape succeeded. */
  readonly lastError: string;
  /** What to do about the error; empty when there is none. */
  readonly hint: string;
  /** Null before the first scrape. */
  readonly lastScrapeMs: number | null;
  readonly lastScrapeDurationSeconds: number;
  readonly health: TargetHealth;
  /** Durations as configured, such as `15s`. */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
};

export type DroppedTarget = { readonly discoveredLabels: LabelRecord; readonly scrapePool: string };

export type TargetsAnswer = {
  /** Sorted by pool. */
  readonly active: readonly ActiveTarget[];
  readonly dropped: readonly DroppedTarget[];
  /** Pool → how many were dropped, kept or not. */
  readonly droppedCounts: Readonly<Record<string, number>>;
};

export type TargetsRequest = {
  /** Empty: all pools. */
  readonly scrapePool: string;
  readonly withActive: boolean;
  readonly withDropped: boolean;
};

export type TargetMetadataRequest = {
  /** Must all match the target's labels. */
  readonly matchers: readonly {
    readonly name: string;
    readonly operator: MatchOperator;
    readonly value: string;
  }[];
  /** Empty: all metrics of the target. */
  readonly metric: string;
  /** At most so many targets; negative means all. */
  readonly limit: number;
};

export type TargetMetadata = {
  readonly target: LabelRecord;
  readonly metric: string;
  readonly metadata: MetricMetadata;
};

export type MetadataRequest = {
  /** Empty: all metrics. */
  readonly metric: string;
  /** At most so many metrics, and entries of one metric; negative means all. */
  readonly limit: number;
  readonly limitPerMetric: number;
};

export class ScrapeManager {
  readonly #options: ScrapeManagerOptions;
  readonly #scheduler: Scheduler;
  readonly #reader = new TargetReader();
  readonly #metrics: ReturnType<typeof scrapeMetrics>;
  readonly #registry: Registry;
  readonly #logger: Logger;
  readonly #pools = new Map<string, ScrapePool>();
  /** The newest target groups of each job, also of jobs that are not configured yet. */
  readonly #groups = new Map<string, readonly TargetGroup[]>();
  #offsetSeed = '';
  #stopped = false;

  constructor(options: ScrapeManagerOptions) {
    this.#options = options;
    this.#registry = options.registry ?? new Registry();
    this.#logger = (options.logger ?? SILENT_LOGGER).with({ component: 'scrape manager' });
    this.#metrics = scrapeMetrics(this.#registry);
    this.#scheduler = new Scheduler(options.clock);
    this.#registry.beforeSnapshot(() => this.#measureMetadata());
  }

  /**
   * Takes other jobs. Those that are the same as before are not disturbed; in changed ones the
   * targets that remain go on without a gap; series of removed ones are ended.
   * @param offsetSeed  what tells this server from others (host name, external labels)
   * @throws ValueError when a rule cannot be compiled; then everything stays as it was
   */
  applyConfig(configs: readonly ScrapeConfig[], offsetSeed: string): void {
    const seedChanged = offsetSeed !== this.#offsetSeed;
    // All that can fail comes first.
    const changed: { config: ScrapeConfig; job: ScrapeJob; pool: ScrapePool | undefined }[] = [];
    for (const config of configs) {
      const pool = this.#pools.get(config.jobName);
      if (pool !== undefined && !seedChanged && sameData(pool.config, config)) continue;
      try {
        changed.push({ config, job: this.#createJob(config), pool });
      } catch (error) {
        for (const { job } of changed) void job.fetcher.close();
        if (pool === undefined) this.#metrics.poolsFailed.increase();
        else this.#metrics.poolReloadsFailed.increase();
        throw error;
      }
    }
    this.#offsetSeed = offsetSeed;
    const names = new Set(configs.map(({ jobName }) => jobName));
    for (const [name, pool] of this.#pools) {
      if (names.has(name)) continue;
      pool.stop(true);
      this.#pools.delete(name);
      this.#groups.delete(name);
    }
    for (const { config, job, pool } of changed) {
      if (pool !== undefined) {
        this.#metrics.poolReloads.increase();
        pool.reload(job, this.#context());
        continue;
      }
      this.#metrics.poolsTotal.increase();
      const created = new ScrapePool(job, this.#context());
      this.#pools.set(config.jobName, created);
      const groups = this.#groups.get(config.jobName);
      if (groups !== undefined) created.sync(groups);
    }
  }

  /** Takes what discovery found for a job, replacing all that it found before. */
  setTargets(jobName: string, groups: readonly TargetGroup[]): void {
    if (this.#stopped) return;
    this.#groups.set(jobName, groups);
    this.#pools.get(jobName)?.sync(groups);
  }

  /** Sorted names of the jobs. */
  poolNames(): string[] {
    return [...this.#pools.keys()].sort();
  }

  /** Everything about targets, as plain data. */
  targets(request: TargetsRequest): TargetsAnswer {
    const active: ActiveTarget[] = [];
    const dropped: DroppedTarget[] = [];
    const droppedCounts: Record<string, number> = {};
    for (const scrapePool of this.poolNames()) {
      const pool = this.#pools.get(scrapePool)!;
      droppedCounts[scrapePool] = pool.droppedCount;
      if (request.scrapePool !== '' && request.scrapePool !== scrapePool) continue;
      if (request.withActive) {
        for (const loop of pool.loops()) active.push(this.#activeTarget(scrapePool, loop));
      }
      if (request.withDropped) {
        for (const labels of pool.dropped) {
          dropped.push({ discoveredLabels: labels.toObject(), scrapePool });
        }
      }
    }
    return { active, dropped, droppedCounts };
  }

  /** What a job's target rules do to `labels`, or null when there is no such job. */
  relabelSteps(scrapePool: string, labels: LabelRecord): RelabelStep[] | null {
    return this.#pools.get(scrapePool)?.relabelSteps(labels) ?? null;
  }

  /** Metadata with the targets that sent it. */
  targetMetadata(request: TargetMetadataRequest): TargetMetadata[] {
    const matchers = request.matchers.map(
      ({ name, operator, value }) => new Matcher(name, operator, value),
    );
    const found: TargetMetadata[] = [];
    let targetCount = 0;
    for (const loop of this.#loops()) {
      if (request.limit >= 0 && targetCount >= request.limit) break;
      const { labels } = loop.target;
      if (!matchesAll(labels, matchers)) continue;
      targetCount++;
      const target = labels.toObject();
      for (const [metric, metadata] of this.#reader.metadataOf(loop.series)) {
        if (request.metric !== '' && request.metric !== metric) continue;
        found.push({ target, metric, metadata });
      }
    }
    return found;
  }

  /** Distinct metadata per metric over all targets, sorted by metric. */
  metadata(request: MetadataRequest): { metric: string; entries: MetricMetadata[] }[] {
    const byMetric = new Map<string, Map<string, MetricMetadata>>();
    for (const loop of this.#loops()) {
      for (const [metric, metadata] of this.#reader.metadataOf(loop.series)) {
        if (request.metric !== '' && request.metric !== metric) continue;
        let entries = byMetric.get(metric);
        if (entries === undefined) {
          if (request.limit >= 0 && byMetric.size >= request.limit) continue;
          entries = new Map();
          byMetric.set(metric, entries);
        }
        const { limitPerMetric } = request;
        if (limitPerMetric > 0 && entries.size >= limitPerMetric) continue;
        entries.set(`${metadata.type}\0${metadata.unit}\0${metadata.help}`, metadata);
      }
    }
    return [...byMetric]
      .map(([metric, entries]) => ({ metric, entries: [...entries.values()] }))
      .sort((a, b) => (a.metric < b.metric ? -1 : 1));
  }

  /** Stops all scraping. Series stay open: a restarted server goes on with them. */
  stop(): void {
    this.#stopped = true;
    for (const pool of this.#pools.values()) pool.stop(false);
    this.#pools.clear();
    this.#scheduler.stop();
  }

  *#loops(): Iterable<ScrapeLoop> {
    for (const pool of this.#pools.values()) yield* pool.loops();
  }

  #context(): LoopContext {
    const { appendable, clock, timestampToleranceMs = 2, tracer = NO_TRACER } = this.#options;
    return {
      appendable,
      clock,
      timestampToleranceMs,
      tracer,
      logger: this.#logger,
      metrics: this.#metrics,
      scheduler: this.#scheduler,
      reader: this.#reader,
      offsetSeed: this.#offsetSeed,
    };
  }

  #createJob(config: ScrapeConfig): ScrapeJob {
    const { createFetcher, openFailureLog, appendMetadata = false } = this.#options;
    const { readsStarts = false, synthesizesStarts = false } = this.#options;
    const { scrapeFailureLogFile } = config;
    const fetcher = createFetcher?.(config) ?? this.#createHttpClient(config);
    const failureLog =
      scrapeFailureLogFile === '' ? null : (openFailureLog?.(scrapeFailureLogFile) ?? null);
    return new ScrapeJob(config, fetcher, {
      appendMetadata,
      readsStarts,
      synthesizesStarts,
      failureLog,
    });
  }

  #createHttpClient(config: ScrapeConfig): HttpClient {
    const { clock, userAgent } = this.#options;
    const dialer = dialerMetrics(this.#registry, config.jobName);
    return new HttpClient(config.httpClient, {
      clock,
      userAgent,
      // Longer than any scrape may take, so that the scrape's own deadline decides.
      connectTimeoutMs: config.scrapeTimeoutMs * 2,
      observe: dialer.observe,
    });
  }

  #activeTarget(scrapePool: string, { target, state }: ScrapeLoop): ActiveTarget {
    const { externalHost = '', listenPort = '' } = this.#options;
    return {
      discoveredLabels: target.discoveredLabels.toObject(),
      labels: target.labels.toObject(),
      scrapePool,
      scrapeUrl: target.url,
      globalUrl: globalUrlOf(target.url, externalHost, listenPort),
      ...state,
      scrapeInterval: target.scrapeInterval,
      scrapeTimeout: target.scrapeTimeout,
    };
  }

  #measureMetadata(): void {
    for (const pool of this.#pools.values()) {
      let entryCount = 0;
      let sizeBytes = 0;
      for (const { series } of pool.loops()) {
        const size = series.cache.metadataSize();
        entryCount += size.entryCount;
        sizeBytes += size.sizeBytes;
      }
      this.#metrics.metadataEntries.labels(pool.name).set(entryCount);
      this.#metrics.metadataBytes.labels(pool.name).set(sizeBytes);
    }
  }
}

function matchesAll(labels: Labels, matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => matcher.matches(labels.get(matcher.name)));
}

/** Whether two plain values have the same content, whatever the order of keys. */
function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) =>
    sameData((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
  );
}
