/** All rule groups: which run, and how they pass from one configuration to the next. */
import type { Labels } from '../../model/index.ts';
import type {
  Alert as WebAlert,
  Rule as WebRule,
  RuleGroup as WebGroup,
  RulesPort,
} from '../../web/index.ts';
import { compareText } from '../../model/index.ts';
import type { Alert } from './alert.ts';
import { endSeries, type GroupSetting, RuleGroup, type RunningRule } from './group.ts';
import type { GroupDefinition } from './rule-definition.ts';

export type RuleTimes = {
  /** `evaluation_interval` */
  readonly intervalMs: number;
  /** `rule_query_offset` */
  readonly queryOffsetMs: number;
};

/** The series of a group that is gone may turn up in another one within so many intervals. */
const ORPHAN_INTERVAL_COUNT = 2;

export class RuleManager implements RulesPort {
  readonly #setting: GroupSetting;
  #groups: readonly RuleGroup[] = [];
  /** Set until the first configuration is in force. */
  #isFirst = true;
  readonly #stop = new AbortController();

  constructor(setting: GroupSetting) {
    this.#setting = setting;
  }

  /**
   * Takes other groups. One that is as before goes on undisturbed; one that changed hands its
   * alerts and series on.
   */
  async apply(definitions: readonly GroupDefinition[], times: RuleTimes): Promise<void> {
    const restores = this.#isFirst;
    this.#isFirst = false;
    const before = new Map(this.#groups.map((group) => [group.label, group]));
    const fresh: RuleGroup[] = [];
    const groups = definitions.map((definition) => {
      const group = new RuleGroup(definition, timesOf(definition, times), this.#setting, restores);
      const same = before.get(group.label);
      if (same?.key === group.key) {
        before.delete(group.label);
        return same;
      }
      fresh.push(group);
      return group;
    });
    for (const group of before.values()) await group.stop();
    for (const group of fresh) {
      const earlier = before.get(group.label);
      if (earlier !== undefined) group.continueFrom(earlier);
      before.delete(group.label);
    }
    this.#groups = groups.toSorted(
      (a, b) =>
        compareText(a.definition.file, b.definition.file) ||
        compareText(a.definition.name, b.definition.name),
    );
    for (const group of before.values()) {
      this.#setting.metrics.forget(group.label);
      void this.#endLater(group);
    }
    for (const group of fresh) group.start(restores);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#groups.map((group) => group.stop()));
  }

  async groups(): Promise<readonly WebGroup[]> {
    return this.#groups.map((group) => ({
      name: group.definition.name,
      file: group.definition.file,
      intervalSeconds: group.intervalMs / 1000,
      limit: group.definition.limit,
      evaluationSeconds: group.evaluationSeconds,
      lastEvaluationMs: group.lastEvaluationMs,
      rules: group.rules.map(webRule),
    }));
  }

  async alerts(): Promise<readonly WebAlert[]> {
    const rules = this.#groups.flatMap((group) => group.rules);
    return rules.flatMap(({ alerting }) => alerting?.active.map(webAlert) ?? []);
  }

  async #endLater(group: RuleGroup): Promise<void> {
    const { clock } = this.#setting;
    const series = new Map<string, Labels>(group.series());
    if (series.size === 0) return;
    try {
      await clock.sleep(ORPHAN_INTERVAL_COUNT * group.intervalMs, this.#stop.signal);
    } catch {
      // Stopped: after a restart they may go on.
      return;
    }
    for (const other of this.#groups) for (const [key] of other.series()) series.delete(key);
    if (series.size > 0) await endSeries(this.#setting, [...series.values()], clock.nowMs());
  }
}

function timesOf(definition: GroupDefinition, times: RuleTimes): RuleTimes {
  return {
    intervalMs: definition.intervalMs ?? times.intervalMs,
    queryOffsetMs: definition.queryOffsetMs ?? times.queryOffsetMs,
  };
}

function webAlert(alert: Alert): WebAlert {
  const { labels, annotations, state, value, activeAtMs, keepFiringSinceMs } = alert;
  return {
    labels: labels.toObject(),
    annotations: annotations.toObject(),
    state,
    activeAtMs,
    keepFiringSinceMs,
    value,
  };
}

function webRule(rule: RunningRule): WebRule {
  const { definition, alerting, health, lastError, evaluationSeconds, lastEvaluationMs } = rule;
  const common = {
    name: definition.name,
    query: definition.query,
    labels: definition.labels.toObject(),
    health,
    lastError,
    evaluationSeconds,
    lastEvaluationMs,
  };
  if (definition.type === 'recording') return { ...common, type: 'recording' };
  return {
    ...common,
    type: 'alerting',
    state: lastEvaluationMs === null ? 'unknown' : alerting!.state,
    durationSeconds: definition.holdMs / 1000,
    keepFiringForSeconds: definition.keepFiringMs / 1000,
    annotations: definition.annotations.toObject(),
    alerts: alerting!.active.map(webAlert),
  };
}
