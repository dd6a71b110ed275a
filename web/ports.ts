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
import type { FoundText, TextSearch } from './answers/index.ts';
import type { ExpositionFormat } from './exposition/index.ts';

export * from './alert-ports.ts';

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

export type SearchRequest = TimeRange & {
  readonly selectors: readonly string[];
  /** The label whose values are searched; null: names of labels. */
  readonly label: string | null;
  readonly search: TextSearch;
};
export type SearchAnswer = {
  readonly found: readonly FoundText[];
  readonly hasMore: boolean;
  readonly warnings: readonly string[];
};
export interface SearchPort {
  /** Refuses selectors as LabelPort does. */
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchAnswer>;
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
  /** What it has cost so far: samples read, series selected, memory held at this moment. */
  readonly sampleCount: number;
  readonly seriesCount: number;
  readonly heldSizeBytes: number;
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

export const IMPORT_FORMATS = ['openmetrics', 'text', 'jsonl', 'csv'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];
export type ImportRequest = {
  readonly format: ImportFormat;
  readonly isDryRun: boolean;
  readonly isGzip: boolean;
};
export type ImportStatus = {
  readonly id: string;
  readonly format: ImportFormat;
  readonly isDryRun: boolean;
  readonly state: 'receiving' | 'waiting' | 'running' | 'adopting' | 'done' | 'failed' | 'canceled';
  readonly startedMs: number;
  /** Null while it is under way. */
  readonly finishedMs: number | null;
  /** Why it failed. */
  readonly error: string | null;
  /** Of the body, so far; and how many of them have been read. */
  readonly receivedBytes: number;
  readonly readBytes: number;
  readonly lineCount: number;
  readonly badLineCount: number;
  /** The first of them, counted from 1. */
  readonly badLines: readonly { readonly line: number; readonly error: string }[];
  readonly seriesCount: number;
  readonly sampleCount: number;
  /** Samples that are in blocks so far. */
  readonly writtenCount: number;
  /** Samples that were refused: older than the retention, or in the future. */
  readonly tooOldCount: number;
  readonly tooNewCount: number;
  /** Samples that were left out: another value was there for the same series and time. */
  readonly conflictCount: number;
  /** Times of the first and the last sample; null when there is none. */
  readonly minMs: number | null;
  readonly maxMs: number | null;
  /** Names of the blocks that came of it. */
  readonly blocks: readonly string[];
};
export interface ImportPort {
  /** Resolves when the body has been received; the rest happens later. */
  start(request: ImportRequest, body: Readable, signal: AbortSignal): Promise<ImportStatus>;
  /** The newest first. */
  list(): readonly ImportStatus[];
  find(id: string): ImportStatus | null;
  /** Nothing is left of it, unless its blocks are in use already: then it throws. */
  cancel(id: string): ImportStatus | null;
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

export type PushRequest = {
  /** PUT replaces the whole group, POST metrics of the same names, DELETE ends the group. */
  readonly method: 'PUT' | 'POST' | 'DELETE';
  /** Of the group; they take the place of equally named ones in the body. */
  readonly labels: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** Ends the group so long after the push, unless another push comes; null: it stays. */
  readonly ttlMs: number | null;
  readonly body: Uint8Array;
};
export type PushedGroup = {
  readonly labels: Readonly<Record<string, string>>;
  /** Of the last push that succeeded, and of the last that failed; 0 for never. */
  readonly pushedAtMs: number;
  readonly failedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly seriesCount: number;
};
export interface PushPort {
  /** Null when it is stored, otherwise what is wrong with the body. */
  push(request: PushRequest): Promise<string | null>;
  list(): Promise<readonly PushedGroup[]>;
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

/** What every truncated answer warns of. */
export const TRUNCATED_WARNING = 'results truncated due to limit';
