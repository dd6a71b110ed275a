/**
 * What the web room needs from the house about queries and what they select. The rules of
 * `ports.ts` hold.
 */
import type { FoundText, TextSearch } from './answers/index.ts';
import type { ExpositionFormat } from './exposition/index.ts';
import type { Answer, AnswerBytes, PlainMatcher, TimeRange } from './ports.ts';

/** What every truncated answer warns of. */
export const TRUNCATED_WARNING = 'results truncated due to limit';

// --- Queries, answered by query workers ---

/** Who asks, and by which request. */
export type Asker = {
  readonly address: string;
  readonly userAgent: string;
  readonly method: string;
  /** Without parameters. */
  readonly path: string;
};

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
  instant(request: InstantQuery, signal: AbortSignal): Promise<Answer>;
  range(request: RangeQuery, signal: AbortSignal): Promise<Answer>;
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
  names(request: SelectionRequest, signal: AbortSignal): Promise<Answer>;
  /** `data`: sorted values of the label `name`. */
  values(request: SelectionRequest & { name: string }, signal: AbortSignal): Promise<Answer>;
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
  series(request: SelectionRequest, signal: AbortSignal): Promise<Answer>;
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
  federate(request: FederationRequest, signal: AbortSignal): Promise<Answer>;
}

// --- Which queries are and were asked ---

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
