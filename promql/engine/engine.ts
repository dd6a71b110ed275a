/**
 * Evaluates PromQL. Synchronous: it runs in threads that have nothing else to do, sees storage as a
 * Queryable, and lets go of the thread only when it is done, out of time, or told to stop.
 */
import type { Queryable } from '../../model/index.ts';
import { type Expr, typeOf } from '../ast.ts';
import type { ParserOptions } from '../parser/options.ts';
import { parseExpr } from '../parser/parse.ts';
import { describePlan } from '../plan/describe.ts';
import { type Grid, isScalarNode, isWindowNode, type Plan } from '../plan/nodes.ts';
import { planQuery } from '../plan/plan.ts';
import { BadQueryError, ExecutionError } from '../query-errors.ts';
import { Builder } from './build.ts';
import {
  collectMatrix,
  collectVector,
  collectWindows,
  removeDelayedNames,
  scalarSeries,
  sortSeries,
} from './collect.ts';
import {
  type ProgressListener,
  QueryContext,
  type QueryFeatures,
  type QueryLimits,
} from './context.ts';
import type { QueryAnswer, QueryResult } from './result.ts';
import { Scope } from './scope.ts';
import type { QueryStats, QueryTimings } from './stats.ts';
import { emptyQuerier } from './empty-querier.ts';
import { extensionOf } from './window/window-call.ts';

export type EngineOptions = {
  /** How far an instant selector looks back. */
  readonly lookbackMs?: number;
  /** Longest time that a query may take. */
  readonly timeoutMs?: number;
  /** Most samples that a query may hold; 0 for no bound. */
  readonly samplesMax?: number;
  /** Most series that one selector may find; 0 for no bound. */
  readonly seriesMax?: number;
  /** Most memory for samples and results at one time; 0, the default, for no bound. */
  readonly bytesMax?: number;
  /** Most annotations of each level that are returned; 0 for no bound. */
  readonly annotationsMax?: number;
  /** Step of subqueries that name none: the global evaluation interval. */
  readonly subqueryStepMs?: number;
  /** `promql-per-step-stats`: whether statistics per step can be had. */
  readonly perStepStats?: boolean;
  readonly language?: ParserOptions;
  readonly features?: Partial<QueryFeatures>;
};

/** What every query brings along. */
type CommonRequest = {
  readonly query: string;
  readonly queryable: Queryable;
  /** In place of the engine's. */
  readonly lookbackMs?: number;
  readonly timeoutMs?: number;
  /** Statistics per step are wanted. */
  readonly perStepStats?: boolean;
  /** Asked every now and then; true stops the query. */
  readonly isCanceled?: () => boolean;
  /** Told every now and then what the query has cost so far. */
  readonly onProgress?: ProgressListener;
  /** How long the query waited for its turn, for the statistics. */
  readonly queuedSeconds?: number;
};
export type InstantRequest = CommonRequest & { readonly timeMs: number };
export type RangeRequest = CommonRequest & {
  readonly startMs: number;
  readonly endMs: number;
  /** A whole number. */
  readonly stepMs: number;
};

/** Syntax trees of instant queries that are kept. */
const PARSED_COUNT_MAX = 500;
const PARSED_LENGTH_MAX = 2000;
const DEFAULT_LOOKBACK_MS = 5 * 60_000;
const DEFAULT_TIMEOUT_MS = 2 * 60_000;
const DEFAULT_SAMPLES_MAX = 50_000_000;
const DEFAULT_ANNOTATIONS_MAX = 10;
const DEFAULT_SUBQUERY_STEP_MS = 60_000;

const TYPE_NAMES = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
} as const;

export type Engine = {
  /** @throws PromqlParseError and the errors of query-errors.ts */
  instant(request: InstantRequest): QueryAnswer;
  range(request: RangeRequest): QueryAnswer;
  /** How a query would be evaluated, as indented text. */
  explain(query: string, grid: Grid, isInstant: boolean): string;
};

