/**
 * What the web room needs from the house. `src` implements these interfaces and hands them to
 * `buildApp`; nothing else crosses this border.
 *
 * Rules that hold for every call:
 * - `signal` fires when the client goes away (or the server stops). Stop working, then reject with
 *   anything: nobody is listening.
 * - A call that cannot be answered rejects with `ApiError` (`api-error.ts`). Other errors are
 *   translated there by their `code`: parse errors and `ValueError` → bad_data, `ExecutionError` and
 *   `LimitError` → execution, `CanceledError` → canceled, anything else → internal (and logged as
 *   our own bug).
 * - {@link AnswerBytes} are sent as they are. `web/answers/index.ts` has writers for them that a
 *   worker can load without loading the HTTP server.
 * - Selectors travel as the texts of `match[]`; they are parsed where they are used. A malformed one
 *   rejects as bad_data with the parser's message; the route adds the parameter's name.
 * - Plain data only (no class instances), so that every request and answer can cross threads.
 */
import type {
  LogLevel,
  MatchOperator,
  MetricFamily,
  MetricMetadata,
  RelabelConfig,
} from '../model/index.ts';
import type { ExpositionFormat } from './exposition/index.ts';

/**
 * A complete success body as UTF-8:
 * `{"status":"success","data":…[,"warnings":[…]][,"infos":[…]]}`.
 */
export type AnswerBytes = Uint8Array;

/** Label name → value, sorted by name. */
export type LabelObject = Readonly<Record<string, string>>;

/** A matcher as plain data; `new Matcher(name, operator, value)` makes it usable. */
export type PlainMatcher = {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
};

/** Milliseconds since the Unix epoch, both inclusive. An open end is ±Number.MAX_SAFE_INTEGER. */
export type TimeRange = { readonly minMs: number; readonly maxMs: number };

// --- Queries, answered by query workers ---

/** Who asks. */
export type Asker = { readonly address: string; readonly userAgent: string };

export type QueryOptions = {
  readonly query: string;
  /** Null: the server's `--query.timeout`, which also caps a given one. */
  readonly timeoutMs: number | null;
  /** Null: the server's `--query.lookback-delta`. */
  readonly lookbackMs: number | null;
  /** At most so many series; 0 means all. Cutting adds the warning {@link TRUNCATED_WARNING}. */
  readonly limit: number;
  readonly stats: 'none' | 'basic' | 'all';
  /** Shown with the active queries. */
  readonly client: Asker;
  /** To be put before the query's own warnings. */
  readonly warnings: readonly string[];
};
export type InstantQuery = QueryOptions & { readonly timeMs: number };
export type RangeQuery = QueryOptions & {
  readonly startMs: number;
  readonly endMs: number;
  /** Above 0; the route has checked that there are at most 11,000 steps. */
  readonly stepMs: number;
};

/**
 * Texts are parsed by the worker. Rejects with ApiError: `bad_data` for what the parser or the type
 * check refuses (message without a prefix), `execution`, `timeout`, `canceled` as the engine says.
 */
export interface QueryPort {
  instant(request: InstantQuery, signal: AbortSignal): Promise<AnswerBytes>;
  range(request: RangeQuery, signal: AbortSignal): Promise<AnswerBytes>;
  /**
   * Of the series that the query's selectors choose. `data`: see `writeExemplarsAnswer`. Null when
   * the query has no selectors at all (answered with 204).
   */
  exemplars(
    request: TimeRange & { readonly query: string },
    signal: AbortSignal,
  ): Promise<AnswerBytes | null>;
}

/** The language without data: where a parser is loaded anyway, that is in a query worker. */
export interface LanguagePort {
  /** The query over several lines where it is long. ApiError `bad_data` when it does not parse. */
  format(query: string, signal: AbortSignal): Promise<string>;
  /** JSON of the syntax tree, UTF-8; the `data` part only. */
  parse(query: string, signal: AbortSignal): Promise<Uint8Array>;
  /** The matchers of each selector, `__name__` included. */
  selectors(texts: readonly string[], signal: AbortSignal): Promise<readonly PlainMatcher[][]>;
}

// --- Labels and series, answered by query workers ---

