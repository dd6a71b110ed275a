/** What a receiver is told: alerts of one group. Source: Alertmanager documentation, webhook_config. */
import { createHash } from 'node:crypto';
import { compareText } from '../../../model/index.ts';
import type { LabelObject } from '../../../web/index.ts';

export type MessageAlert = {
  readonly labels: LabelObject;
  readonly annotations: LabelObject;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly isResolved: boolean;
  readonly generatorUrl: string;
  /** Tells it from other alerts of the receiver. */
  readonly fingerprint: string;
  /** As its rule gave them: how the history knows it. */
  readonly ruleLabels: LabelObject;
};

/** Plain data: it waits in a file. */
export type Message = {
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: LabelObject;
  readonly alerts: readonly MessageAlert[];
  readonly externalUrl: string;
};

const NEVER = '0001-01-01T00:00:00Z';

export function statusOf({ alerts }: Message): 'firing' | 'resolved' {
  return alerts.some(({ isResolved }) => !isResolved) ? 'firing' : 'resolved';
}

/** Pairs that all sets have. */
function common(sets: readonly LabelObject[]): LabelObject {
  const [first = {}, ...others] = sets;
  const pairs = Object.entries(first).filter(([name, value]) =>
    others.every((set) => Object.hasOwn(set, name) && set[name] === value),
  );
  return Object.fromEntries(pairs);
}

export function fingerprintOf(labels: LabelObject): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => compareText(a, b));
  return createHash('sha256').update(JSON.stringify(pairs)).digest('hex').slice(0, 16);
}

/** Body of Alertmanager's webhook, version 4. @param alertCountMax  0 for any number */
export function webhookBody(message: Message, alertCountMax: number): string {
  const { alerts, receiver, groupLabels, externalUrl, groupKey } = message;
  const sent = alertCountMax > 0 ? alerts.slice(0, alertCountMax) : alerts;
  return JSON.stringify({
    receiver,
    status: statusOf(message),
    alerts: sent.map((alert) => ({
      status: alert.isResolved ? 'resolved' : 'firing',
      labels: alert.labels,
      annotations: alert.annotations,
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: alert.isResolved ? new Date(alert.endsAtMs).toISOString() : NEVER,
      generatorURL: alert.generatorUrl,
      fingerprint: alert.fingerprint,
    })),
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: externalUrl,
    version: '4',
    groupKey,
    truncatedAlerts: alerts.length - sent.length,
  });
}

/** `[FIRING:2] HighErrorRate (api eu)`. */
export function titleOf(message: Message): string {
  const { alerts, groupLabels } = message;
  const firingCount = alerts.filter(({ isResolved }) => !isResolved).length;
  const status = firingCount > 0 ? `FIRING:${firingCount}` : 'RESOLVED';
  const shared = common(alerts.map(({ labels }) => labels));
  const own = Object.values(groupLabels).join(' ');
  const more = Object.entries(shared).filter(([name]) => !Object.hasOwn(groupLabels, name));
  const rest = more.length === 0 ? '' : ` (${more.map(([, value]) => value).join(' ')})`;
  return `[${status}] ${own}${rest}`.trimEnd();
}

/** What is worth saying of one alert, line by line: `name: text`. */
export function linesOf({ labels, annotations, generatorUrl }: MessageAlert): readonly string[] {
  const labelTexts = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return [
    ...Object.entries(annotations).map(([name, text]) => `${name}: ${text}`),
    `labels: ${labelTexts.join(', ')}`,
    `source: ${generatorUrl}`,
  ];
}
