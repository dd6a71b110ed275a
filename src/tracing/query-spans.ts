/**
 * The spans of a query, named as Prometheus names them:
 *
 *   promqlExec
 *     promqlExecQueue
 *     promqlEval
 *       promqlPrepare · promqlInnerEval · promqlSort (range queries)
 *
 * They are made when the query has ended, from what its worker measured, and lie in this order.
 */
import type { TraceSpan, SpanContext } from '../../model/index.ts';

export type QueryTimes = {
  readonly query: string;
  readonly kind: 'instant' | 'range' | 'rule';
  /** From the question to the answer. */
  readonly totalMs: number;
  readonly queuedMs: number;
  /** Null when it failed. */
  readonly cost: {
    readonly prepareSeconds: number;
    readonly evalSeconds: number;
    readonly sortSeconds: number;
  } | null;
  /** Why it failed. */
  readonly error: string | null;
};

/** @returns the evaluation, which logs refer to */
export function traceQuery(parent: TraceSpan, times: QueryTimes): SpanContext {
  // Nobody would see the others.
  if (!parent.context.isSampled) return parent.child('promqlEval').context;
  const { query, kind, totalMs, queuedMs, cost, error } = times;
  // A rule asks more than its own question where it has templates.
  if (kind !== 'rule') parent.set('query', evaluated(query));
  const endMs = parent.nowMs;
  const startMs = endMs - totalMs;
  const exec = parent.child('promqlExec', 'internal', startMs);
  const evalStartMs = Math.min(endMs, startMs + queuedMs);
  exec.child('promqlExecQueue', 'internal', startMs).end(evalStartMs);
  const evaluation = exec.child('promqlEval', 'internal', evalStartMs);
  if (cost !== null) {
    let atMs = evalStartMs;
    const part = (name: string, seconds: number) => {
      const partEndMs = Math.min(endMs, atMs + seconds * 1000);
      evaluation.child(name, 'internal', atMs).end(partEndMs);
      atMs = partEndMs;
    };
    part('promqlPrepare', cost.prepareSeconds);
    part('promqlInnerEval', cost.evalSeconds);
    if (kind === 'range') part('promqlSort', cost.sortSeconds);
  }
  if (error !== null) exec.fail(error);
  evaluation.end(endMs);
  exec.end(endMs);
  return evaluation.context;
}

/** As the attribute `query` has it. */
export function evaluated(query: string): string {
  return `EVAL ${query}`;
}
