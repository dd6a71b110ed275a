/** What two trees must have in common when one is the other, printed and parsed again. */
import type { Matcher } from '../../../../model/index.ts';
import type { Expr } from '../../../../promql/ast.ts';

/** Without positions, functions by name, matchers in the order in which they print. */
export function shapeOf(expr: Expr): unknown {
  return JSON.parse(
    JSON.stringify(expr, (key, given: unknown) => {
      const value = isPlus(given) ? given.operand : given;
      if (key === 'range' || key === 'operatorRange') return undefined;
      if (key === 'func') return (value as { name: string }).name;
      if (key === 'matchers') return (value as Matcher[]).map(String).toSorted();
      // The parentheses around a whole offset are a matter of spelling.
      if (key === 'offset' && typeof value === 'object') return { ...value, wrapped: true };
      if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
      return value;
    }),
  );
}

/** The plus of `offset +step()` does not print. */
function isPlus(value: unknown): value is { operand: unknown } {
  const node = value as { kind?: string; operator?: string } | null;
  return node?.kind === 'DurationUnary' && node.operator === '+';
}
