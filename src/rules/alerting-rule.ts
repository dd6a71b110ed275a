/**
 * An alerting rule: keeps the alerts of its expression and says what to store of them.
 * Source: Prometheus documentation, alerting rules; behaviour of a running 3.14.
 */
import {
  formatHistogram,
  Labels,
  LimitError,
  type Logger,
  MINUTE_MS,
  messageOf,
  METRIC_NAME,
  NarthexError,
} from '../../model/index.ts';
import { type ActiveState, type Alert, needsSending } from './alert.ts';
import type { AlertingDefinition } from './rule-definition.ts';
import type { RuleMetrics } from './rule-metrics.ts';
import type { LatestSamples, RuleQueries, RuleSamples, RuleVector } from './rule-ports.ts';
import { type AlertData, type AlertTemplate, GoText, TemplateError } from './template/index.ts';
import { templateSamples } from './template-samples.ts';

export const ALERT_METRIC = 'ALERTS';
export const ALERT_STATE_METRIC = 'ALERTS_FOR_STATE';
const ALERT_NAME = 'alertname';
const ALERT_STATE = 'alertstate';

/** How long an alert that has ended is remembered, and its end told again. */
const RESOLVED_KEPT_MS = 15 * MINUTE_MS;

/** The result cannot be turned into alerts or series. */
export class RuleError extends NarthexError {
  readonly code = 'RULE';
}

/** What templates may know of the server. */
export type TemplateSetting = {
  readonly externalLabels: () => Readonly<Record<string, string>>;
  readonly externalUrl: string;
  readonly pathPrefix: string;
};

export type AlertingRuleOptions = {
  readonly queries: RuleQueries;
  readonly template: TemplateSetting;
  readonly metrics: RuleMetrics;
  readonly logger: Logger;
  readonly onTransition: (
    rule: AlertingDefinition,
    alert: Alert,
    from: ActiveState,
    atMs: number,
  ) => void;
};

export type RestoreOptions = {
  readonly nowMs: number;
  readonly gracePeriodMs: number;
};

export class AlertingRule {
  readonly definition: AlertingDefinition;
  readonly #options: AlertingRuleOptions;
  /** By label set; those that have ended stay for a while. */
  #alerts = new Map<string, Alert>();
  /** Series are stored only once it is clear what they were before a restart. */
  isRestored: boolean;

  constructor(definition: AlertingDefinition, options: AlertingRuleOptions, isRestored: boolean) {
    this.definition = definition;
    this.#options = options;
    this.isRestored = isRestored;
  }

  /** Pending and firing ones. */
  get active(): readonly Alert[] {
    return [...this.#alerts.values()].filter(({ state }) => state !== 'inactive');
  }

  get state(): ActiveState {
    let state: ActiveState = 'inactive';
    for (const alert of this.#alerts.values()) {
      if (alert.state === 'firing') return 'firing';
      if (alert.state === 'pending') state = 'pending';
    }
    return state;
  }

  /** Goes on where an equal rule of an earlier configuration stopped. */
  continueFrom(earlier: AlertingRule): void {
    this.#alerts = earlier.#alerts;
    this.isRestored = earlier.isRestored;
  }

  /**
   * Brings the alerts up to date with what the expression gives at `timeMs`.
   * @param queryOffsetMs  series are stored so much earlier
   * @throws RuleError, LimitError
   */
  async update(
    result: RuleVector,
    timeMs: number,
    queryOffsetMs: number,
    limit: number,
    signal: AbortSignal,
  ): Promise<Omit<RuleSamples, 'ended'>> {
    const found = await this.#found(result, timeMs, timeMs - queryOffsetMs, signal);
    for (const [key, alert] of found) {
      const known = this.#alerts.get(key);
      if (known !== undefined && known.state !== 'inactive') {
        known.value = alert.value;
        known.annotations = alert.annotations;
        continue;
      }
      this.#alerts.set(key, alert);
      this.#options.onTransition(this.definition, alert, 'inactive', timeMs);
    }
    const activeCount = this.#advance(found, timeMs);
    if (limit > 0 && activeCount > limit) {
      this.#alerts.clear();
      throw new LimitError(`exceeded limit of ${limit} with ${activeCount} alerts`, 'limit');
    }
    return this.#series(timeMs - queryOffsetMs);
  }

  /** Marks those that have to be told now, and gives them as they are at this moment. */
  takeToSend(nowMs: number, resendDelayMs: number, intervalMs: number): readonly Alert[] {
    const taken: Alert[] = [];
    for (const alert of this.#alerts.values()) {
      if (!needsSending(alert, nowMs, resendDelayMs)) continue;
      alert.lastSentAtMs = nowMs;
      // Several failures to evaluate or to send may pass before it counts as over.
      alert.validUntilMs = nowMs + 4 * Math.max(resendDelayMs, intervalMs);
      taken.push({ ...alert });
    }
    return taken;
  }

  /**
   * Puts the beginnings of alerts back to where they were before the server stopped, the time in
   * which nobody looked left out.
   */
  restore(stored: LatestSamples, { nowMs, gracePeriodMs }: RestoreOptions): void {
    const { holdMs } = this.definition;
    this.isRestored = true;
    // A short wait is begun anew: it is over soon enough.
    if (holdMs < gracePeriodMs) return;
    const rows = new Map(stored.labels.map((labels, row) => [labels.withoutName().key, row]));
    for (const alert of this.active) {
      const row = rows.get(alert.labels.key);
      if (row === undefined) continue;
      const downAtMs = stored.timestampsMs[row]!;
      const activeAtMs = stored.values[row]! * 1000;
      const remainingMs = holdMs - (downAtMs - activeAtMs);
      if (remainingMs <= 0) alert.activeAtMs = activeAtMs;
      else if (remainingMs < gracePeriodMs) alert.activeAtMs = nowMs + gracePeriodMs - holdMs;
      else alert.activeAtMs = activeAtMs + (nowMs - downAtMs);
    }
  }

  #advance(found: ReadonlyMap<string, Alert>, timeMs: number): number {
    const { holdMs, keepFiringMs } = this.definition;
    const { onTransition } = this.#options;
    let activeCount = 0;
    for (const [key, alert] of this.#alerts) {
      const { state: from } = alert;
      if (found.has(key)) alert.keepFiringSinceMs = null;
      else {
        if (from === 'firing' && keepFiringMs > 0) {
          alert.keepFiringSinceMs ??= timeMs;
          if (timeMs - alert.keepFiringSinceMs < keepFiringMs) {
            activeCount++;
            continue;
          }
        }
        const isForgotten =
          alert.resolvedAtMs !== null && timeMs - alert.resolvedAtMs > RESOLVED_KEPT_MS;
        if (from === 'pending' || isForgotten) this.#alerts.delete(key);
        if (from !== 'inactive') {
          alert.state = 'inactive';
          alert.resolvedAtMs = timeMs;
          onTransition(this.definition, alert, from, timeMs);
        }
        continue;
      }
      activeCount++;
      if (from === 'pending' && timeMs - alert.activeAtMs >= holdMs) {
        alert.state = 'firing';
        alert.firedAtMs = timeMs;
        onTransition(this.definition, alert, from, timeMs);
      }
    }
    return activeCount;
  }

