/** One alert of an alerting rule, from its first match to some time after its end. */
import type { Labels } from '../../model/index.ts';

export type ActiveState = 'inactive' | 'pending' | 'firing';

export type Alert = {
  readonly labels: Labels;
  annotations: Labels;
  state: ActiveState;
  value: number;
  activeAtMs: number;
  firedAtMs: number | null;
  resolvedAtMs: number | null;
  lastSentAtMs: number | null;
  /** Until when the receiver may hold it for firing without hearing of it again. */
  validUntilMs: number;
  keepFiringSinceMs: number | null;
};

/** A change of state, for those who remember. */
export type AlertTransition = {
  readonly rule: string;
  readonly group: string;
  readonly file: string;
  readonly query: string;
  readonly from: ActiveState;
  readonly to: ActiveState;
  readonly atMs: number;
  readonly labels: Labels;
  /** Those that the rule puts on its alerts, whatever its expression gives. */
  readonly ownLabels: Labels;
  readonly annotations: Labels;
  readonly value: number;
  readonly activeAtMs: number;
};

/** Pending alerts concern nobody; ends are told at once, what goes on every `resendDelayMs`. */
export function needsSending(alert: Alert, nowMs: number, resendDelayMs: number): boolean {
  if (alert.state === 'pending') return false;
  const { lastSentAtMs, resolvedAtMs } = alert;
  if (lastSentAtMs === null) return true;
  if (resolvedAtMs !== null && resolvedAtMs > lastSentAtMs) return true;
  return lastSentAtMs + resendDelayMs < nowMs;
}
