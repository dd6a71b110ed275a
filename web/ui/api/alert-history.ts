/** GET /api/v1/alerts/history, /alerts/timeline, /alerts/why and /rules/check: ours alone. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { apiGet, type Params } from './client.ts';
import type { LabelSet } from './query-result.ts';
import type { AlertingRule } from './rules.ts';

export type ChangeState = 'inactive' | 'pending' | 'firing';

export type SelectorSamples = {
  selector: string;
  seriesCount: number;
  samples: { labels: LabelSet; value: string }[];
};

export type AlertEvent = {
  id: string;
  at: string;
  from: ChangeState;
  to: ChangeState;
  fingerprint: string;
  labels: LabelSet;
  annotations: LabelSet;
  value: string;
  activeAt: string;
  rule: string;
  group: string;
  file: string;
  query: string;
  samples?: SelectorSamples[];
  deliveries: { at: string; url: string; error?: string }[];
};

export type AlertSpan = {
  state: 'pending' | 'firing';
  start?: string;
  end?: string;
  value?: string;
  event?: string;
};

export type AlertTimeline = {
  fingerprint: string;
  rule: string;
  group: string;
  query: string;
  labels: LabelSet;
  isActive: boolean;
  spans: AlertSpan[];
};

export type SelectorCheck = {
  selector: string;
  seriesCount: number;
  problem: { kind: string; text: string; nearestMetric: string | null } | null;
};

export type ExpressionPart = {
  text: string;
  type: 'scalar' | 'vector' | 'matrix' | 'string';
  count: number;
  relatedCount: number;
  rows: { labels: LabelSet; value: string; sampleCount: number }[];
  error?: string;
  reason?: string;
  children: ExpressionPart[];
};

export type AlertReport = {
  verdict: string;
  query: string;
  time: string;
  labels?: LabelSet;
  state?: ChangeState;
  rule?: AlertingRule;
  event?: AlertEvent;
  root: ExpressionPart;
};

export type RuleCheck = {
  group: string;
  file: string;
  name: string;
  query: string;
  selectors: SelectorCheck[];
};

/** A stretch of time and the alerts that are wanted. */
export type HistoryFilter = { startMs: number; endMs: number; fingerprint: string | undefined };

const paramsOf = ({ startMs, endMs, fingerprint }: HistoryFilter): Params => ({
  start: startMs / 1000,
  end: endMs / 1000,
  fingerprint,
});

export function useAlertTimelines(filter: HistoryFilter) {
  return useQuery({
    queryKey: ['alert-timelines', filter],
    queryFn: ({ signal }) =>
      apiGet<{ alerts: AlertTimeline[]; isCut: boolean }>(
        'alerts/timeline',
        paramsOf(filter),
        signal,
      ).then(({ data }) => data),
    placeholderData: (previous) => previous,
  });
}

export function useAlertEvents(filter: HistoryFilter) {
  return useInfiniteQuery({
    queryKey: ['alert-events', filter],
    queryFn: ({ signal, pageParam }) =>
      apiGet<{ entries: AlertEvent[]; nextToken?: string }>(
        'alerts/history',
        { ...paramsOf(filter), next_token: pageParam, limit: 50 },
        signal,
      ).then(({ data }) => data),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextToken }) => nextToken,
    placeholderData: (previous) => previous,
  });
}

export function useAlertReport(params: Params) {
  return useQuery({
    queryKey: ['alert-why', params],
    queryFn: ({ signal }) =>
      apiGet<AlertReport>('alerts/why', params, signal).then(({ data }) => data),
    placeholderData: (previous) => previous,
  });
}

export type Receiver = {
  label: string;
  target: string;
  groupCount: number;
  last?: string;
  lastError?: string;
};

export type WaitingMessage = {
  integration: string;
  groupKey: string;
  alertCount: number;
  attemptCount: number;
  next: string;
  error?: string;
};

export function useReceivers() {
  return useQuery({
    queryKey: ['receivers'],
    queryFn: ({ signal }) =>
      apiGet<{ receivers: Receiver[]; waiting: WaitingMessage[] }>('receivers', {}, signal).then(
        ({ data }) => data,
      ),
    refetchInterval: 10_000,
  });
}

export type QuarantinedRules = { file: string; group: string; error: string };

/** Rules with a selector that finds nothing, by {@link ruleKey}, and groups that are left out. */
export function useRuleChecks() {
  return useQuery({
    queryKey: ['rule-checks'],
    queryFn: ({ signal }) =>
      apiGet<{ rules: RuleCheck[]; quarantined: QuarantinedRules[] }>(
        'rules/check',
        { silent: 'true' },
        signal,
      ).then(({ data }) => ({
        silent: new Map(data.rules.map((rule) => [ruleKey(rule), rule.selectors])),
        quarantined: data.quarantined,
      })),
    refetchInterval: 60_000,
    retry: false,
  });
}

export function ruleKey(rule: {
  file: string;
  group: string;
  name: string;
  query: string;
}): string {
  return JSON.stringify([rule.file, rule.group, rule.name, rule.query]);
}