  #series(timestampMs: number): Omit<RuleSamples, 'ended'> {
    const labels: Labels[] = [];
    const values: number[] = [];
    if (this.isRestored) {
      for (const alert of this.active) {
        const base = alert.labels.with(ALERT_NAME, this.definition.name);
        labels.push(base.with(METRIC_NAME, ALERT_METRIC).with(ALERT_STATE, alert.state));
        values.push(1);
        labels.push(base.with(METRIC_NAME, ALERT_STATE_METRIC));
        values.push(Math.floor(alert.activeAtMs / 1000));
      }
    }
    return { labels, values: Float64Array.from(values), histograms: null, timestampMs };
  }

  async #found(
    result: RuleVector,
    timeMs: number,
    queryMs: number,
    signal: AbortSignal,
  ): Promise<Map<string, Alert>> {
    const { name, labelTemplates, annotationTemplates } = this.definition;
    const found = new Map<string, Alert>();
    for (const [row, labels] of result.labels.entries()) {
      const histogram = result.histograms?.[row] ?? null;
      const value = histogram === null ? result.values[row]! : 0;
      const data: AlertData = {
        labels: labels.toObject(),
        externalLabels: this.#options.template.externalLabels(),
        externalUrl: this.#options.template.externalUrl,
        pathPrefix: this.#options.template.pathPrefix,
        value: histogram === null ? value : new GoText(formatHistogram(histogram)),
        nowMs: timeMs,
      };
      const pairs: [string, string][] = [...labels.withoutName()];
      for (const [label, template] of labelTemplates) {
        pairs.push([label, await this.#expand(template, data, queryMs, signal)]);
      }
      pairs.push([ALERT_NAME, name]);
      const alertLabels = Labels.fromPairs(pairs);
      const annotations: [string, string][] = [];
      for (const [annotation, template] of annotationTemplates) {
        annotations.push([annotation, await this.#expand(template, data, queryMs, signal)]);
      }
      if (found.has(alertLabels.key)) {
        throw new RuleError(
          'vector contains metrics with the same labelset after applying alert labels',
        );
      }
      found.set(alertLabels.key, {
        labels: alertLabels,
        annotations: Labels.fromPairs(annotations),
        state: 'pending',
        value,
        activeAtMs: timeMs,
        firedAtMs: null,
        resolvedAtMs: null,
        lastSentAtMs: null,
        validUntilMs: 0,
        keepFiringSinceMs: null,
      });
    }
    return found;
  }

  /** A template that fails leaves the reason in its place. */
  async #expand(
    template: AlertTemplate,
    data: AlertData,
    queryMs: number,
    signal: AbortSignal,
  ): Promise<string> {
    const { queries, metrics, logger } = this.#options;
    metrics.expansions.increase();
    try {
      return await template.expand(data, async (query) => {
        return templateSamples(await queries.vector(query, queryMs, signal));
      });
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      metrics.expansionFailures.increase();
      logger.warn('Expanding alert template failed', {
        alert: this.definition.name,
        err: messageOf(error),
      });
      return `<error expanding template: ${error.message}>`;
    }
  }
}
