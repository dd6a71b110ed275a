/**
 * Looks now and then whether rules read what does not exist, and says so in a figure, so that an
 * alert can be put on rules that can never fire.
 */
import {
  type Clock,
  type Family,
  type Gauge,
  type Logger,
  messageOf,
  MINUTE_MS,
  type Registry,
} from '../model/index.ts';
import type { AlertInsightPort } from '../web/index.ts';

export type SilentRulesOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly insight: Pick<AlertInsightPort, 'checkRules'>;
};

/** Targets have been scraped by then. */
const FIRST_MS = 2 * MINUTE_MS;
/** Seldom: it may wake up a query worker. */
const EVERY_MS = 10 * MINUTE_MS;

export class SilentRules {
  readonly #options: SilentRulesOptions;
  readonly #selectors: Family<Gauge>;
  #groups: ReadonlySet<string> = new Set();
  readonly #stop = new AbortController();

  constructor(options: SilentRulesOptions) {
    this.#options = options;
    this.#selectors = options.registry.gauges(
      'narthex_rule_group_silent_selectors',
      'The number of selectors in the rules of a group that found no series when last looked at.',
      ['rule_group'],
    );
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stop;
    try {
      await clock.sleep(FIRST_MS, signal);
      for (;;) {
        await this.#check().catch((error: unknown) => {
          if (signal.aborted) throw error;
          logger.warn('Rules could not be checked', { err: messageOf(error) });
        });
        await clock.sleep(EVERY_MS, signal);
      }
    } catch {
      // Stopped.
    }
  }

  async #check(): Promise<void> {
    const counts = new Map<string, number>();
    for (const rule of await this.#options.insight.checkRules(this.#stop.signal)) {
      const group = `${rule.file};${rule.group}`;
      const silentCount = rule.selectors.filter(({ problem }) => problem !== null).length;
      counts.set(group, (counts.get(group) ?? 0) + silentCount);
    }
    for (const group of this.#groups) if (!counts.has(group)) this.#selectors.remove(group);
    for (const [group, count] of counts) this.#selectors.labels(group).set(count);
    this.#groups = new Set(counts.keys());
  }
}
