/**
 * Everything that is answered by reading the database, as the ports that the web asks. Here queries
 * meet the pool, their deadline, the figures and the logs; no value of an answer is looked at.
 */
import { CanceledError, type Clock, type Logger, messageOf, spanOf } from '../model/index.ts';
import type {
  Answer,
  AnswerBytes,
  FederationPort,
  InstantQuery,
  LabelPort,
  LanguagePort,
  QueryOptions,
  QueryPort,
  RangeQuery,
  SelectionRequest,
  SelectorCheck,
  SearchPort,
  SearchRequest,
  SeriesPort,
  WhyAnswer,
} from '../web/index.ts';
import type { ActiveQueries, Activity } from './active-queries.ts';
import type { QueryLog } from './history/query-log.ts';
import { type LoggedQuery, queryLogLine } from './query-log-line.ts';
import type { RuleGroupName } from './rules/rule-ports.ts';
import { explainBound, type QueryBounds } from './query-bounds.ts';
import type { QueryCost, QueryMetrics } from './query-metrics.ts';
import type { ReadJob, ReadPage } from './remote/read-answer.ts';
import { traceQuery } from './tracing/query-spans.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import { type NearWork, OverBudgetError } from './threads/near-work.ts';
import type {
  QueryAnswer,
  QueryMethods,
  RuleQuery,
  TransitionJob,
  WhyJob,
} from './threads/query-methods.ts';
import type { QueryPool, WorkOptions } from './threads/query-pool.ts';
import type { QueryClient } from './threads/query-workers.ts';
import { PieceQueue } from './threads/answer-pieces.ts';
import type { Begun, OpenPieces } from './threads/rpc.ts';
import type { LatestColumns, LatestJob, VectorColumns } from './threads/rule-answers.ts';
import type { WorkHistory } from './threads/work-history.ts';

export type QueriesOptions = {
  readonly pool: QueryPool<QueryClient>;
  readonly near: NearWork<QueryMethods>;
  readonly history: WorkHistory;
  readonly ingest: IngestClient;
  readonly active: ActiveQueries;
  readonly metrics: QueryMetrics;
  readonly clock: Clock;
  /** A request may ask for less time. */
  readonly bounds: QueryBounds;
  readonly lookbackMs: number;
  /** `evaluation_interval` in force. */
  readonly subqueryStepMs: () => number;
  readonly externalLabels: () => Readonly<Record<string, string>>;
  /** History; null while there is none. */
  readonly queryLog: () => QueryLog | null;
  /** `query_log_file`; null when none is configured. */
  readonly queryLogFile: () => Logger | null;
};

/** A thread that answers, or this one. */
type Answerer = Pick<QueryClient, 'start'>;

type BeginQuery = (
  client: Answerer,
  added: { timeoutMs: number; queuedSeconds: number; subqueryStepMs: number },
  openPieces: OpenPieces,
) => Begun<QueryAnswer>;

type Asked = {
  readonly kind: 'instant' | 'range';
  readonly request: QueryOptions;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
};

