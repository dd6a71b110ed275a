/** A group of rules that are evaluated together: in order, at the same instant, every interval. */
import {
  AppendOutcome,
  carry,
  type Clock,
  type Labels,
  type Logger,
  messageOf,
  type TracerSource,
} from '../../model/index.ts';
import { evaluated } from '../tracing/query-spans.ts';
import type { ActiveState, Alert, AlertTransition } from './alert.ts';
import { batchesOf, type WorkLimit } from './batches.ts';
import { ALERT_STATE_METRIC, AlertingRule, type TemplateSetting } from './alerting-rule.ts';
import { recordedSamples } from './recording-rule.ts';
import {
  type AlertingDefinition,
  type GroupDefinition,
  ruleKey,
  type RuleDefinition,
} from './rule-definition.ts';
import type { GroupMetrics, RuleMetrics } from './rule-metrics.ts';
import type { RuleQueries, RuleSamples, RuleSink } from './rule-ports.ts';
import { groupOffsetMs, nextSlot, slotBefore } from './schedule.ts';

export type GroupSetting = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queries: RuleQueries;
  readonly sink: RuleSink;
  readonly metrics: RuleMetrics;
  readonly template: TemplateSetting;
  readonly send: (rule: AlertingDefinition, alerts: readonly Alert[]) => void;
  /** The changes that one evaluation made; `queryMs` is the moment that its query asked for. */
  readonly onTransitions: (transitions: readonly AlertTransition[], queryMs: number) => void;
  /** `--rules.alert.for-outage-tolerance` */
  readonly outageToleranceMs: number;
  /** `--rules.alert.for-grace-period` */
  readonly gracePeriodMs: number;
  /** `--rules.alert.resend-delay` */
  readonly resendDelayMs: number;
  /** For rules that may be evaluated at the same time; null: one after the other. */
  readonly concurrency: WorkLimit | null;
  readonly tracer?: TracerSource;
};

export type RuleHealth = 'ok' | 'err' | 'unknown';

/** A rule and how it fares. */
export type RunningRule = {
  readonly definition: RuleDefinition;
  /** Null for a recording rule. */
  readonly alerting: AlertingRule | null;
  health: RuleHealth;
  lastError: string;
  evaluationSeconds: number;
  lastEvaluationMs: number | null;
  /** Series of the last evaluation that worked, by label set. */
  series: Map<string, Labels>;
};

export class RuleGroup {
  readonly definition: GroupDefinition;
  readonly intervalMs: number;
  readonly queryOffsetMs: number;
  readonly rules: readonly RunningRule[];
  evaluationSeconds = 0;
  lastEvaluationMs: number | null = null;
  readonly #setting: GroupSetting;
  readonly #metrics: GroupMetrics;
  /** Series of rules that an earlier configuration had; they end with the next evaluation. */
  #orphans = new Map<string, Labels>();
  /** Questions in its name. */
  readonly #queries: RuleQueries;
  readonly #stop = new AbortController();
  /** What is evaluated at the same time. */
  readonly #batches: readonly (readonly RunningRule[])[];
  #running: Promise<void> = Promise.resolve();
  /** Of evaluations under way, by rule. */
  readonly #transitions = new Map<AlertingDefinition, AlertTransition[]>();