export function createEngine(options: EngineOptions = {}): Engine {
  const features: QueryFeatures = {
    delayedNameRemoval: false,
    startTimestamps: false,
    typeAndUnitLabels: false,
    ...options.features,
  };
  const limits: QueryLimits = {
    samplesMax: options.samplesMax ?? DEFAULT_SAMPLES_MAX,
    seriesMax: options.seriesMax ?? 0,
    bytesMax: options.bytesMax ?? 0,
  };

  function plan(query: string, expr: Expr, grid: Grid, isInstant: boolean, lookbackMs?: number) {
    return planQuery(expr, {
      query,
      grid,
      isInstant,
      lookbackMs: lookbackMs || options.lookbackMs || DEFAULT_LOOKBACK_MS,
      subqueryStepMs: () => options.subqueryStepMs ?? DEFAULT_SUBQUERY_STEP_MS,
    });
  }

  function run(request: CommonRequest, expr: Expr, grid: Grid, isInstant: boolean): QueryAnswer {
    const started = performance.now();
    const { query, queryable } = request;
    const planned = plan(query, expr, grid, isInstant, request.lookbackMs);
    const { span } = planned;
    const querier = span === null ? emptyQuerier : queryable.querier(span.minMs, span.maxMs);
    try {
      const timeoutMs = Math.min(
        request.timeoutMs ?? Infinity,
        options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      );
      const context = new QueryContext(querier, features, limits, {
        deadlineMs: Date.now() + timeoutMs,
        isCanceled: request.isCanceled ?? null,
        onProgress: request.onProgress ?? null,
      });
      const scope = new Scope(grid);
      const prepared = performance.now();
      const { result, sortSeconds } = evaluate(planned, scope, context, isInstant);
      const finished = performance.now();
      const perStep = options.perStepStats === true && request.perStepStats === true;
      const annotations = context.annotations.texts(
        query,
        options.annotationsMax ?? DEFAULT_ANNOTATIONS_MAX,
      );
      return {
        result,
        warnings: [...context.storageWarnings, ...annotations.warnings],
        infos: annotations.infos,
        stats: statsOf(scope, context, perStep, {
          queryPreparationTime: (prepared - started) / 1000,
          innerEvalTime: (finished - prepared) / 1000 - sortSeconds,
          resultSortTime: sortSeconds,
          evalTotalTime: (finished - started) / 1000,
          execQueueTime: request.queuedSeconds ?? 0,
          execTotalTime: (finished - started) / 1000 + (request.queuedSeconds ?? 0),
        }),
      };
    } finally {
      querier.close();
    }
  }

  /** Rules and dashboards ask the same again and again. Trees never change, so they can be shared. */
  const parsed = new Map<string, Expr>();
  function parseOnce(query: string): Expr {
    let expr = parsed.get(query);
    if (expr === undefined) {
      expr = parseExpr(query, options.language);
      if (parsed.size >= PARSED_COUNT_MAX) parsed.clear();
      if (query.length <= PARSED_LENGTH_MAX) parsed.set(query, expr);
    }
    return expr;
  }

  return {
    instant(request) {
      const expr = parseOnce(request.query);
      return run(request, expr, instantGrid(request.timeMs), true);
    },
    range(request) {
      const expr = parseExpr(request.query, options.language);
      const type = typeOf(expr);
      if (type !== 'vector' && type !== 'scalar') {
        throw new BadQueryError(
          `invalid expression type "${TYPE_NAMES[type]}" for range query, ` +
            'must be Scalar or instant Vector',
        );
      }
      const { startMs, endMs, stepMs } = request;
      if (stepMs < 1) {
        throw new ExecutionError(
          'the step of a query must be at least 1ms, the unit of timestamps',
        );
      }
      const stepCount = Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1);
      return run(request, expr, { startMs, endMs, stepMs, stepCount }, false);
    },
    explain(query, grid, isInstant) {
      const expr = parseExpr(query, options.language);
      return describePlan(plan(query, expr, grid, isInstant));
    },
  };
}

function instantGrid(timeMs: number): Grid {
  return { startMs: timeMs, endMs: timeMs, stepMs: 1, stepCount: 1 };
}

function evaluate(
  { root, grid }: Plan,
  scope: Scope,
  context: QueryContext,
  isInstant: boolean,
): { result: QueryResult; sortSeconds: number } {
  const unsorted = (result: QueryResult) => ({ result, sortSeconds: 0 });
  context.checkInterrupt();
  const builder = new Builder(context);
  const timestampMs = grid.startMs;
  if (root.kind === 'string') return unsorted({ kind: 'string', timestampMs, value: root.value });
  if (isWindowNode(root)) {
    const series = collectWindows(builder.window(root, scope), extensionOf(root), context);
    return unsorted({ kind: 'matrix', series });
  }
  if (isScalarNode(root)) {
    const values = builder.scalar(root, scope);
    context.hold(values.length);
    return unsorted(
      isInstant
        ? { kind: 'scalar', timestampMs, value: values[0]! }
        : { kind: 'matrix', series: [scalarSeries(values, grid)] },
    );
  }
  const operator = removeDelayedNames(builder.vector(root, scope), context);
  if (isInstant) {
    return unsorted({ kind: 'vector', timestampMs, entries: collectVector(operator, context) });
  }
  const series = collectMatrix(operator, grid, context);
  const collected = performance.now();
  sortSeries(series);
  return {
    result: { kind: 'matrix', series },
    sortSeconds: (performance.now() - collected) / 1000,
  };
}

function statsOf(
  { grid, counts }: Scope,
  context: QueryContext,
  perStep: boolean,
  timings: QueryTimings,
): QueryStats {
  const timestampsMs = counts.queryable.map((_, step) => grid.startMs + step * grid.stepMs);
  return {
    timings,
    samples: {
      totalQueryableSamples: counts.queryableTotal,
      samplesRead: counts.readTotal,
      peakSamples: context.peakSamples,
      perStep: perStep
        ? {
            timestampsMs,
            totalQueryableSamples: counts.queryable,
            samplesRead: counts.read,
          }
        : null,
    },
  };
}