export class Queries
  implements QueryPort, LanguagePort, LabelPort, SeriesPort, SearchPort, FederationPort
{
  readonly #options: QueriesOptions;

  constructor(options: QueriesOptions) {
    this.#options = options;
  }

  instant(request: InstantQuery, signal: AbortSignal): Promise<Answer> {
    const { timeMs } = request;
    const asked = { kind: 'instant', request, startMs: timeMs, endMs: timeMs, stepMs: 0 } as const;
    return this.#ask(`instant ${request.query}`, asked, signal, (client, added, openPieces) =>
      client.start('instant', { ...request, ...added }, [], openPieces),
    );
  }

  range(request: RangeQuery, signal: AbortSignal): Promise<Answer> {
    const { startMs, endMs, stepMs } = request;
    const asked = { kind: 'range', request, startMs, endMs, stepMs } as const;
    const key = `range ${magnitude((endMs - startMs) / stepMs)} ${request.query}`;
    return this.#ask(key, asked, signal, (client, added, openPieces) =>
      client.start('range', { ...request, ...added }, [], openPieces),
    );
  }

  async exemplars(
    { query, minMs, maxMs }: { query: string; minMs: number; maxMs: number },
    signal: AbortSignal,
  ): Promise<AnswerBytes | null> {
    const sets = await this.#other(`selectorsOf ${query}`, signal, (client) =>
      client.start('selectorsOf', query),
    );
    if (sets.length === 0) return null;
    // Exemplars lie with the writer, not in shared memory.
    return this.#options.ingest.call('exemplars', { minMs, maxMs, sets }, { signal });
  }

  format(query: string, signal: AbortSignal) {
    return this.#other(`format ${query}`, signal, (client) => client.start('format', query));
  }

  parse(query: string, signal: AbortSignal) {
    return this.#other(`parse ${query}`, signal, (client) => client.start('parse', query));
  }

  selectors(texts: readonly string[], signal: AbortSignal) {
    return this.#other(`selectors ${texts.join(' ')}`, signal, (client) =>
      client.start('selectors', texts),
    );
  }

  names(request: Parameters<LabelPort['names']>[0], signal: AbortSignal) {
    return this.#bytes(`names ${selectionKey(request)}`, signal, (client, openPieces) =>
      client.start('labelNames', request, [], openPieces),
    );
  }

  values(request: Parameters<LabelPort['values']>[0], signal: AbortSignal) {
    const key = `values ${request.name} ${selectionKey(request)}`;
    return this.#bytes(key, signal, (client, openPieces) =>
      client.start('labelValues', request, [], openPieces),
    );
  }

  search(request: SearchRequest, signal: AbortSignal) {
    return this.#other(`search ${request.label} ${selectionKey(request)}`, signal, (client) =>
      client.start('search', request),
    );
  }

  series(request: Parameters<SeriesPort['series']>[0], signal: AbortSignal) {
    return this.#bytes(`series ${selectionKey(request)}`, signal, (client, openPieces) =>
      client.start('series', request, [], openPieces),
    );
  }

  federate(request: Parameters<FederationPort['federate']>[0], signal: AbortSignal) {
    const { clock, lookbackMs, externalLabels } = this.#options;
    const job = {
      ...request,
      nowMs: clock.nowMs(),
      lookbackMs,
      externalLabels: externalLabels(),
    };
    const key = `federate ${request.selectors.join(' ')}`;
    return this.#bytes(key, signal, (client, openPieces) =>
      client.start('federate', job, [], openPieces),
    );
  }

  /**
   * The result of a rule's expression, or of a query in a template.
   * @param ruleGroup  what asks; absent for what is not logged
   */
  async ruleVector(
    request: RuleQuery,
    signal: AbortSignal,
    ruleGroup?: RuleGroupName,
  ): Promise<VectorColumns> {
    const { metrics, bounds, clock, subqueryStepMs } = this.#options;
    const { timeoutMs } = bounds;
    const { query, timeMs } = request;
    const startedMs = clock.monotonicMs();
    let waited = 0;
    const note = (cost: QueryCost | null, error: string | null) => {
      const span = spanOf(signal);
      const durationMs = clock.monotonicMs() - startedMs;
      const times = { query, totalMs: durationMs, queuedMs: waited, cost, error };
      const traced = span === null ? null : traceQuery(span, { ...times, kind: 'rule' });
      if (ruleGroup === undefined) return;
      const asked = { query, startMs: timeMs, endMs: timeMs, stepMs: 0, durationMs };
      const origin = { ruleGroup };
      this.#logToFile({ ...asked, waitedMs: waited, cost, error, traced, origin });
    };
    try {
      const columns = await this.#do(
        `rule ${query}`,
        { isQuery: true, signal, timeoutMs },
        (client, waitedMs) => {
          waited = waitedMs;
          return client.start('ruleVector', {
            ...request,
            timeoutMs: Math.max(1, timeoutMs - waitedMs),
            queuedSeconds: waitedMs / 1000,
            subqueryStepMs: subqueryStepMs(),
          });
        },
        { kind: 'rule', query, startMs: timeMs, endMs: timeMs, stepMs: 0, client: null },
      );
      metrics.answered(columns.cost);
      note(columns.cost, null);
      return columns;
    } catch (error) {
      if (!(error instanceof CanceledError)) note(null, messageOf(error));
      throw error;
    }
  }

  /** Taking an expression apart evaluates it many times: never for this thread. */
  why(job: WhyJob, signal: AbortSignal): Promise<WhyAnswer> {
    return this.#inWorker(signal, true, (client, added) =>
      client.start('why', { ...job, ...added }),
    );
  }

  transitionSamples(job: TransitionJob, signal: AbortSignal): Promise<string[]> {
    return this.#inWorker(signal, false, (client, added) =>
      client.start('transitionSamples', { ...job, ...added }),
    );
  }

  checkSelectors(
    job: { readonly queries: readonly string[]; readonly timeMs: number },
    signal: AbortSignal,
  ): Promise<SelectorCheck[][]> {
    return this.#inWorker(signal, false, (client) => client.start('checkSelectors', job));
  }

  #inWorker<T>(
    signal: AbortSignal,
    isQuery: boolean,
    begin: (
      client: QueryClient,
      added: { timeoutMs: number; queuedSeconds: number; subqueryStepMs: number },
    ) => Begun<T>,
  ): Promise<T> {
    const { pool, bounds, subqueryStepMs } = this.#options;
    const { timeoutMs } = bounds;
    return pool.run({ isQuery, signal, timeoutMs }, (client, waitedMs) =>
      begin(client, {
        timeoutMs: Math.max(1, timeoutMs - waitedMs),
        queuedSeconds: waitedMs / 1000,
        subqueryStepMs: subqueryStepMs(),
      }),
    );
  }

  latest(job: LatestJob, signal: AbortSignal): Promise<LatestColumns> {
    return this.#other(`latest ${JSON.stringify(job.equal)}`, signal, (client) =>
      client.start('latest', job),
    );
  }

  /** A page of a remote read; it is long work, so never for this thread. */
  readPage(job: ReadJob, signal: AbortSignal): Promise<ReadPage> {
    const { pool, bounds } = this.#options;
    return pool.run({ isQuery: false, signal, timeoutMs: bounds.timeoutMs }, (client) =>
      client.start('readPage', job),
    );
  }

  /** Work that is no query: neither counted nor logged, but bounded in time like one. */
  #other<T>(key: string, signal: AbortSignal, begin: (client: Answerer) => Begun<T>): Promise<T> {
    const { timeoutMs } = this.#options.bounds;
    return this.#do(key, { isQuery: false, signal, timeoutMs }, begin);
  }

  /** The same for an answer that may be large. */
  #bytes(
    key: string,
    signal: AbortSignal,
    begin: (client: Answerer, openPieces: OpenPieces) => Begun<AnswerBytes>,
  ): Promise<Answer> {
    return this.#inPieces((openPieces) =>
      this.#other(key, signal, (client) => begin(client, openPieces)),
    );
  }

  /** In this thread where that is known to be short, else in a worker. */
  async #do<T>(
    key: string,
    options: WorkOptions,
    begin: (client: Answerer, waitedMs: number) => Begun<T>,
    activity: Activity | null = null,
  ): Promise<T> {
    const { near, history, pool, active, metrics, bounds } = this.#options;
    let begun: Begun<T> | null = null;
    let waitedSeconds: number | null = null;
    try {
      if (near.isFor(key)) {
        waitedSeconds = 0;
        begun = begin(near, 0);
        try {
          return await begun.result;
        } catch (error) {
          if (!(error instanceof OverBudgetError)) throw error;
        }
      }
      const running = activity === null ? null : active.add(activity, options.signal);
      try {
        const { signal } = running ?? options;
        const expectedMs = history.expectation(key);
        return await pool.run({ ...options, signal, expectedMs }, (client, waitedMs) => {
          waitedSeconds = waitedMs / 1000;
          running?.begun(() => client.progress);
          begun = begin(client, waitedMs);
          return begun;
        });
      } finally {
        running?.ended();
      }
    } catch (error) {
      throw explainBound(error, options.timeoutMs, bounds);
    } finally {
      this.#note(key, begun, begin);
      if (options.isQuery && waitedSeconds !== null) metrics.waited(waitedSeconds);
    }
  }

  /** Nothing is learnt from what nobody waited for to the end. */
  #note<T>(
    key: string,
    begun: Begun<T> | null,
    begin: (client: Answerer, waitedMs: number) => Begun<T>,
  ): void {
    const workMs = begun?.workMs() ?? null;
    if (workMs === null) return;
    const { near, history } = this.#options;
    history.note(key, workMs);
    near.took(workMs, () => {
      begin(near, 0).result.catch(() => {});
    });
  }

  #ask(key: string, asked: Asked, signal: AbortSignal, begin: BeginQuery): Promise<Answer> {
    return this.#inPieces((openPieces) => this.#evaluate(key, asked, signal, begin, openPieces));
  }

  /**
   * Gives a large answer with its first piece, while the worker still has to do with it.
   * @param ask  gives what comes after the pieces, which is all where there are none
   */
  #inPieces(ask: (openPieces: OpenPieces) => Promise<AnswerBytes>): Promise<Answer> {
    const { pool } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const large: { pieces: PieceQueue | null } = { pieces: null };
    const openPieces: OpenPieces = (taken) => {
      const pieces = new PieceQueue(taken);
      if (pool.hasWaiting) pieces.release();
      large.pieces = pieces;
      resolve(pieces);
      return pieces;
    };
    ask(openPieces).then(
      (bytes) => (large.pieces === null ? resolve(bytes) : large.pieces.complete(bytes)),
      (error: unknown) => (large.pieces === null ? reject(error) : large.pieces.fail(error)),
    );
    return promise;
  }

  /** @returns what comes after the pieces, which is all where there are none */
  async #evaluate(
    key: string,
    asked: Asked,
    signal: AbortSignal,
    begin: BeginQuery,
    openPieces: OpenPieces,
  ): Promise<AnswerBytes> {
    const { metrics, clock } = this.#options;
    const { bounds } = this.#options;
    const timeoutMs = Math.min(asked.request.timeoutMs ?? Infinity, bounds.timeoutMs);
    const startedMs = clock.monotonicMs();
    let waitedMs = 0;
    try {
      const { bytes, cost, pausedMs } = await this.#do(
        key,
        { isQuery: true, signal, timeoutMs },
        (client, waited) => {
          waitedMs = waited;
          const added = {
            timeoutMs: Math.max(1, timeoutMs - waited),
            queuedSeconds: waited / 1000,
            subqueryStepMs: this.#options.subqueryStepMs(),
          };
          return begin(client, added, openPieces);
        },
        activityOf(asked),
      );
      metrics.answered(cost);
      // How fast a client reads says nothing about a query.
      this.#log(asked, clock.monotonicMs() - startedMs - pausedMs, waitedMs, cost, null, signal);
      return bytes;
    } catch (error) {
      const isOurs = error instanceof CanceledError && signal.aborted;
      if (!isOurs) this.#log(asked, clock.monotonicMs() - startedMs, waitedMs, null, error, signal);
      throw error;
    }
  }

  #log(
    { kind, request, startMs, endMs, stepMs }: Asked,
    durationMs: number,
    waitedMs: number,
    cost: QueryCost | null,
    error: unknown,
    signal: AbortSignal,
  ): void {
    const { query } = request;
    const message = error === null ? null : messageOf(error);
    const span = spanOf(signal);
    const times = { query, kind, totalMs: durationMs, queuedMs: waitedMs, cost, error: message };
    const traced = span === null ? null : traceQuery(span, times);
    this.#options.queryLog()?.add({
      query,
      kind,
      atMs: this.#options.clock.nowMs(),
      durationMs,
      samples: cost?.samples ?? 0,
      series: cost?.seriesCount ?? 0,
      error: message,
    });
    const { address: clientIP, method, path } = request.client;
    const origin = { httpRequest: { clientIP, method, path } };
    const asked = { query, startMs, endMs, stepMs, durationMs, waitedMs, cost };
    this.#logToFile({ ...asked, error: message, traced, origin });
  }

  #logToFile(logged: LoggedQuery): void {
    this.#options.queryLogFile()?.info('promql query logged', queryLogLine(logged));
  }
}

function activityOf({ kind, request, startMs, endMs, stepMs }: Asked): Activity {
  const { query, client } = request;
  return { kind, query, startMs, endMs, stepMs, client };
}

/** The number of binary digits: equal for what differs by less than a factor of two. */
function magnitude(value: number): number {
  return Math.ceil(Math.log2(Math.max(1, value)));
}

function selectionKey({
  selectors,
  minMs,
  maxMs,
}: Pick<SelectionRequest, 'selectors' | 'minMs' | 'maxMs'>): string {
  return `${magnitude(maxMs - minMs)} ${selectors.join(' ')}`;
}
