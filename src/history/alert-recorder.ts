/**
 * Puts what happens to alerts into the history. The samples behind a change are asked of a query
 * worker afterwards, one evaluation at a time, so that a flood of changes delays nobody.
 */
import { type Clock, Labels, type Logger, messageOf } from '../../model/index.ts';
import type { Queries } from '../queries.ts';
import type { AlertTransition } from '../rules/index.ts';
import { alertFingerprint, type AlertHistory, type TransitionEntry } from './alert-history.ts';

export type AlertRecorderOptions = {
  readonly history: AlertHistory;
  readonly queries: Pick<Queries, 'transitionSamples'>;
  readonly clock: Clock;
  readonly logger: Logger;
};

type Job = { readonly entries: readonly TransitionEntry[]; readonly queryMs: number };

/** Changes of one evaluation whose samples are kept; of a mass of alerts the first tell enough. */
const SAMPLED_COUNT_MAX = 500;
/** Evaluations whose samples wait to be asked for; of others only the changes are kept. */
const WAITING_COUNT_MAX = 50;

/** Labels of an alert that come from its series. @param isOwn  of its rule, which names the alert */
export function seriesLabels(labels: Labels, isOwn: (name: string) => boolean): Labels {
  return Labels.fromPairs([...labels].filter(([name]) => name !== 'alertname' && !isOwn(name)));
}

export class AlertRecorder {
  readonly #options: AlertRecorderOptions;
  readonly #waiting: Job[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> | null = null;

  constructor(options: AlertRecorderOptions) {
    this.#options = options;
  }

  addTransitions(transitions: readonly AlertTransition[], queryMs: number): void {
    const { history } = this.#options;
    const entries = transitions.map((transition) => history.addTransition(transition));
    if (this.#waiting.length >= WAITING_COUNT_MAX || this.#stop.signal.aborted) return;
    this.#waiting.push({ entries: entries.slice(0, SAMPLED_COUNT_MAX), queryMs });
    this.#running ??= this.#askAll();
  }

  addDelivery(
    url: string,
    alerts: readonly { readonly ruleLabels: Labels; readonly isResolved: boolean }[],
    error: string | null,
  ): void {
    const { history, clock } = this.#options;
    const atMs = clock.nowMs();
    for (const { ruleLabels, isResolved } of alerts) {
      const fingerprint = alertFingerprint(ruleLabels);
      history.addDelivery({ fingerprint, atMs, url, isResolved, error });
    }
  }

  /** Gives up what waits and writes what there is; the file can be closed afterwards. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waiting.length = 0;
    await this.#running;
    this.#options.history.close();
  }

  async #askAll(): Promise<void> {
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      await this.#ask(job);
    }
    this.#running = null;
  }

  async #ask({ entries, queryMs }: Job): Promise<void> {
    const { history, queries, logger } = this.#options;
    const [first] = entries;
    if (first === undefined) return;
    const { query, rule } = first.transition;
    const alerts = entries.map(({ transition: { labels, ownLabels } }) => {
      return seriesLabels(labels, (name) => ownLabels.has(name)).flat;
    });
    try {
      const samples = await queries.transitionSamples(
        { query, timeMs: queryMs, alerts },
        this.#stop.signal,
      );
      history.addSamples(entries, samples);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      logger.debug('No samples for the alert history', { alert: rule, err: messageOf(error) });
    }
  }
}
