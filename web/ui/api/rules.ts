/** GET /api/v1/rules and /api/v1/alerts. */
import { useQuery } from '@tanstack/react-query';
import { apiGet } from './client.ts';
import type { LabelSet } from './query-result.ts';

export type AlertState = 'inactive' | 'pending' | 'firing' | 'unknown';
export type RuleHealth = 'ok' | 'err' | 'unknown';

export type Alert = {
  labels: LabelSet;
  annotations: LabelSet;
  state: AlertState;
  activeAt?: string;
  keepFiringSince?: string;
  value: string;
};

type RuleBase = {
  name: string;
  query: string;
  labels?: LabelSet;
  health: RuleHealth;
  lastError?: string;
  /** Seconds. */
  evaluationTime: number;
  lastEvaluation: string;
};

type RecordingRule = RuleBase & { type: 'recording' };
export type AlertingRule = RuleBase & {
  type: 'alerting';
  state: AlertState;
  /** Seconds that the condition must hold. */
  duration: number;
  /** Seconds that the alert outlives its condition. */
  keepFiringFor: number;
  annotations?: LabelSet;
  alerts: Alert[];
};
export type Rule = RecordingRule | AlertingRule;

export type RuleGroup = {
  name: string;
  file: string;
  /** Seconds. */
  interval: number;
  limit?: number;
  rules: Rule[];
  /** Seconds. */
  evaluationTime: number;
  lastEvaluation: string;
};

export function useRules(type: 'alert' | undefined, refreshMs: number) {
  return useQuery({
    queryKey: ['rules', type ?? 'all'],
    queryFn: ({ signal }) =>
      apiGet<{ groups: RuleGroup[] | null }>('rules', { type }, signal).then(
        (answer) => answer.data.groups ?? [],
      ),
    refetchInterval: refreshMs,
  });
}

/** How many alerts fire, for the number beside the navigation's "Alerts". */
export function useFiringCount() {
  return useQuery({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => apiGet<{ alerts: Alert[] | null }>('alerts', {}, signal),
    select: ({ data }) => (data.alerts ?? []).filter((alert) => alert.state === 'firing').length,
    refetchInterval: 15_000,
  });
}
