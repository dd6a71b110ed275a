/**
 * Alerts of one receiver in groups, and when each group has something to say: after a wait for the
 * first time, then at intervals when something has changed, and again after a longer while when
 * nothing has. Pure but for the store: time comes in as an argument.
 */
import type { LabelObject } from '../../../web/index.ts';
import type { OutgoingAlert } from '../outgoing-alert.ts';
import { fingerprintOf, type Message, type MessageAlert } from './message.ts';
import type { ReceiverConfig } from './receiver-config.ts';

/** What survives a restart of a group: it is what the receiver believes. */
export type StoredGroup = {
  readonly key: string;
  readonly labels: LabelObject;
  /** Told as firing, and not yet as resolved. */
  readonly told: readonly MessageAlert[];
  readonly toldMs: number;
};

export interface GroupStore {
  load(receiver: string): readonly StoredGroup[];
  save(receiver: string, group: StoredGroup): void;
  remove(receiver: string, key: string): void;
}

type Group = {
  readonly key: string;
  readonly labels: LabelObject;
  readonly alerts: Map<string, MessageAlert>;
  /** Known from before a restart and not heard of since: whether they go on is open. */
  readonly unheard: Set<string>;
  /** As in {@link StoredGroup}, by fingerprint. */
  told: Map<string, MessageAlert>;
  /** Null before the first message. */
  toldMs: number | null;
  flushedMs: number | null;
  /** When it is looked at again. */
  dueMs: number;
};

export type AlertGroupsOptions = {
  readonly config: ReceiverConfig;
  readonly store: GroupStore;
  readonly externalUrl: string;
  /** After a start: how long rules have to find their alerts again before those count as ended. */
  readonly graceMs: number;
};

export class AlertGroups {
  readonly #options: AlertGroupsOptions;
  readonly #groups = new Map<string, Group>();

  constructor(options: AlertGroupsOptions, nowMs: number) {
    this.#options = options;
    const { config, store, graceMs } = options;
    for (const { key, labels, told, toldMs } of store.load(config.name)) {
      const again = told.map((alert): [string, MessageAlert] => [
        alert.fingerprint,
        { ...alert, endsAtMs: Math.max(alert.endsAtMs, nowMs + graceMs) },
      ]);
      const group: Group = {
        key,
        labels,
        alerts: new Map(again),
        unheard: new Set(told.map(({ fingerprint }) => fingerprint)),
        told: new Map(again),
        toldMs,
        flushedMs: toldMs,
        dueMs: 0,
      };
      group.dueMs = this.#nextDue(group);
      this.#groups.set(key, group);
    }
  }

  get groupCount(): number {
    return this.#groups.size;
  }

  /** When there is something to do; Infinity when never. */
  get dueMs(): number {
    let dueMs = Infinity;
    for (const group of this.#groups.values()) dueMs = Math.min(dueMs, group.dueMs);
    return dueMs;
  }

  add(alerts: readonly OutgoingAlert[], nowMs: number): void {
    const { config } = this.#options;
    for (const alert of alerts) {
      if (!config.matchers.every((m) => m.matches(alert.labels.get(m.name)))) continue;
      const own = messageAlert(alert);
      const groupLabels = groupLabelsOf(own.labels, config.groupBy);
      const key = `${config.name}:${JSON.stringify(groupLabels)}`;
      let group = this.#groups.get(key);
      if (group === undefined) {
        // Its beginning was never told, so its end need not be.
        if (own.isResolved) continue;
        group = {
          key,
          labels: groupLabels,
          alerts: new Map(),
          unheard: new Set(),
          told: new Map(),
          toldMs: null,
          flushedMs: null,
          dueMs: nowMs + config.groupWaitMs,
        };
        this.#groups.set(key, group);
      }
      const known = group.alerts.get(own.fingerprint);
      if (known === undefined && own.isResolved) continue;
      group.alerts.set(own.fingerprint, own);
      const isBack = group.unheard.delete(own.fingerprint);
      if (isBack) group.dueMs = Math.min(group.dueMs, this.#nextDue(group));
      const isNews = known === undefined || known.isResolved !== own.isResolved;
      if (isNews && group.flushedMs !== null) {
        const soonMs = Math.max(nowMs, group.flushedMs + config.groupIntervalMs);
        group.dueMs = Math.min(group.dueMs, soonMs);
      }
    }
  }

  /** What is to be told at `nowMs`. Whoever calls has to see to it that it arrives. */
  flush(nowMs: number): Message[] {
    const { config, store, externalUrl } = this.#options;
    const messages: Message[] = [];
    for (const group of this.#groups.values()) {
      if (group.dueMs > nowMs) continue;
      const firing: MessageAlert[] = [];
      const resolved: MessageAlert[] = [];
      for (const [fingerprint, alert] of group.alerts) {
        // Nobody said that it goes on.
        const isOver = alert.isResolved || alert.endsAtMs <= nowMs;
        if (!isOver) firing.push(alert);
        else {
          group.alerts.delete(fingerprint);
          group.unheard.delete(fingerprint);
          if (group.told.has(fingerprint)) resolved.push({ ...alert, isResolved: true });
        }
      }
      const isNew = firing.some(({ fingerprint }) => !group.told.has(fingerprint));
      const isTimeToRepeat =
        firing.some(({ fingerprint }) => !group.unheard.has(fingerprint)) &&
        (group.toldMs === null || nowMs - group.toldMs >= config.repeatIntervalMs);
      group.flushedMs = nowMs;
      if (isNew || resolved.length > 0 || isTimeToRepeat) {
        const alerts = [...firing, ...resolved];
        const { key: groupKey, labels: groupLabels } = group;
        messages.push({ receiver: config.name, groupKey, groupLabels, alerts, externalUrl });
        group.told = new Map(firing.map((alert) => [alert.fingerprint, alert]));
        group.toldMs = nowMs;
        if (firing.length > 0) {
          const { key, labels } = group;
          store.save(config.name, { key, labels, told: firing, toldMs: nowMs });
        } else store.remove(config.name, group.key);
      }
      if (group.alerts.size === 0) this.#groups.delete(group.key);
      else group.dueMs = this.#nextDue(group);
    }
    return messages;
  }

  /** When nothing happens: to repeat, or because an alert is heard of no longer. */
  #nextDue({ alerts, unheard, toldMs, flushedMs }: Group): number {
    const { repeatIntervalMs } = this.#options.config;
    const isHeard = unheard.size < alerts.size;
    let dueMs = isHeard ? (toldMs ?? flushedMs ?? 0) + repeatIntervalMs : Infinity;
    for (const alert of alerts.values()) dueMs = Math.min(dueMs, alert.endsAtMs);
    return dueMs;
  }
}

function groupLabelsOf(labels: LabelObject, groupBy: readonly string[] | null): LabelObject {
  if (groupBy === null) return labels;
  const pairs = groupBy.filter((name) => Object.hasOwn(labels, name)).sort();
  return Object.fromEntries(pairs.map((name) => [name, labels[name]!]));
}

function messageAlert(alert: OutgoingAlert): MessageAlert {
  const labels = alert.labels.toObject();
  return {
    labels,
    annotations: alert.annotations.toObject(),
    startsAtMs: alert.startsAtMs,
    endsAtMs: alert.endsAtMs,
    isResolved: alert.isResolved,
    generatorUrl: alert.generatorUrl,
    fingerprint: fingerprintOf(labels),
    ruleLabels: alert.ruleLabels.toObject(),
  };
}
