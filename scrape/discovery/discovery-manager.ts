/**
 * All discovery for one purpose (scraping, or notification): runs the mechanisms of every job and
 * passes on what they find, joined per job and not too often.
 */
import {
  CanceledError,
  type Clock,
  type Logger,
  messageOf,
  Registry,
  SILENT_LOGGER,
  unreachable,
} from '../../model/index.ts';
import type { DiscoveryConfig, TargetGroup } from '../config.ts';
import { type DiscoveryMetrics, discoveryMetrics } from './discovery-metrics.ts';
import { createDnsProvider } from './dns.ts';
import { FileProvider } from './file.ts';
import { createHttpProvider } from './http.ts';
import { createPlatformProvider } from './platforms.ts';
import type { DiscoveryProvider, ProviderContext } from './provider.ts';
import { createStaticProvider } from './static.ts';

export type DiscoveryManagerOptions = {
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly registry?: Registry;
  /** Who discovers, in metrics: `scrape` (default) or `notify`. */
  readonly name?: string;
  readonly userAgent: string;
  readonly parseYaml: ProviderContext['parseYaml'];
  /** Takes the complete list of a job, at its first find and at every change. */
  readonly onTargets: (jobName: string, groups: readonly TargetGroup[]) => void;
  /**
   * Longest wait between two updates while changes keep coming, and how long it must be quiet for
   * the next one to go out at once: `--scrape.discovery-reload-interval`.
   */
  readonly updateIntervalMs?: number;
  readonly dnsServers?: readonly string[];
};

/** Mechanisms start together; what they find at once goes out together. */
const GATHER_MS = 20;
/** The wait after the first update in a row; each further one doubles it. */
const WAIT_MIN_MS = 100;
const UPDATE_INTERVAL_MS = 5000;

type Running = {
  readonly config: DiscoveryConfig;
  readonly provider: DiscoveryProvider;
  groups: readonly TargetGroup[];
  /** It could not be started. */
  hasFailed: boolean;
};

export class DiscoveryManager {
  readonly #options: DiscoveryManagerOptions;
  readonly #logger: Logger;
  readonly #metrics: DiscoveryMetrics;
  /** Per job, in the order of its configuration. */
  readonly #jobs = new Map<string, Running[]>();
  /** Jobs with something to pass on. */
  readonly #changed = new Set<string>();
  #lastUpdateMs = -Infinity;
  #waitMs = WAIT_MIN_MS;
  #isWaiting = false;
  readonly #stop = new AbortController();

  constructor(options: DiscoveryManagerOptions) {
    this.#options = options;
    this.#logger = (options.logger ?? SILENT_LOGGER).with({ component: 'discovery manager' });
    this.#metrics = discoveryMetrics(options.registry ?? new Registry(), options.name ?? 'scrape');
  }

  /**
   * Takes other jobs. A mechanism that is configured as before goes on undisturbed; the others are
   * stopped or started. A job without a mechanism finds an empty list.
   */
  applyConfig(configs: ReadonlyMap<string, readonly DiscoveryConfig[]>): void {
    for (const [jobName, running] of this.#jobs) {
      if (configs.has(jobName)) continue;
      for (const { provider } of running) provider.stop();
      this.#jobs.delete(jobName);
      this.#changed.delete(jobName);
      this.#metrics.forget(
        jobName,
        running.map(({ config }) => mechanismOf(config)),
      );
    }
    for (const [jobName, wanted] of configs) {
      const before = this.#jobs.get(jobName) ?? [];
      const now: Running[] = [];
      const fresh: Running[] = [];
      for (const config of wanted) {
        // One that could not be started gets another chance: what it lacks may be there now.
        const same = before.findIndex(
          (other) => !other.hasFailed && sameConfig(other.config, config),
        );
        if (same >= 0) {
          now.push(...before.splice(same, 1));
          continue;
        }
        const running: Running = {
          config,
          provider: this.#create(jobName, config, (error) => this.#failed(jobName, running, error)),
          groups: [],
          hasFailed: false,
        };
        now.push(running);
        fresh.push(running);
      }
      for (const { provider } of before) provider.stop();
      this.#jobs.set(jobName, now);
      this.#mark(jobName);
      for (const running of fresh) {
        running.provider.start((groups) => this.#received(jobName, running, groups));
      }
    }
    this.#countFailed();
  }

