/** The targets of one job: made from what discovery finds, each with a loop of its own. */
import { formatDuration, Labels, type RelabelStep } from '../model/index.ts';
import type { LabelRecord, ScrapeConfig, TargetGroup } from './config.ts';
import type { Appointment } from './scheduler.ts';
import type { ScrapeJob } from './scrape-job.ts';
import { type LoopContext, ScrapeLoop } from './scrape-loop.ts';
import { targetsOfGroup } from './target.ts';

export class ScrapePool {
  #job: ScrapeJob;
  #context: LoopContext;
  /** By the key of their targets. */
  readonly #loops = new Map<string, ScrapeLoop>();
  #groups: readonly TargetGroup[] = [];
  /** Discovered labels of targets that relabelling dropped, as many as are to be kept. */
  dropped: readonly Labels[] = [];
  droppedCount = 0;
  /** Series of removed targets that are about to be ended. */
  readonly #endings = new Set<Appointment>();

  constructor(job: ScrapeJob, context: LoopContext) {
    this.#job = job;
    this.#context = context;
    const { jobName, targetLimit } = job.config;
    const { metrics } = context;
    metrics.poolTargetLimit.labels(jobName).set(targetLimit);
    metrics.poolTargets.labels(jobName);
    // Labels are not interned here, so the table that this counts has nothing in it.
    metrics.poolSymbols.labels(jobName);
    metrics.syncFailed.labels(jobName);
    metrics.poolSyncs.labels(jobName);
  }

  get name(): string {
    return this.#job.config.jobName;
  }

  get config(): ScrapeConfig {
    return this.#job.config;
  }

  loops(): Iterable<ScrapeLoop> {
    return this.#loops.values();
  }

  /** Takes another list of what was found; targets that stay are not disturbed. */
  sync(groups: readonly TargetGroup[]): void {
    const { clock, metrics } = this.#context;
    const startMs = clock.monotonicMs();
    this.#groups = groups;
    const wanted = this.#wantedTargets();
    for (const [key, loop] of this.#loops) {
      if (!wanted.has(key)) this.#remove(key, loop);
    }
    for (const [key, makeLoop] of wanted) {
      if (this.#loops.has(key)) continue;
      const loop = makeLoop();
      this.#loops.set(key, loop);
      loop.start();
    }
    this.#applyTargetLimit();
    const lengthSeconds = (clock.monotonicMs() - startMs) / 1000;
    metrics.syncLength.labels(this.name).observe(lengthSeconds);
    metrics.syncLengthHistogram.labels(this.name).observe(lengthSeconds);
    metrics.poolSyncs.labels(this.name).increase();
    metrics.poolTargets.labels(this.name).set(this.#loops.size);
  }

  /** Goes on under other settings: loops start anew, and no series is ended that goes on. */
  reload(job: ScrapeJob, context: LoopContext): void {
    const { clock, metrics } = context;
    const startMs = clock.monotonicMs();
    const former = new Map(this.#loops);
    void this.#job.fetcher.close();
    this.#job = job;
    this.#context = context;
    for (const loop of former.values()) loop.stop();
    this.#loops.clear();
    metrics.poolTargetLimit.labels(this.name).set(job.config.targetLimit);
    // Keys hold the interval; what a target is called is enough to be its successor.
    const byLabels = new Map(Array.from(former.values(), (loop) => [loop.target.labels.key, loop]));
    const wanted = this.#wantedTargets();
    for (const [key, makeLoop] of wanted) {
      const loop = makeLoop();
      const before = former.get(key) ?? byLabels.get(loop.target.labels.key);
      if (before !== undefined) {
        loop.succeed(before);
        byLabels.delete(before.target.labels.key);
      }
      this.#loops.set(key, loop);
      loop.start();
    }
    for (const loop of byLabels.values()) this.#endLater(loop);
    this.#applyTargetLimit();
    metrics.poolTargets.labels(this.name).set(this.#loops.size);
    const interval = formatDuration(job.config.scrapeIntervalMs);
    metrics.reloadLength.labels(interval).observe((clock.monotonicMs() - startMs) / 1000);
  }

  /** What each rule does to `labels`. */
  relabelSteps(labels: LabelRecord): RelabelStep[] {
    return this.#job.targetRelabeler.steps(Labels.fromObject(labels));
  }

  /**
   * Stops all loops.
   * @param endSeries  the job is gone for good, so its series are ended some time later; otherwise
   *                   the server stops, and they go on when it is back
   */
  stop(endSeries: boolean): void {
    for (const loop of this.#loops.values()) {
      loop.stop();
      if (endSeries) this.#endLater(loop);
    }
    this.#loops.clear();
    if (!endSeries) for (const appointment of this.#endings) appointment.canceled = true;
    const { metrics } = this.#context;
    const perPool = [
      metrics.poolTargetLimit,
      metrics.poolTargets,
      metrics.poolSymbols,
      metrics.poolSyncs,
      metrics.syncLength,
      metrics.syncLengthHistogram,
      metrics.syncFailed,
      metrics.metadataEntries,
      metrics.metadataBytes,
    ];
    for (const family of perPool) family.remove(this.name);
    void this.#job.fetcher.close();
  }

  /** Ways to make the loops that there should be, by key; also notes what relabelling drops. */
  #wantedTargets(): Map<string, () => ScrapeLoop> {
    const { metrics, logger } = this.#context;
    const job = this.#job;
    const { config, targetRelabeler } = job;
    const keepMax = config.keepDroppedTargets > 0 ? config.keepDroppedTargets : Infinity;
    const wanted = new Map<string, () => ScrapeLoop>();
    const dropped: Labels[] = [];
    this.droppedCount = 0;
    this.#groups.forEach((group, groupIndex) => {
      targetsOfGroup(group, config, targetRelabeler).forEach((outcome, index) => {
        if (outcome.kind === 'target') {
          const { target } = outcome;
          wanted.set(target.key, () => new ScrapeLoop(target, job, this.#context));
        } else if (outcome.kind === 'dropped') {
          this.droppedCount++;
          if (dropped.length < keepMax) dropped.push(outcome.discoveredLabels);
        } else {
          metrics.syncFailed.labels(this.name).increase();
          logger.error('Creating target failed', {
            scrape_pool: this.name,
            err: `instance ${index} in group ${groupIndex}: ${outcome.problem}`,
          });
        }
      });
    });
    this.dropped = dropped;
    return wanted;
  }

  #applyTargetLimit(): void {
    const { targetLimit } = this.#job.config;
    const count = this.#loops.size;
    const exceeded = targetLimit > 0 && count > targetLimit;
    if (exceeded) this.#context.metrics.poolExceededTargetLimit.increase();
    const error = exceeded
      ? `target_limit exceeded (number of targets: ${count}, limit: ${targetLimit})`
      : '';
    for (const loop of this.#loops.values()) loop.forcedError = error;
  }

  #remove(key: string, loop: ScrapeLoop): void {
    this.#loops.delete(key);
    loop.stop();
    this.#endLater(loop);
  }

  #endLater(loop: ScrapeLoop): void {
    const appointment = loop.endSeriesLater(() => this.#endings.delete(appointment));
    this.#endings.add(appointment);
  }
}
