/**
 * What reads the database for an answer: select, evaluate, serialise, all synchronous; finished
 * bytes come out. Loads neither the HTTP server nor YAML.
 */
import { assert, type Logger, type Matcher } from '../../model/index.ts';
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
import type { InstantQuery, PlainMatcher, RangeQuery, SelectionRequest } from '../../web/index.ts';
import { type LanguageFeatures, languageOf } from '../language.ts';
import type { Feature } from '../flags.ts';
import type { QueryCost } from '../query-metrics.ts';
import { answerRead, type ReadJob } from '../remote/read-answer.ts';
import { limitResult } from './limit-result.ts';
import { type Call, handOver, Handover } from './rpc.ts';
import { latestColumns, type LatestJob, vectorColumns } from './rule-answers.ts';
import {
  answerFederation,
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

export type QueryAnswer = { readonly bytes: Uint8Array; readonly cost: QueryCost };

/** What the main thread adds to a request. */
type Added = {
  readonly timeoutMs: number;
  readonly queuedSeconds: number;
  /** `evaluation_interval`: the step of subqueries that name none. */
  readonly subqueryStepMs: number;
};

function finish(answer: EngineAnswer, request: InstantQuery | RangeQuery): Handover<QueryAnswer> {
  const { limit, stats, warnings } = request;
  const limited = limitResult(answer, limit, warnings);
  const bytes = writeQueryAnswer(limited, { stats: stats !== 'none' });
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
  return new Handover({ bytes: value, cost }, buffers);
}

function plainMatchers(matchers: readonly Matcher[]): PlainMatcher[] {
  return matchers.map(({ name, operator, value }) => ({ name, operator, value }));
}

/** One set per thread. `hello` opens the database and has to come first. */
export function createQueryMethods(settings: QuerySettings, logger: Logger) {
  const features = new Set(settings.features);
  const language = languageOf(features);
  const engines = new Map<number, Engine>();
  let opened: DbReader | null = null;

  function reader(): DbReader {
    assert(opened !== null, 'greeted before it is asked');
    return opened;
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
        queryable: reader(),
        ...(lookbackMs === null ? {} : { lookbackMs }),
        timeoutMs,
        queuedSeconds,
        perStepStats: request.stats === 'all',
        isCanceled: () => call.isCanceled(),
      });
      return finish(answer, request);
    },

    range: (request: RangeQuery & Added, call: Call) => {
      const { query, startMs, endMs, stepMs, lookbackMs, timeoutMs, queuedSeconds } = request;
      const answer = engineFor(request.subqueryStepMs).range({
        query,
        startMs,
        endMs,
        stepMs,
        queryable: reader(),
        ...(lookbackMs === null ? {} : { lookbackMs }),
        timeoutMs,
        queuedSeconds,
        perStepStats: request.stats === 'all',
        isCanceled: () => call.isCanceled(),
      });
      return finish(answer, request);
    },

    /** An instant query whose result is worked with. */
    ruleVector: (request: RuleQuery & Added, call: Call) => {
      const { query, timeMs, timeoutMs, queuedSeconds, subqueryStepMs } = request;
      const answer = engineFor(subqueryStepMs).instant({
        query,
        timeMs,
        queryable: reader(),
        timeoutMs,
        queuedSeconds,
        isCanceled: () => call.isCanceled(),
      });
      return vectorColumns(answer);
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

    labelNames: (request: SelectionRequest) => handOver(answerTexts(reader(), request, null)),
    labelValues: (request: SelectionRequest & { readonly name: string }) =>
      handOver(answerTexts(reader(), request, request.name)),
    series: (request: SelectionRequest) => handOver(answerSeries(reader(), request)),
    readPage: (job: ReadJob, call: Call) => {
      const page = answerRead(reader(), job, () => call.isCanceled());
      const { value: bytes, buffers } = handOver(page.bytes);
      return new Handover({ ...page, bytes }, buffers);
    },
    federate: (job: FederationJob) => handOver(answerFederation(reader(), job)),
  };
}
export type QueryMethods = ReturnType<typeof createQueryMethods>;