  /** The newest list of a job; for tests and for showing. */
  groupsOf(jobName: string): readonly TargetGroup[] {
    const running = this.#jobs.get(jobName) ?? [];
    return running.flatMap(({ groups }, index) =>
      groups.map((group) => ({ ...group, source: `${index}/${group.source}` })),
    );
  }

  stop(): void {
    this.#stop.abort();
    for (const running of this.#jobs.values()) for (const { provider } of running) provider.stop();
    this.#jobs.clear();
    this.#changed.clear();
  }

  #received(jobName: string, running: Running, groups: readonly TargetGroup[]): void {
    this.#metrics.received.increase();
    running.groups = groups;
    if (this.#jobs.get(jobName)?.includes(running) === true) this.#mark(jobName);
  }

  #failed(jobName: string, running: Running, error: unknown): void {
    running.hasFailed = true;
    this.#countFailed();
    this.#logger.error('Cannot create service discovery', {
      type: mechanismOf(running.config),
      config: jobName,
      err: messageOf(error),
    });
  }

  #countFailed(): void {
    const all = [...this.#jobs.values()].flat();
    this.#metrics.failedConfigs.set(all.filter(({ hasFailed }) => hasFailed).length);
  }

  #mark(jobName: string): void {
    this.#changed.add(jobName);
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    void this.#sendLater();
  }

  async #sendLater(): Promise<void> {
    const { clock, updateIntervalMs = UPDATE_INTERVAL_MS } = this.#options;
    const quietMs = clock.monotonicMs() - this.#lastUpdateMs;
    this.#waitMs =
      quietMs >= updateIntervalMs ? WAIT_MIN_MS : Math.min(updateIntervalMs, this.#waitMs * 2);
    const delayMs = Math.max(GATHER_MS, this.#waitMs - quietMs);
    if (delayMs > GATHER_MS) this.#metrics.delayed.increase();
    try {
      await clock.sleep(delayMs, this.#stop.signal);
    } catch (error) {
      if (error instanceof CanceledError) return;
      throw error;
    }
    this.#isWaiting = false;
    this.#lastUpdateMs = clock.monotonicMs();
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const jobName of changed) {
      const groups = this.groupsOf(jobName);
      const targetCount = groups.reduce((sum, { targets }) => sum + targets.length, 0);
      this.#metrics.updated(jobName, targetCount, clock.nowMs());
      this.#metrics.sent.increase();
      this.#options.onTargets(jobName, groups);
    }
  }

  #create(
    jobName: string,
    config: DiscoveryConfig,
    onFailed: (error: unknown) => void,
  ): DiscoveryProvider {
    const { clock, userAgent, parseYaml, dnsServers } = this.#options;
    const context: ProviderContext = {
      clock,
      userAgent,
      parseYaml,
      dnsServers,
      jobName,
      logger: this.#logger,
      metrics: this.#metrics,
    };
    switch (config.kind) {
      case 'static':
        return createStaticProvider(config);
      case 'file':
        return new FileProvider(config, context);
      case 'http':
        return createHttpProvider(config, context);
      case 'dns':
        return createDnsProvider(config, context);
      case 'platform':
        return createPlatformProvider(config, context, onFailed);
      default:
        return unreachable(config);
    }
  }
}

function mechanismOf(config: DiscoveryConfig): string {
  return 'mechanism' in config ? config.mechanism : config.kind;
}

/** Configurations are plain data made by one builder, so equal ones have equal JSON. */
function sameConfig(a: DiscoveryConfig, b: DiscoveryConfig): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
