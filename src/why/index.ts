/** Why an expression gives what it gives. Runs where queries run: it evaluates. */
import { type Labels, type Queryable } from '../../model/index.ts';
import { type Engine, type Expr, parseExpr, type ParserOptions } from '../../promql/index.ts';
import type { SelectorCheck, WhyAnswer } from '../../web/index.ts';
import { type Evaluate, takeApart } from './expression-parts.ts';
import { checkSelector } from './selector-check.ts';
import { selectorWindows } from './selector-window.ts';

export { transitionSamples } from './transition-samples.ts';

export type WhyContext = {
  readonly engine: Engine;
  readonly queryable: Queryable;
  readonly language: ParserOptions;
  readonly timeMs: number;
  readonly lookbackMs: number;
  readonly timeoutMs: number;
  readonly isCanceled: () => boolean;
};

/** Evaluates at the moment of the context; the time limit is that of all evaluations together. */
export function evaluator(context: WhyContext): Evaluate {
  const { engine, queryable, timeMs, timeoutMs, isCanceled } = context;
  const endMs = performance.now() + timeoutMs;
  return (query) => {
    const leftMs = Math.max(1, endMs - performance.now());
    return engine.instant({ query, timeMs, queryable, timeoutMs: leftMs, isCanceled }).result;
  };
}

/** @throws PromqlParseError */
export function whyOf(query: string, related: Labels | null, context: WhyContext): WhyAnswer {
  const { queryable, language, timeMs, lookbackMs } = context;
  const check = (selector: Expr) => {
    const [window] = selectorWindows(selector, timeMs, lookbackMs);
    return window === undefined ? null : checkSelector(queryable, window);
  };
  return takeApart(query, { language, evaluate: evaluator(context), check, related });
}

/** @throws PromqlParseError */
export function checkSelectors(
  query: string,
  context: Pick<WhyContext, 'queryable' | 'language' | 'timeMs' | 'lookbackMs'>,
): readonly SelectorCheck[] {
  const { queryable, language, timeMs, lookbackMs } = context;
  const windows = selectorWindows(parseExpr(query, language), timeMs, lookbackMs);
  return windows.map((window) => checkSelector(queryable, window));
}
