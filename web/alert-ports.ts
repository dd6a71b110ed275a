/** What the web room needs from the house about rules and alerts. The rules of `ports.ts` hold. */
import type { LabelObject, PlainMatcher, TimeRange } from './ports.ts';

export type RuleHealth = 'ok' | 'err' | 'unknown';
export type AlertState = 'inactive' | 'pending' | 'firing' | 'unknown';

export type Alert = {
  readonly labels: LabelObject;
  readonly annotations: LabelObject;
  readonly state: AlertState;
  /** Null when it is not active. */
  readonly activeAtMs: number | null;
  /** Null unless `keep_firing_for` holds it. */
  readonly keepFiringSinceMs: number | null;
  readonly value: number;
};

type RuleCommon = {
  readonly name: string;
  readonly query: string;
  readonly labels: LabelObject;
  readonly health: RuleHealth;
  /** Empty when the last evaluation succeeded. */
  readonly lastError: string;
  readonly evaluationSeconds: number;
  /** Null before the first evaluation. */
  readonly lastEvaluationMs: number | null;
};
export type RecordingRule = RuleCommon & { readonly type: 'recording' };
export type AlertingRule = RuleCommon & {
  readonly type: 'alerting';
  readonly state: AlertState;
  readonly durationSeconds: number;
  readonly keepFiringForSeconds: number;
  readonly annotations: LabelObject;
  readonly alerts: readonly Alert[];
};
export type Rule = RecordingRule | AlertingRule;

export type RuleGroup = {
  readonly name: string;
  readonly file: string;
  readonly intervalSeconds: number;
  readonly limit: number;
  readonly evaluationSeconds: number;
  readonly lastEvaluationMs: number | null;
  readonly rules: readonly Rule[];
};

export interface RulesPort {
  /** All groups, in the order of files and of groups within a file. */
  groups(signal: AbortSignal): Promise<readonly RuleGroup[]>;
  /** Alerts that are pending or firing. */
  alerts(signal: AbortSignal): Promise<readonly Alert[]>;
}

export type AlertHistoryState = 'inactive' | 'pending' | 'firing';

export type AlertHistoryEntry = {
  readonly id: number;
  /** Equal for equal labels, over restarts. */
  readonly fingerprint: string;
  readonly atMs: number;
  readonly rule: string;
  readonly group: string;
  readonly file: string;
  readonly query: string;
  readonly from: AlertHistoryState;
  readonly to: AlertHistoryState;
  readonly activeAtMs: number;
  readonly value: number;
  readonly labels: LabelObject;
  readonly annotations: LabelObject;
  /** What the selectors of the expression gave at that moment; null where that is not known. */
  readonly samples: readonly SelectorSamples[] | null;
  /** Who was told of this state first, and with which result. */
  readonly deliveries: readonly {
    readonly atMs: number;
    readonly url: string;
    /** Null when it was accepted. */
    readonly error: string | null;
  }[];
};

export type AlertHistoryRequest = TimeRange & {
  /** Empty: of all rules. */
  readonly alertName: string;
  /** Empty: of all alerts. */
  readonly fingerprint: string;
  /** States that are changed to; empty: all. */
  readonly states: readonly AlertHistoryState[];
  /** One of them must match the alert's labels; empty: all. */
  readonly matcherSets: readonly (readonly PlainMatcher[])[];
  /** Null for all; else only this entry. */
  readonly id: number | null;
  readonly limit: number;
  /** Only entries before this one; null: from the newest. */
  readonly beforeId: number | null;
};

export type AlertHistoryPage = {
  /** Newest first. */
  readonly entries: readonly AlertHistoryEntry[];
  /** To be given as `beforeId` for what follows; null when nothing does. */
  readonly nextToken: number | null;
};

export type AlertTimelineRequest = Pick<
  AlertHistoryRequest,
  'minMs' | 'maxMs' | 'alertName' | 'fingerprint' | 'matcherSets' | 'limit'
>;

/** One state of one alert, from its beginning to its end. */
export type AlertSpan = {
  readonly state: 'pending' | 'firing';
  /** Null when it began before what the history knows. */
  readonly startMs: number | null;
  /** Null when it has not ended, or nobody saw the end. */
  readonly endMs: number | null;
  /** Of the expression when it began; null when that is not known. */
  readonly value: number | null;
  /** The change that began it; null when that is not known. */
  readonly eventId: number | null;
};

export type AlertTimeline = {
  readonly fingerprint: string;
  readonly rule: string;
  readonly group: string;
  readonly file: string;
  readonly query: string;
  readonly labels: LabelObject;
  readonly annotations: LabelObject;
  /** Whether it is pending or firing now. */
  readonly isActive: boolean;
  /** Oldest first; only those that reach into the time asked for. */
  readonly spans: readonly AlertSpan[];
};

export type AlertTimelines = {
  /** Those that changed last first. */
  readonly alerts: readonly AlertTimeline[];
  /** There are more changes than one answer goes through; what is left out is the oldest. */
  readonly isCut: boolean;
};

/** Narthex's own: what became of alerts. */
export interface AlertHistoryPort {
  page(request: AlertHistoryRequest, signal: AbortSignal): Promise<AlertHistoryPage>;
  timelines(request: AlertTimelineRequest, signal: AbortSignal): Promise<AlertTimelines>;
}

