/**
 * What reads the database for an answer: select, evaluate, serialise, all synchronous; finished
 * bytes come out. Loads neither the HTTP server nor YAML.
 */
import {
  assert,
  CanceledError,
  Labels,
  type Logger,
  type Matcher,
  type Queryable,
} from '../../model/index.ts';
import {
  createEngine,
  type Engine,
  exprToJson,
  FUNCTIONS,
  parseExpr,
  parseSelector,
  prettyExpr,
  type QueryAnswer as EngineAnswer,
  walk,
  writeQueryAnswer,
} from '../../promql/index.ts';
import { type DbReader, openReader, type SharedDb } from '../../tsdb/index.ts';
import type {
  InstantQuery,
  PlainMatcher,
  RangeQuery,
  SearchRequest,
  SelectionRequest,
  SelectorCheck,
  WhyAnswer,
} from '../../web/index.ts';
import { type LanguageFeatures, languageOf } from '../language.ts';
import type { Feature } from '../flags.ts';
import type { QueryCost } from '../query-metrics.ts';
import { answerRead, type ReadJob } from '../remote/read-answer.ts';
import { checkSelectors, evaluator, transitionSamples, whyOf } from '../why/index.ts';
import { withRemotes } from '../remote/read/remote-queryable.ts';
import { limitResult } from './limit-result.ts';
import type { RemoteReadLine } from './remote-read-line.ts';
import { type Call, handOver, Handover } from './rpc.ts';
import { latestColumns, type LatestJob, vectorColumns } from './rule-answers.ts';
import {
  answerFederation,
  answerSearch,
  answerSeries,
  answerTexts,
  type FederationJob,
} from './selection-answers.ts';

export type QuerySettings = {
  /** `--query.max-samples` */
  readonly sampleCountMax: number;
  /** `--query.max-series`, `--query.max-bytes`; 0 for no bound. */
  readonly seriesCountMax: number;
  readonly bytesMax: number;
  /** `--query.lookback-delta` */
  readonly lookbackMs: number;
  readonly features: readonly Feature[];
};

export type Hello = {
  /** For `Db.releaseReader`, should this thread die. */
  readonly owner: number;
  readonly language: LanguageFeatures;
};

/** Of a rule. */
export type RuleQuery = { readonly query: string; readonly timeMs: number };

/** Which parts of an expression give what; `related` are the labels of the alert in question. */
export type WhyJob = RuleQuery & { readonly related: readonly string[] | null };

/** The samples behind changes of state; `alerts` are their labels. */
export type TransitionJob = RuleQuery & { readonly alerts: readonly (readonly string[])[] };

export type QueryAnswer = {
  /** All of it, or what comes after the pieces that were sent ahead. */
  readonly bytes: Uint8Array;
  readonly cost: QueryCost;
  /** How long the writer has waited for who takes the pieces. */
  readonly pausedMs: number;
};

/** A larger answer is sent in pieces of about this size, and the first while it is being written. */
const PIECE_SIZE_BYTES = 1024 * 1024;

/** What the main thread adds to a request. */
type Added = {
  readonly timeoutMs: number;
  readonly queuedSeconds: number;
  /** `evaluation_interval`: the step of subqueries that name none. */
  readonly subqueryStepMs: number;
};

function finish(
  answer: EngineAnswer,
  request: InstantQuery | RangeQuery,
  call: Call,
): Handover<QueryAnswer> {
  const { limit, stats, warnings } = request;
  const limited = limitResult(answer, limit, warnings);
  const { sendPiece } = call;
  let pausedMs = 0;
  const bytes = writeQueryAnswer(limited, {
    stats: stats !== 'none',
    isCanceled: () => call.isCanceled(),
    taker:
      sendPiece === undefined
        ? null
        : { sizeBytesMin: PIECE_SIZE_BYTES, take: (piece) => (pausedMs += sendPiece(piece)) },
  });
  const { value, buffers } = handOver(bytes);
  const { timings, samples } = answer.stats;
  const { result } = answer;
  const cost: QueryCost = {
    samples: samples.totalQueryableSamples,
    samplesRead: samples.samplesRead,
    seriesCount:
      result.kind === 'matrix'
        ? result.series.length
        : result.kind === 'vector'
          ? result.entries.length
          : 1,
    prepareSeconds: timings.queryPreparationTime,
    evalSeconds: timings.innerEvalTime,
    sortSeconds: timings.resultSortTime,
  };
  return new Handover({ bytes: value, cost, pausedMs }, buffers);
}

