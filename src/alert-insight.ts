/** Answers why an alert fires or does not, from the rules, the history and the samples. */
import { type Clock, formatDuration, Labels, ValueError } from '../model/index.ts';
import {
  type Alert,
  type AlertHistoryEntry,
  type AlertHistoryState,
  type AlertingRule,
  type AlertInsightPort,
  type LabelObject,
  type RuleCheck,
  type RulesPort,
  type WhyAnswer,
  type WhyReport,
  type WhyRequest,
} from '../web/index.ts';
import { alertFingerprint, type AlertHistory } from './history/alert-history.ts';
import { seriesLabels } from './history/alert-recorder.ts';
import type { Queries } from './queries.ts';
import type { QuarantinedGroup } from './rules/index.ts';

export type AlertInsightOptions = {
  readonly clock: Clock;
  readonly rules: RulesPort;
  readonly history: AlertHistory;
  readonly queries: Pick<Queries, 'why' | 'checkSelectors'>;
  readonly quarantined: () => readonly QuarantinedGroup[];
};

/** What is asked about, put together from what the request names. */
type Case = {
  readonly query: string;
  readonly timeMs: number;
  readonly labels: LabelObject | null;
  readonly rule: AlertingRule | null;
  readonly event: AlertHistoryEntry | null;
};

/** Rules of one message to a query worker; between two, other work gets its turn. */
const CHECKED_AT_ONCE = 50;

export class AlertInsight implements AlertInsightPort {
  readonly #options: AlertInsightOptions;

  constructor(options: AlertInsightOptions) {
    this.#options = options;
  }

  async why(request: WhyRequest, signal: AbortSignal): Promise<WhyReport> {
    const found = await this.#caseOf(request, signal);
    const { query, timeMs, labels, rule, event } = found;
    const isOwn = (name: string) => Object.hasOwn(rule?.labels ?? {}, name);
    const related = labels === null ? null : seriesLabels(Labels.fromObject(labels), isOwn).flat;
    const answer = await this.#options.queries.why({ query, timeMs, related }, signal);
    const known = this.#stateAt(found);
    const verdict = verdictOf(found, answer, known);
    return { ...answer, query, timeMs, labels, rule, event, state: known?.state ?? null, verdict };
  }

  quarantined(): readonly QuarantinedGroup[] {
    return this.#options.quarantined();
  }

  async checkRules(signal: AbortSignal): Promise<readonly RuleCheck[]> {
    const { rules, queries, clock } = this.#options;
    const groups = await rules.groups(signal);
    const all = groups.flatMap(({ name: group, file, rules: own }) =>
      own.map(({ name, type, query }) => ({ group, file, name, type, query })),
    );
    const checks: RuleCheck[] = [];
    for (let start = 0; start < all.length; start += CHECKED_AT_ONCE) {
      const some = all.slice(start, start + CHECKED_AT_ONCE);
      const job = { queries: some.map(({ query }) => query), timeMs: clock.nowMs() };
      const found = await queries.checkSelectors(job, signal);
      some.forEach((rule, index) => checks.push({ ...rule, selectors: found[index]! }));
    }
    return checks;
  }

  async #caseOf(request: WhyRequest, signal: AbortSignal): Promise<Case> {
    const { eventId, query, labels } = request;
    const nowMs = this.#options.clock.nowMs();
    if (eventId !== null) {
      const event = this.#options.history.entry(eventId);
      if (event === null) throw new ValueError(`no entry ${eventId} in the alert history`);
      const rule = await this.#rule({ ...event, name: event.rule }, signal);
      return {
        query: event.query,
        timeMs: request.timeMs ?? event.atMs,
        labels: labels ?? event.labels,
        rule,
        event,
      };
    }
    const timeMs = request.timeMs ?? nowMs;
    if (query !== null) return { query, timeMs, labels, rule: null, event: null };
    const rule = request.rule === null ? null : await this.#rule(request.rule, signal);
    if (rule === null) throw new ValueError(`no alerting rule ${JSON.stringify(request.rule)}`);
    return { query: rule.query, timeMs, labels, rule, event: null };
  }

  async #rule(
    wanted: NonNullable<WhyRequest['rule']>,
    signal: AbortSignal,
  ): Promise<AlertingRule | null> {
    const fits = (own: string, asked: string) => asked === '' || own === asked;
    for (const group of await this.#options.rules.groups(signal)) {
      if (!fits(group.name, wanted.group) || !fits(group.file, wanted.file)) continue;
      for (const rule of group.rules) {
        if (rule.type === 'alerting' && rule.name === wanted.name) return rule;
      }
    }
    return null;
  }

  /** What the history, or else the rule, knows of the alert at the time in question. */
  #stateAt({ event, labels, timeMs, rule }: Case): Known | null {
    if (event !== null && timeMs === event.atMs) {
      return { state: event.to, sinceMs: event.atMs, activeAtMs: event.activeAtMs };
    }
    if (labels === null) return null;
    const active = rule?.alerts.find((alert) => isSame(alert, labels));
    if (active !== undefined && active.activeAtMs !== null && timeMs >= this.#nowish()) {
      const { state, activeAtMs } = active;
      return { state: state as AlertHistoryState, sinceMs: activeAtMs, activeAtMs };
    }
    const fingerprint = alertFingerprint(Labels.fromObject(labels));
    const last = this.#options.history.lastBefore(fingerprint, timeMs);
    if (last === null) return null;
    return { state: last.to, sinceMs: last.atMs, activeAtMs: last.activeAtMs };
  }

  /** From here on what rules know now holds. */
  #nowish(): number {
    return this.#options.clock.nowMs() - 1000;
  }
}

type Known = {
  readonly state: AlertHistoryState;
  readonly sinceMs: number;
  readonly activeAtMs: number;
};

function isSame(alert: Alert, labels: LabelObject): boolean {
  return Labels.fromObject(alert.labels).key === Labels.fromObject(labels).key;
}

const formatTimestamp = (timeMs: number) => new Date(timeMs).toISOString();

function verdictOf(
  { timeMs, rule, labels }: Case,
  { root, reason }: WhyAnswer,
  known: Known | null,
): string {
  if (reason !== null) {
    const held = known?.state === 'firing' && (rule?.keepFiringForSeconds ?? 0) > 0;
    return held
      ? `It is kept firing by keep_firing_for, though the condition does not hold: ${reason}`
      : `The condition does not hold: ${reason}`;
  }
  const what =
    labels === null
      ? `The condition holds for ${root.relatedCount} series`
      : 'The condition holds for this alert';
  if (rule === null) return what;
  const hold = rule.durationSeconds * 1000;
  const firing = rule.alerts.filter(({ state }) => state === 'firing');
  if (labels === null && firing.length > 0) {
    return `${what}; the rule has ${firing.length} firing alerts now`;
  }
  if (known?.state === 'firing') return `${what}; it fires`;
  if (known?.state === 'pending') {
    const firesAtMs = known.activeAtMs + hold;
    const since = `since ${formatTimestamp(known.activeAtMs)}`;
    const waited = formatDuration(
      Math.max(0, Math.round((timeMs - known.activeAtMs) / 1000)) * 1000,
    );
    return `${what} ${since}, ${waited} long; it fires when it has held for ${formatDuration(hold)}, at ${formatTimestamp(firesAtMs)}`;
  }
  if (rule.health === 'err') return `${what}, but the rule fails: ${rule.lastError}`;
  if (hold > 0) return `${what}; it fires when it has held for ${formatDuration(hold)}`;
  return `${what}; it fires with the next evaluation`;
}