export type SelectionRequest = TimeRange & {
  /** Selector texts; a series counts when any of them matches. Empty means all series. */
  readonly selectors: readonly string[];
  /** At most so many results; 0 means all. Cutting adds the warning {@link TRUNCATED_WARNING}. */
  readonly limit: number;
};

/** A selector that would match every series is refused: see `requireSelective` of `answers`. */
export interface LabelPort {
  /** `data`: sorted names. */
  names(request: SelectionRequest, signal: AbortSignal): Promise<AnswerBytes>;
  /** `data`: sorted values of the label `name`. */
  values(request: SelectionRequest & { name: string }, signal: AbortSignal): Promise<AnswerBytes>;
}

export interface SeriesPort {
  /** Refuses as LabelPort does. `data`: label objects, sorted, without duplicates. `selectors` has at least one. */
  series(request: SelectionRequest, signal: AbortSignal): Promise<AnswerBytes>;
}

export type FederationRequest = {
  readonly selectors: readonly string[];
  readonly format: ExpositionFormat;
};

export interface FederationPort {
  /**
   * The newest sample (within the lookback period before now, stale ones left out) of every series
   * that any selector matches, with the external labels added where the series has no such label,
   * written by `writeFederation` of `web/exposition/index.ts`.
   */
  federate(request: FederationRequest, signal: AbortSignal): Promise<Uint8Array>;
}

// --- Metadata and targets ---

export type MetadataRequest = {
  /** Empty: all metrics. */
  readonly metric: string;
  /** At most so many metrics, and entries of one metric; negative means all. */
  readonly limit: number;
  readonly limitPerMetric: number;
};

export interface MetadataPort {
  /** Distinct entries per metric over all targets, sorted by metric name. */
  metrics(
    request: MetadataRequest,
    signal: AbortSignal,
  ): Promise<readonly { readonly metric: string; readonly entries: readonly MetricMetadata[] }[]>;
}

export type TargetHealth = 'up' | 'down' | 'unknown';

export type ActiveTarget = {
  /** Before relabelling. */
  readonly discoveredLabels: LabelObject;
  /** After relabelling, without those whose names begin with `__`. */
  readonly labels: LabelObject;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  /** `scrapeUrl` with a loopback host replaced by that of the external URL. */
  readonly globalUrl: string;
  /** Empty when the last scrape succeeded. */
  readonly lastError: string;
  /** Null before the first scrape. */
  readonly lastScrapeMs: number | null;
  readonly lastScrapeDurationSeconds: number;
  readonly health: TargetHealth;
  /** Durations as configured, such as `15s`. */
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
};

export type DroppedTarget = {
  readonly discoveredLabels: LabelObject;
  readonly scrapePool: string;
};

export type TargetsAnswer = {
  /** Sorted by pool; empty when not asked for. */
  readonly active: readonly ActiveTarget[];
  /** Those that are kept (`keep_dropped_targets`); empty when not asked for. */
  readonly dropped: readonly DroppedTarget[];
  /** Pool → how many were dropped, kept or not; always complete. */
  readonly droppedCounts: Readonly<Record<string, number>>;
};

export type TargetsRequest = {
  /** Empty: all pools. */
  readonly scrapePool: string;
  readonly withActive: boolean;
  readonly withDropped: boolean;
};

export type TargetMetadataRequest = {
  /** Must all match the target's labels. */
  readonly matchers: readonly PlainMatcher[];
  /** Empty: all metrics of the target. */
  readonly metric: string;
  /** At most so many targets; negative means all. */
  readonly limit: number;
};

export type TargetMetadata = {
  readonly target: LabelObject;
  readonly metric: string;
  readonly metadata: MetricMetadata;
};

export type RelabelStepAnswer = {
  readonly rule: RelabelConfig;
  /** Empty when the rule dropped the set. */
  readonly output: LabelObject;
  readonly keep: boolean;
};

export interface TargetsPort {
  targets(request: TargetsRequest, signal: AbortSignal): Promise<TargetsAnswer>;
  /** Configured scrape pools, sorted. */
  poolNames(signal: AbortSignal): Promise<readonly string[]>;
  /** The pool's part of the configuration as YAML, secrets masked, or null for an unknown pool. */
  poolConfig(scrapePool: string, signal: AbortSignal): Promise<string | null>;
  /** What the pool's target rules do to `labels`, or null when there is no such pool. */
  relabelSteps(
    scrapePool: string,
    labels: LabelObject,
    signal: AbortSignal,
  ): Promise<readonly RelabelStepAnswer[] | null>;
  metadata(request: TargetMetadataRequest, signal: AbortSignal): Promise<readonly TargetMetadata[]>;
}