function plainMatchers(matchers: readonly Matcher[]): PlainMatcher[] {
  return matchers.map(({ name, operator, value }) => ({ name, operator, value }));
}

/** Work like that of the methods, on made-up data: one query a step, without end. */
export { warmUp as practice } from '../../promql/index.ts';

/** One set per thread. `hello` opens the database and has to come first. */
export function createQueryMethods(
  settings: QuerySettings,
  logger: Logger,
  /** Where other servers may be asked. */
  line: RemoteReadLine | null = null,
) {
  const features = new Set(settings.features);
  const language = languageOf(features);
  const engines = new Map<number, Engine>();
  let opened: DbReader | null = null;

  function reader(): DbReader {
    assert(opened !== null, 'greeted before it is asked');
    return opened;
  }

  /** Our own samples, and those of other servers. */
  function allSamples(call: Call, timeoutMs: number): Queryable {
    const own = reader();
    if (line?.hasServers !== true) return own;
    const endMs = performance.now() + timeoutMs;
    const ownSinceMs = () => oldestMs(own) + line.marginMs;
    return withRemotes(own, ownSinceMs, (selection) =>
      line.ask(selection, () => call.isCanceled(), endMs),
    );
  }

  function engineFor(subqueryStepMs: number): Engine {
    let engine = engines.get(subqueryStepMs);
    if (engine === undefined) {
      engine = createEngine({
        lookbackMs: settings.lookbackMs,
        timeoutMs: Infinity,
        samplesMax: settings.sampleCountMax,
        seriesMax: settings.seriesCountMax,
        bytesMax: settings.bytesMax,
        subqueryStepMs,
        perStepStats: features.has('promql-per-step-stats'),
        language,
        features: {
          delayedNameRemoval: features.has('promql-delayed-name-removal'),
          startTimestamps: features.has('use-start-timestamps'),
          typeAndUnitLabels: features.has('type-and-unit-labels'),
        },
      });
      engines.clear();
      engines.set(subqueryStepMs, engine);
    }
    return engine;
  }

  function whyContext({ timeMs, timeoutMs, subqueryStepMs }: RuleQuery & Added, call: Call) {
    return {
      engine: engineFor(subqueryStepMs),
      queryable: reader(),
      language,
      timeMs,
      lookbackMs: settings.lookbackMs,
      timeoutMs,
      isCanceled: () => call.isCanceled(),
    };
  }

  return {
    hello: (shared: SharedDb): Hello => {
      opened = openReader(shared, { logger });
      const functions = Object.fromEntries(
        [...FUNCTIONS.values()].map(({ name, experimental }) => [name, experimental]),
      );
      return { owner: opened.owner, language: { functions } };
    },

    instant: (request: InstantQuery & Added, call: Call) => {
      const { query, timeMs, lookbackMs, timeoutMs, queuedSeconds, subqueryStepMs } = request;
      const answer = engineFor(subqueryStepMs).instant({
        query,
        timeMs,
        queryable: allSamples(call, timeoutMs),
        ...(lookbackMs === null ? {} : { lookbackMs }),
        timeoutMs,
        queuedSeconds,
        perStepStats: request.stats === 'all',
        isCanceled: () => call.isCanceled(),
        onProgress: call.report,
      });
      return finish(answer, request, call);
    },

    range: (request: RangeQuery & Added, call: Call) => {
      const { query, startMs, endMs, stepMs, lookbackMs, timeoutMs, queuedSeconds } = request;
      const answer = engineFor(request.subqueryStepMs).range({
        query,
        startMs,
        endMs,
        stepMs,
        queryable: allSamples(call, timeoutMs),
        ...(lookbackMs === null ? {} : { lookbackMs }),
        timeoutMs,
        queuedSeconds,
        perStepStats: request.stats === 'all',
        isCanceled: () => call.isCanceled(),
        onProgress: call.report,
      });
      return finish(answer, request, call);
    },

    /** An instant query whose result is worked with. */
    ruleVector: (request: RuleQuery & Added, call: Call) => {
      const { query, timeMs, timeoutMs, queuedSeconds, subqueryStepMs } = request;
      const answer = engineFor(subqueryStepMs).instant({
        query,
        timeMs,
        queryable: allSamples(call, timeoutMs),
        timeoutMs,
        queuedSeconds,
        isCanceled: () => call.isCanceled(),
        onProgress: call.report,
      });
      return vectorColumns(answer);
    },
    why: (job: WhyJob & Added, call: Call): WhyAnswer => {
      const related = job.related === null ? null : Labels.fromSorted(job.related);
      return whyOf(job.query, related, whyContext(job, call));
    },
    transitionSamples: (job: TransitionJob & Added, call: Call): string[] =>
      transitionSamples(job.query, job.alerts, {
        language,
        evaluate: evaluator(whyContext(job, call)),
      }),
    /** One list for each query; a rule's selectors are looked at without evaluating it. */
    checkSelectors: (
      { queries, timeMs }: { readonly queries: readonly string[]; readonly timeMs: number },
      call: Call,
    ): SelectorCheck[][] => {
      const { lookbackMs } = settings;
      const context = { queryable: reader(), language, timeMs, lookbackMs };
      return queries.map((query) => {
        if (call.isCanceled()) throw new CanceledError('check of rules canceled');
        return [...checkSelectors(query, context)];
      });
    },
    latest: (job: LatestJob) => latestColumns(reader(), job),

    format: (query: string): string => prettyExpr(parseExpr(query, language)),
    parse: (query: string): Uint8Array =>
      new TextEncoder().encode(JSON.stringify(exprToJson(parseExpr(query, language)))),
    /** The matchers of selectors that stand alone. */
    selectors: (texts: readonly string[]): PlainMatcher[][] =>
      texts.map((text) => plainMatchers(parseSelector(text))),
    /** The matchers of every selector in a query. */
    selectorsOf: (query: string): PlainMatcher[][] => {
      const found: PlainMatcher[][] = [];
      walk(parseExpr(query, language), (expr) => {
        if (expr.kind === 'VectorSelector') found.push(plainMatchers(expr.matchers));
      });
      return found;
    },

    search: (request: SearchRequest) => answerSearch(reader(), request),
    labelNames: (request: SelectionRequest, call: Call) =>
      handOver(answerTexts(reader(), request, null, call.sendPiece)),
    labelValues: (request: SelectionRequest & { readonly name: string }, call: Call) =>
      handOver(answerTexts(reader(), request, request.name, call.sendPiece)),
    series: (request: SelectionRequest, call: Call) =>
      handOver(answerSeries(allSamples(call, Infinity), request, call.sendPiece)),
    readPage: (job: ReadJob, call: Call) => {
      const page = answerRead(reader(), job, () => call.isCanceled());
      const { value: bytes, buffers } = handOver(page.bytes);
      return new Handover({ ...page, bytes }, buffers);
    },
    federate: (job: FederationJob, call: Call) =>
      handOver(answerFederation(reader(), job, call.sendPiece)),
  };
}
/** Infinity when there is nothing. */
function oldestMs(reader: DbReader): number {
  const [first] = reader.blocks();
  return Math.min(first?.meta.minMs ?? Infinity, reader.head.minMs);
}
export type QueryMethods = ReturnType<typeof createQueryMethods>;
