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
 * - {@link Answer}s are sent as they are. `web/answers/index.ts` has writers for them that a
 *   worker can load without loading the HTTP server.
 * - Selectors travel as the texts of `match[]`; they are parsed where they are used. A malformed one
 *   rejects as bad_data with the parser's message; the route adds the parameter's name.
 * - Plain data only (no class instances), so that every request and answer can cross threads.
 */
import type { Readable } from 'node:stream';
import type {
  LogLevel,
  MatchOperator,
  MetricFamily,
  MetricMetadata,
  RelabelConfig,
} from '../model/index.ts';
import type {
  AlertHistoryPort,
  AlertInsightPort,
  AlertmanagersPort,
  ReceiversPort,
  RulesPort,
} from './alert-ports.ts';
import type {
  ActiveQueriesPort,
  FederationPort,
  LabelPort,
  LanguagePort,
  QueryLogPort,
  QueryPort,
  SearchPort,
  SeriesPort,
} from './query-ports.ts';
import type {
  ImportPort,
  OtlpPort,
  PushPort,
  RemoteReadPort,
  RemoteWritePort,
} from './sample-ports.ts';

export * from './alert-ports.ts';
export * from './query-ports.ts';
export * from './sample-ports.ts';

/**
 * A complete success body as UTF-8:
 * `{"status":"success","data":…[,"warnings":[…]][,"infos":[…]]}`.
 */
export type AnswerBytes = Uint8Array;

/**
 * The same while it is still being written, in pieces, for one reader. A piece is the reader's; asking
 * for the next says that it has left. A failure in between means that the rest will never come:
 * whoever has got the beginning must not take it for the whole.
 */
export type AnswerPieces = AsyncIterable<Uint8Array>;

/** Pieces only where it is large: mostly there is nothing to wait for. */
export type Answer = AnswerBytes | AnswerPieces;

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
  /** Narthex's own: how far the head is from refusing new series, and what fills it. */
  readonly cardinality: {
    readonly headMemoryBytes: number;
    readonly headMemoryLimitBytes: number;
    /** New series that were refused since the start, by reason. */
    readonly refusedSeriesCount: Readonly<Record<string, number>>;
    /** The metric with the most series and the label with the most values; null without series. */
    readonly loudest: { readonly metric: NamedCount; readonly label: NamedCount } | null;
  };
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
  /** While starting: whether what is in blocks can be asked for already. */
  servesBlocks(): boolean;
}

export interface OwnMetricsPort {
  /** The figures of all threads, merged and sorted by name; those of the web's registry included. */
  families(signal: AbortSignal): Promise<readonly MetricFamily[]>;
}

// --- Changing things ---

export type SnapshotArchive = {
  readonly fileName: string;
  /** `tar.lz4`, made as it is read. */
  readonly chunks: AsyncIterable<Uint8Array>;
};

export interface AdminPort {
  /** Name of the new directory under `<data>/snapshots`. */
  snapshot(request: { readonly skipHead: boolean }, signal: AbortSignal): Promise<string>;
  /** The same as a stream; nothing of it stays on disk when it was read or `signal` fires. */
  archive(request: { readonly skipHead: boolean }, signal: AbortSignal): Promise<SnapshotArchive>;
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

export type ConsoleRequest = {
  /** Below the folder of templates. */
  readonly file: string;
  /** Of the URL and the form: name → values. */
  readonly params: ReadonlyMap<string, readonly string[]>;
};
export type ConsoleAnswer = { readonly status: 200 | 404 | 500; readonly text: string };
export interface ConsolePort {
  render(request: ConsoleRequest, signal: AbortSignal): Promise<ConsoleAnswer>;
}

/** Where time and memory go. Null: a profile is being taken already. */
export interface DebugPort {
  /** In the form of pprof, as all that are bytes. */
  cpu(durationMs: number): Promise<Uint8Array | null>;
  /** What is allocated meanwhile and kept; `durationMs` 0: for a moment. */
  heap(durationMs: number): Promise<Uint8Array | null>;
  /** One per thread. */
  threads(): Uint8Array;
  /** A profile without anything in it. */
  empty(): Uint8Array;
  /** Of the main thread, as the developer tools of browsers read it. */
  cpuOfMain(durationMs: number): Promise<string | null>;
  /** The same of its memory, contents included. */
  heapSnapshot(): Readable;
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
  /** With `--enable-feature=search-api`. */
  readonly search?: SearchPort;
  readonly federation: FederationPort;
  readonly metadata: MetadataPort;
  readonly targets: TargetsPort;
  readonly status: StatusPort;
  readonly ready: ReadyPort;
  readonly ownMetrics: OwnMetricsPort;
  readonly notifications: NotificationsPort;
  readonly admin: AdminPort;
  readonly lifecycle: LifecyclePort;
  readonly imports?: ImportPort;
  readonly debug?: DebugPort;
  readonly consoles?: ConsolePort;
  readonly rules?: RulesPort;
  readonly alertmanagers?: AlertmanagersPort;
  readonly alertHistory?: AlertHistoryPort;
  readonly alertInsight?: AlertInsightPort;
  readonly receivers?: ReceiversPort;
  readonly queryLog?: QueryLogPort;
  readonly activeQueries?: ActiveQueriesPort;
  readonly remoteWrite?: RemoteWritePort;
  readonly remoteRead?: RemoteReadPort;
  readonly push?: PushPort;
  readonly otlp?: OtlpPort;
};