// --- Rules, alerts, Alertmanagers ---

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

/** Narthex's own: what became of alerts. */
export interface AlertHistoryPort {
  page(request: AlertHistoryRequest, signal: AbortSignal): Promise<AlertHistoryPage>;
}

export interface AlertmanagersPort {
  /** URLs that alerts are posted to, and those that relabelling dropped. */
  alertmanagers(
    signal: AbortSignal,
  ): Promise<{ readonly active: readonly string[]; readonly dropped: readonly string[] }>;
}

// --- Status ---

export type BuildInfo = {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
};

export type RuntimeInfo = {
  readonly startTimeMs: number;
  readonly workingDirectory: string;
  readonly hostname: string;
  readonly serverTimeMs: number;
  readonly reloadConfigSuccess: boolean;
  readonly lastConfigTimeMs: number;
  readonly corruptionCount: number;
  /** Fields that Prometheus reports of Go's runtime, with what comes closest here. */
  readonly goroutineCount: number;
  readonly gomaxprocs: number;
  readonly gomemlimit: number;
  /** Such as `15d` or `15d or 5GiB`. */
  readonly storageRetention: string;
};

export type NamedCount = { readonly name: string; readonly value: number };

export type TsdbStatus = {
  readonly headStats: {
    readonly seriesCount: number;
    readonly labelPairCount: number;
    readonly chunkCount: number;
    readonly minMs: number;
    readonly maxMs: number;
  };
  /** Each list is sorted by value, largest first, at most `limit` long. */
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryBytesByLabelName: readonly NamedCount[];
  /** Names are `label=value`. */
  readonly seriesCountByLabelPair: readonly NamedCount[];
};

/** A block's `meta.json` as it is on disk. */
export type BlockMeta = Readonly<Record<string, unknown>> & { readonly ulid: string };

/** Segment numbers of the log that is being replayed. */
export type WalReplay = { readonly min: number; readonly max: number; readonly current: number };

/** Category → feature → switched on. Sorted by the route. */
export type Features = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

export interface StatusPort {
  /** The loaded configuration as YAML, secrets masked. */
  configYaml(signal: AbortSignal): Promise<string>;
  /** Flag name without dashes → value. */
  flags(): Readonly<Record<string, string>>;
  buildInfo(): BuildInfo;
  features(signal: AbortSignal): Promise<Features>;
  /** Answers before the server is ready, too. */
  walReplay(): WalReplay;
  runtimeInfo(signal: AbortSignal): Promise<RuntimeInfo>;
  tsdb(limit: number, signal: AbortSignal): Promise<TsdbStatus>;
  blocks(signal: AbortSignal): Promise<readonly BlockMeta[]>;
}

/** `starting` until the log is replayed and the configuration applied; `stopping` from then on. */
export type Readiness = 'starting' | 'ready' | 'stopping';

export interface ReadyPort {
  readiness(): Readiness;
}

export interface OwnMetricsPort {
  /** The figures of all threads, merged and sorted by name; those of the web's registry included. */
  families(signal: AbortSignal): Promise<readonly MetricFamily[]>;
}

export type TopQuery = {
  readonly query: string;
  readonly kind: 'instant' | 'range';
  readonly count: number;
  readonly durationSecondsSum: number;
  readonly durationSecondsMax: number;
  readonly samplesSum: number;
  readonly lastMs: number;
};

/** A query that waits for a worker or runs in one. */
export type ActiveQuery = {
  readonly id: number;
  readonly kind: 'instant' | 'range' | 'rule';
  readonly query: string;
  readonly state: 'waiting' | 'running';
  readonly startedMs: number;
  readonly durationSeconds: number;
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for instant queries. */
  readonly stepMs: number;
  /** Null for the server's own rules. */
  readonly client: Asker | null;
};

export interface ActiveQueriesPort {
  /** The oldest first. */
  list(): readonly ActiveQuery[];
  /** False when there is none of that number (any more). */
  cancel(id: number): boolean;
}

