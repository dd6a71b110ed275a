import { METRIC_NAME } from '../../model/index.ts';
import type { Expr } from '../ast.ts';

/**
 * The labels that a lone selector's equality matchers promise, for `absent`. Matchers count in
 * order: another one on the same label takes the promise back.
 */
export function promisedLabels(expr: Expr): readonly (readonly [string, string])[] {
  const selector = expr.kind === 'MatrixSelector' ? expr.vector : expr;
  if (selector.kind !== 'VectorSelector') return [];
  const promised = new Map<string, string>();
  const wasPromised = new Set<string>();
  for (const { name, operator, value } of selector.matchers) {
    if (name === METRIC_NAME) continue;
    if (operator === '=' && !wasPromised.has(name)) {
      promised.set(name, value);
      wasPromised.add(name);
    } else {
      promised.delete(name);
    }
  }
  return [...promised];
}