export interface AlertmanagersPort {
  /** URLs that alerts are posted to, and those that relabelling dropped. */
  alertmanagers(
    signal: AbortSignal,
  ): Promise<{ readonly active: readonly string[]; readonly dropped: readonly string[] }>;
}

// --- Narthex's own: why ---

/** What one selector gave. Values as texts, because NaN and the infinities have none in JSON. */
export type SelectorSamples = {
  readonly selector: string;
  /** All that concern the alert; `samples` are the first of them. */
  readonly seriesCount: number;
  readonly samples: readonly { readonly labels: LabelObject; readonly value: string }[];
};

/** One way of telling people of alerts without an Alertmanager. */
export type ReceiverStatus = {
  readonly receiver: string;
  readonly kind: 'webhook' | 'slack' | 'email';
  /** Where messages go, without secrets. */
  readonly target: string;
  readonly label: string;
  /** Groups of alerts that it is being told of. */
  readonly groupCount: number;
  /** Of the last attempt; null before the first. */
  readonly lastMs: number | null;
  /** Null when the last attempt succeeded. */
  readonly lastError: string | null;
};

/** A message that has not arrived yet. */
export type WaitingMessage = {
  readonly integration: string;
  readonly groupKey: string;
  readonly alertCount: number;
  readonly createdMs: number;
  readonly attemptCount: number;
  readonly nextMs: number;
  readonly error: string | null;
};

/** Narthex's own: receivers of `notifications.yml`. */
export interface ReceiversPort {
  status(): {
    readonly receivers: readonly ReceiverStatus[];
    readonly waiting: readonly WaitingMessage[];
  };
}

/** What a selector finds, and if that is nothing, why. */
export type SelectorCheck = {
  readonly selector: string;
  readonly seriesCount: number;
  readonly problem: {
    /** No such metric, one condition too many, all conditions together, no sample any more. */
    readonly kind: 'metric' | 'matcher' | 'matchers' | 'ended';
    readonly text: string;
    /** The nearest metric name that exists. */
    readonly nearestMetric: string | null;
    /** The condition without which there would be series. */
    readonly matcher: string | null;
    /** Some values that the label of this condition has instead. */
    readonly otherValues: readonly string[];
  } | null;
};

/** One series of a part. */
export type PartRow = {
  readonly labels: LabelObject;
  /** The newest one where there are several. */
  readonly value: string;
  /** More than one for range vectors. */
  readonly sampleCount: number;
};

/** A part of an expression and what it gives by itself. */
export type ExpressionPart = {
  readonly text: string;
  /** Its place in the expression as written. */
  readonly start: number;
  readonly end: number;
  /** Kind of syntax node. */
  readonly kind: string;
  readonly type: 'scalar' | 'vector' | 'matrix' | 'string';
  /** Series that it gives, and those of them that concern the alert. */
  readonly count: number;
  readonly relatedCount: number;
  /** The first of those that concern the alert. */
  readonly rows: readonly PartRow[];
  /** Null when it could be evaluated. */
  readonly error: string | null;
  /** For a selector that finds nothing. */
  readonly selector: SelectorCheck | null;
  /** Why it gives nothing; null when it gives something, or the reason lies below. */
  readonly reason: string | null;
  readonly children: readonly ExpressionPart[];
};

export type WhyAnswer = {
  readonly root: ExpressionPart;
  /** Why the whole gives nothing; null when it gives something. */
  readonly reason: string | null;
};

export type WhyRequest = {
  /** Exactly one of the three: an entry of the history, a rule, an expression. */
  readonly eventId: number | null;
  readonly rule: {
    readonly name: string;
    /** Empty: any. */
    readonly group: string;
    readonly file: string;
  } | null;
  readonly query: string | null;
  /** Null: when the entry happened, or now. */
  readonly timeMs: number | null;
  /** Of the alert in question; null: of the entry, or of none in particular. */
  readonly labels: LabelObject | null;
};

export type WhyReport = WhyAnswer & {
  readonly query: string;
  readonly timeMs: number;
  readonly labels: LabelObject | null;
  /** The alerting rule as it is now; null when there is none for this expression. */
  readonly rule: AlertingRule | null;
  /** State of the alert at that time, as far as anybody knows. */
  readonly state: AlertHistoryState | null;
  /** In a sentence. */
  readonly verdict: string;
  /** The entry of the history, with the samples that were kept. */
  readonly event: AlertHistoryEntry | null;
};

/** A rule and what its selectors find now. */
export type RuleCheck = {
  readonly group: string;
  readonly file: string;
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly query: string;
  readonly selectors: readonly SelectorCheck[];
};

export type QuarantinedRules = {
  readonly file: string;
  /** Empty for the whole file. */
  readonly group: string;
  readonly error: string;
};

/** Why alerts fire or do not, and which rules cannot. */
export interface AlertInsightPort {
  why(request: WhyRequest, signal: AbortSignal): Promise<WhyReport>;
  /** Every rule, in the order of `RulesPort.groups`. */
  checkRules(signal: AbortSignal): Promise<readonly RuleCheck[]>;
  /** Groups that are left out because of a mistake in them. */
  quarantined(): readonly QuarantinedRules[];
}