/** Narthex's own: which queries were asked, how often, at what cost. */
export interface QueryLogPort {
  top(
    request: {
      readonly sortBy: 'count' | 'duration' | 'samples' | 'recent';
      readonly sinceMs: number;
      readonly limit: number;
    },
    signal: AbortSignal,
  ): Promise<readonly TopQuery[]>;
}

// --- Changing things ---

export interface AdminPort {
  /** Name of the new directory under `<data>/snapshots`. */
  snapshot(request: { readonly skipHead: boolean }, signal: AbortSignal): Promise<string>;
  deleteSeries(
    request: TimeRange & { readonly selectors: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>;
  cleanTombstones(signal: AbortSignal): Promise<void>;
}

export interface LifecyclePort {
  /** Rejects with what is wrong with the configuration; then the old one stays in force. */
  reload(): Promise<void>;
  /** Begins the shutdown and returns; the answer is still sent. */
  quit(): void;
}

export type Notification = {
  readonly text: string;
  /** Since when it holds. */
  readonly dateMs: number;
  /** False in the message that tells subscribers that it no longer holds. */
  readonly active: boolean;
};

/** `NotificationBoard` of this room implements it. */
export interface NotificationsPort {
  active(): readonly Notification[];
  /**
   * `listener` returns false when it cannot take the notification now; it is then dropped for it.
   * Null when there are as many subscribers as may be. Otherwise ends the subscription.
   */
  subscribe(listener: (notification: Notification) => boolean): (() => void) | null;
}

// --- Receiving and handing out samples in bulk ---

export type RemoteWriteRequest = {
  /** 1: `prometheus.WriteRequest`; 2: `io.prometheus.write.v2.Request`. */
  readonly version: 1 | 2;
  /** As received: a snappy block. */
  readonly body: Uint8Array;
};
export type RemoteWriteAnswer = {
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
  readonly exemplarsWritten: number;
  /** Why part of it was refused; the rest is stored. Answered with 400. */
  readonly rejection: string | null;
};
export interface RemoteWritePort {
  /** ApiError `bad_data` when the body is malformed, `internal` when nothing could be stored. */
  write(request: RemoteWriteRequest, signal: AbortSignal): Promise<RemoteWriteAnswer>;
}

export interface RemoteReadPort {
  /** `body` as received (a snappy block). Chunks of the answer are sent as they come. */
  read(
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<{
    readonly contentType: string;
    /** `snappy` for the sample form, none for the streamed form. */
    readonly contentEncoding: string | null;
    readonly chunks: AsyncIterable<Uint8Array>;
  }>;
}

export interface OtlpPort {
  /** Body of an ExportMetricsServiceRequest, decompressed. ApiError as for remote write. */
  write(
    request: { readonly encoding: 'protobuf' | 'json'; readonly body: Uint8Array },
    signal: AbortSignal,
  ): Promise<void>;
}

/** Errors of our own that an answer should not hide. */
export type ReportError = (level: LogLevel, message: string, error: unknown) => void;

/**
 * Everything together. Optional ports belong to parts that a server may run without; their routes
 * then answer as Prometheus does where the part is switched off or has nothing to tell.
 */
export type Ports = {
  readonly query: QueryPort;
  readonly language: LanguagePort;
  readonly labels: LabelPort;
  readonly series: SeriesPort;
  readonly federation: FederationPort;
  readonly metadata: MetadataPort;
  readonly targets: TargetsPort;
  readonly status: StatusPort;
  readonly ready: ReadyPort;
  readonly ownMetrics: OwnMetricsPort;
  readonly notifications: NotificationsPort;
  readonly admin: AdminPort;
  readonly lifecycle: LifecyclePort;
  readonly rules?: RulesPort;
  readonly alertmanagers?: AlertmanagersPort;
  readonly alertHistory?: AlertHistoryPort;
  readonly queryLog?: QueryLogPort;
  readonly activeQueries?: ActiveQueriesPort;
  readonly remoteWrite?: RemoteWritePort;
  readonly remoteRead?: RemoteReadPort;
  readonly otlp?: OtlpPort;
};

/** What every truncated answer warns of. */
export const TRUNCATED_WARNING = 'results truncated due to limit';
