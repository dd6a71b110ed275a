/** The selectors of an expression, and the times that each of them looks at. */
import { childrenOf, type Duration, type Expr, type VectorSelector } from '../../promql/index.ts';

export type SelectorWindow = {
  readonly selector: VectorSelector;
  /** Both inclusive. */
  readonly minMs: number;
  readonly maxMs: number;
};

type Span = { readonly minMs: number; readonly maxMs: number };

/** Durations that are computed count as none: what is seen is then a part of what is looked at. */
const known = (duration: Duration): number => (typeof duration === 'number' ? duration : 0);

/** In the order of the text, for an evaluation at `timeMs`. */
export function selectorWindows(
  root: Expr,
  timeMs: number,
  lookbackMs: number,
): readonly SelectorWindow[] {
  const found: SelectorWindow[] = [];
  const add = (selector: VectorSelector, span: Span, reachMs: number) => {
    const { minMs, maxMs } = shifted(selector, span, timeMs);
    found.push({ selector, minMs: minMs - reachMs, maxMs });
  };
  const look = (expr: Expr, span: Span): void => {
    switch (expr.kind) {
      case 'VectorSelector':
        return add(expr, span, lookbackMs);
      case 'MatrixSelector':
        return add(expr.vector, span, known(expr.window));
      case 'Subquery': {
        const { minMs, maxMs } = shifted(expr, span, timeMs);
        return look(expr.expr, { minMs: minMs - known(expr.window), maxMs });
      }
      default:
        for (const child of childrenOf(expr)) look(child, span);
    }
  };
  look(root, { minMs: timeMs, maxMs: timeMs });
  return found;
}

function shifted(
  { at, offset }: Pick<VectorSelector, 'at' | 'offset'>,
  span: Span,
  timeMs: number,
): Span {
  const fixedMs = typeof at === 'number' ? at : timeMs;
  const { minMs, maxMs } = at === null ? span : { minMs: fixedMs, maxMs: fixedMs };
  return { minMs: minMs - known(offset), maxMs: maxMs - known(offset) };
}