  /** @param restores  whether alerts have to find back to where they were before a restart */
  constructor(
    definition: GroupDefinition,
    times: { readonly intervalMs: number; readonly queryOffsetMs: number },
    setting: GroupSetting,
    restores: boolean,
  ) {
    this.definition = definition;
    this.intervalMs = times.intervalMs;
    this.queryOffsetMs = times.queryOffsetMs;
    this.#setting = setting;
    const { file, name } = definition;
    this.#queries = {
      vector: (query, timeMs, signal) =>
        setting.queries.vector(query, timeMs, signal, { file, name }),
      latest: (request, signal) => setting.queries.latest(request, signal),
    };
    this.#metrics = setting.metrics.ofGroup(this.label);
    this.#metrics.intervalSeconds.set(this.intervalMs / 1000);
    this.#metrics.rules.set(definition.rules.length);
    this.rules = definition.rules.map((rule) => ({
      definition: rule,
      alerting: rule.type === 'alerting' ? this.#alertingRule(rule, restores) : null,
      health: 'unknown',
      lastError: '',
      evaluationSeconds: 0,
      lastEvaluationMs: null,
      series: new Map(),
    }));
    this.#batches =
      setting.concurrency === null ? this.rules.map((rule) => [rule]) : batchesOf(this.rules);
  }

  /** As metrics name it. */
  get label(): string {
    return `${this.definition.file};${this.definition.name}`;
  }

  /** Equal for groups of which one can stay in place of the other. */
  get key(): string {
    const { file, name, limit, rules } = this.definition;
    const own = [file, name, limit, this.intervalMs, this.queryOffsetMs];
    return JSON.stringify([...own, ...rules.map(ruleKey)]);
  }

  /** Every series that its rules gave last. */
  *series(): Iterable<readonly [key: string, labels: Labels]> {
    for (const { series } of this.rules) yield* series;
    yield* this.#orphans;
  }

  /** Takes over alerts and series of the group that this one replaces. */
  continueFrom(earlier: RuleGroup): void {
    const left = new Set(earlier.rules);
    this.#orphans = new Map(earlier.#orphans);
    this.evaluationSeconds = earlier.evaluationSeconds;
    this.lastEvaluationMs = earlier.lastEvaluationMs;
    for (const rule of this.rules) {
      const { name, labels, type } = rule.definition;
      const match = [...left].find(
        ({ definition }) =>
          definition.name === name && definition.type === type && definition.labels.equals(labels),
      );
      if (match === undefined) continue;
      left.delete(match);
      rule.series = match.series;
      if (match.alerting !== null) rule.alerting?.continueFrom(match.alerting);
    }
    for (const { series } of left) for (const [key, set] of series) this.#orphans.set(key, set);
  }

  /** @param restores  see the constructor */
  start(restores: boolean): void {
    this.#running = this.#run(restores);
  }

  /** Resolves when the evaluation under way is over. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(restores: boolean): Promise<void> {
    const { clock, logger } = this.#setting;
    const { signal } = this.#stop;
    const { file, name } = this.definition;
    const offsetMs = groupOffsetMs(file, name, this.intervalMs);
    let slotMs = slotBefore(clock.nowMs(), this.intervalMs, offsetMs) + this.intervalMs;
    try {
      for (let count = 1; ; count++) {
        await clock.sleep(Math.max(0, slotMs - clock.nowMs()), signal);
        this.#metrics.iterations.increase();
        await this.evaluate(slotMs);
        // The first evaluation may have come before the first scrapes.
        if (restores && count === 2) await this.restore();
        const next = nextSlot(slotMs, clock.nowMs(), this.intervalMs);
        this.#metrics.iterations.increase(next.missed);
        this.#metrics.missed.increase(next.missed);
        slotMs = next.slotMs;
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.error('A rule group has ended; this is a bug', { file, group: name, err: error });
    }
  }

  async evaluate(timeMs: number): Promise<void> {
    const { clock, metrics, concurrency } = this.#setting;
    const startedMs = clock.monotonicMs();
    this.lastEvaluationMs = clock.nowMs();
    let sampleCount = 0;
    let ruleSeconds = 0;
    for (const batch of this.#batches) {
      const work = batch.map((rule) => {
        const evaluate = () => this.#evaluateRule(rule, timeMs);
        return batch.length === 1 || concurrency === null ? evaluate() : concurrency.run(evaluate);
      });
      for (const count of await Promise.all(work)) sampleCount += count;
      this.#stop.signal.throwIfAborted();
      for (const rule of batch) ruleSeconds += rule.evaluationSeconds;
    }
    await this.#endOrphans(timeMs);
    this.evaluationSeconds = (clock.monotonicMs() - startedMs) / 1000;
    metrics.groupSeconds.observe(this.evaluationSeconds);
    metrics.groupSecondsHistogram.observe(this.evaluationSeconds);
    this.#metrics.lastDurationSeconds.set(this.evaluationSeconds);
    this.#metrics.lastRuleDurationSumSeconds.set(ruleSeconds);
    this.#metrics.lastEvaluationSeconds.set(this.lastEvaluationMs / 1000);
    this.#metrics.lastSamples.set(sampleCount);
  }

  /** Puts alerts back to where they were before the server stopped. */
  async restore(): Promise<void> {
    const { clock, queries, logger, outageToleranceMs, gracePeriodMs } = this.#setting;
    const startedMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    const { file, name: group } = this.definition;
    for (const { alerting, definition } of this.rules) {
      if (alerting === null) continue;
      try {
        const stored = await queries.latest(
          {
            metric: ALERT_STATE_METRIC,
            alertName: definition.name,
            minMs: nowMs - outageToleranceMs,
            maxMs: nowMs,
          },
          this.#stop.signal,
        );
        alerting.restore(stored, { nowMs, gracePeriodMs });
      } catch (error) {
        this.#stop.signal.throwIfAborted();
        alerting.isRestored = true;
        const what = 'Failed to restore "for" state';
        logger.error(what, { file, group, alert: definition.name, err: messageOf(error) });
      }
    }
    this.#metrics.lastRestoreDurationSeconds.set((clock.monotonicMs() - startedMs) / 1000);
  }

  #alertingRule(definition: AlertingDefinition, restores: boolean): AlertingRule {
    const { file, name: group } = this.definition;
    const { template, metrics, logger } = this.#setting;
    const onTransition = (
      rule: AlertingDefinition,
      alert: Alert,
      from: ActiveState,
      atMs: number,
    ) => {
      const { name, query } = rule;
      const { labels, annotations, value, activeAtMs, state: to } = alert;
      const event = { rule: name, query, file, group, labels, annotations, value, activeAtMs };
      const transition = { ...event, ownLabels: rule.labels, from, to, atMs };
      const others = this.#transitions.get(rule);
      if (others === undefined) this.#transitions.set(rule, [transition]);
      else others.push(transition);
    };
    return new AlertingRule(
      definition,
      {
        queries: this.#queries,
        template,
        metrics,
        logger: logger.with({ file, group }),
        onTransition,
      },
      !restores,
    );
  }

  /** @returns how many samples it gave */
  async #evaluateRule(rule: RunningRule, timeMs: number): Promise<number> {
    const { clock, metrics, logger } = this.#setting;
    const { file, name: group } = this.definition;
    const startedMs = clock.monotonicMs();
    rule.lastEvaluationMs = clock.nowMs();
    this.#metrics.evaluations.increase();
    const span = this.#setting.tracer?.()?.start('rule', 'internal');
    span?.set('name', rule.definition.name);
    span?.set('query', evaluated(rule.definition.query));
    const stopped = this.#stop.signal;
    const signal = span === undefined ? stopped : carry(AbortSignal.any([stopped]), span);
    let sampleCount = 0;
    try {
      const samples = await this.#samplesOf(rule, timeMs, signal);
      const refused = await this.#store(rule, samples);
      rule.health = refused === null ? 'ok' : 'err';
      rule.lastError = refused ?? '';
      sampleCount = samples.labels.length;
    } catch (error) {
      // Stopped, not failed: what was known stays.
      if (this.#stop.signal.aborted) return 0;
      rule.health = 'err';
      rule.lastError = messageOf(error);
      span?.fail(rule.lastError);
      this.#metrics.failures.increase();
      const { name } = rule.definition;
      logger.warn('Evaluating rule failed', { file, group, name, err: rule.lastError });
    } finally {
      span?.end();
    }
    rule.evaluationSeconds = (clock.monotonicMs() - startedMs) / 1000;
    metrics.ruleSeconds.observe(rule.evaluationSeconds);
    metrics.ruleSecondsHistogram.observe(rule.evaluationSeconds);
    return sampleCount;
  }

  async #samplesOf(
    rule: RunningRule,
    timeMs: number,
    signal: AbortSignal,
  ): Promise<Omit<RuleSamples, 'ended'>> {
    const { send, resendDelayMs } = this.#setting;
    const { limit } = this.definition;
    const { definition, alerting } = rule;
    const queryMs = timeMs - this.queryOffsetMs;
    const result = await this.#queries.vector(definition.query, queryMs, signal);
    if (definition.type === 'recording') {
      return recordedSamples(definition, result, queryMs, limit);
    }
    const samples = await alerting!
      .update(result, timeMs, this.queryOffsetMs, limit, signal)
      .finally(() => this.#tellTransitions(definition, queryMs));
    signal.throwIfAborted();
    const alerts = alerting!.takeToSend(timeMs, resendDelayMs, this.intervalMs);
    if (alerts.length > 0) send(definition, alerts);
    return samples;
  }

  #tellTransitions(rule: AlertingDefinition, queryMs: number): void {
    const transitions = this.#transitions.get(rule);
    if (transitions === undefined) return;
    this.#transitions.delete(rule);
    this.#setting.onTransitions(transitions, queryMs);
  }

  /** @returns why a sample was refused, or null */
  async #store(rule: RunningRule, samples: Omit<RuleSamples, 'ended'>): Promise<string | null> {
    const series = new Map(samples.labels.map((labels) => [labels.key, labels]));
    const ended = [...rule.series].filter(([key]) => !series.has(key)).map(([, labels]) => labels);
    if (series.size === 0 && ended.length === 0) return null;
    const outcomes = await this.#setting.sink.append({ ...samples, ended });
    const refusedCounts = new Map<number, number>();
    samples.labels.forEach((labels, row) => {
      const outcome = outcomes[row]!;
      if (outcome === AppendOutcome.Ok) return;
      series.delete(labels.key);
      refusedCounts.set(outcome, (refusedCounts.get(outcome) ?? 0) + 1);
    });
    rule.series = series;
    let refused: string | null = null;
    for (const [outcome, numDropped] of refusedCounts) {
      refused = REFUSALS[outcome] ?? 'sample refused';
      const { file, name: group } = this.definition;
      const { name } = rule.definition;
      const fields = { file, group, name, numDropped, err: refused };
      this.#setting.logger.warn('Error on ingesting results from rule evaluation', fields);
    }
    return refused;
  }

  async #endOrphans(timeMs: number): Promise<void> {
    if (this.#orphans.size === 0) return;
    const live = new Set(this.rules.flatMap(({ series }) => [...series.keys()]));
    const ended = [...this.#orphans].filter(([key]) => !live.has(key)).map(([, set]) => set);
    this.#orphans.clear();
    const timestampMs = timeMs - this.queryOffsetMs;
    if (ended.length > 0) await endSeries(this.#setting, ended, timestampMs);
  }
}

/** Writes staleness markers. A failure is reported, not thrown: nothing depends on them. */
export async function endSeries(
  { sink, logger }: Pick<GroupSetting, 'sink' | 'logger'>,
  ended: readonly Labels[],
  timestampMs: number,
): Promise<void> {
  const nothing = { labels: [], values: new Float64Array(0), histograms: null };
  try {
    await sink.append({ ...nothing, timestampMs, ended });
  } catch (error) {
    logger.warn('Stale sample appending failed', { err: messageOf(error) });
  }
}

const REFUSALS: Readonly<Record<number, string>> = {
  [AppendOutcome.OutOfOrder]: 'out of order sample',
  [AppendOutcome.DuplicateTimestamp]: 'duplicate sample for timestamp',
  [AppendOutcome.OutOfBounds]: 'out of bounds',
  [AppendOutcome.TooOld]: 'too old sample',
  [AppendOutcome.SeriesRefused]: 'the memory budget of the head is used up',
};
