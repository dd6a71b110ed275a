/** Why a part of an expression gives nothing, in a sentence; null when the reason lies below it. */
import { formatFloat, NarthexError } from '../../model/index.ts';
import {
  type Binary,
  type ComparisonOperator,
  type Expr,
  isComparison,
  isSetOperator,
  printExpr,
  type QueryResult,
  typeOf,
  unwrapParens,
} from '../../promql/index.ts';
import type { ExpressionPart } from '../../web/index.ts';

/** @param part  of `expr`, with its parts below */
export function reasonOf(
  expr: Expr,
  part: Omit<ExpressionPart, 'reason'>,
  evaluate: (query: string) => QueryResult,
): string | null {
  if (part.count > 0) {
    // It gives something for others, so the reason may lie in what concerns this alert below.
    if (part.children.some(isEmpty)) return null;
    const values = part.children.flatMap(({ rows }) => rows.map(({ value }) => value)).slice(0, 3);
    const here = values.length === 0 ? '' : `; what it is given for it is ${values.join(', ')}`;
    return `${part.text} gives ${part.count} series, but none for this alert${here}`;
  }
  if (expr.kind === 'VectorSelector' || expr.kind === 'MatrixSelector') {
    const problem = part.selector?.problem ?? null;
    return `${part.text} finds nothing${problem === null ? '' : `: ${problem.text}`}`;
  }
  if (expr.kind === 'Call' && /^absent(_over_time)?$/.test(expr.func.name)) {
    const [argument] = part.children;
    const count = argument?.count ?? 0;
    return `${part.text} gives something only where there is nothing, and there are ${count} series`;
  }
  if (expr.kind === 'Binary') return binaryReason(expr, part, evaluate);
  // Whatever is below explains it, unless there is something below.
  if (part.children.some(isEmpty)) return null;
  if (expr.kind === 'Call' && part.children.some(({ type }) => type === 'matrix')) {
    const sampleCount = Math.max(0, ...part.children.flatMap(sampleCounts));
    return `${part.text} gives nothing: at most ${sampleCount} samples lie in its range`;
  }
  return `${part.text} gives nothing of what it is given`;
}

const sampleCounts = ({ rows }: ExpressionPart) => rows.map(({ sampleCount }) => sampleCount);
const isEmpty = ({ relatedCount, error }: ExpressionPart) => error !== null || relatedCount === 0;

function binaryReason(
  expr: Binary,
  part: Omit<ExpressionPart, 'reason'>,
  evaluate: (query: string) => QueryResult,
): string | null {
  const { operator, left, right } = expr;
  if (operator === 'or') return null;
  if (operator === 'unless') {
    const [first] = part.children;
    return first === undefined || isEmpty(first)
      ? null
      : `everything on the left of "unless" is also on its right`;
  }
  if (part.children.some(isEmpty)) return null;
  if (isSetOperator(operator)) return `the sides of "${operator}" have no labels in common`;
  if (!isComparison(operator) || expr.returnBool) {
    return `the sides of "${operator}" have no labels in common`;
  }
  if (typeOf(left) === 'vector' && typeOf(right) === 'vector') {
    const compared = quietly(() => evaluate(printExpr({ ...expr, returnBool: true })));
    const hasPairs = compared?.kind === 'vector' && compared.entries.length > 0;
    return hasPairs
      ? `no pair meets "${operator}"`
      : `the sides of "${operator}" have no labels in common`;
  }
  const isLeftVector = typeOf(left) === 'vector';
  const vector = quietly(() => evaluate(printExpr(isLeftVector ? left : right)));
  const scalar = quietly(() => evaluate(printExpr(isLeftVector ? right : left)));
  if (vector?.kind !== 'vector' || scalar?.kind !== 'scalar') return null;
  const values = vector.entries.flatMap(({ value, histogram }) =>
    histogram === null && !Number.isNaN(value) ? [value] : [],
  );
  const limit = formatFloat(scalar.value);
  const nearest = nearestValue(values, scalar.value, isLeftVector ? operator : FLIPPED[operator]);
  const text = printExpr(unwrapParens(isLeftVector ? left : right));
  const sentence = isLeftVector
    ? `no value of ${text} is ${operator} ${limit}`
    : `${limit} is ${operator} no value of ${text}`;
  if (nearest === null) return `${sentence}: none is a number`;
  return `${sentence}: the nearest of ${values.length} is ${formatFloat(nearest)}`;
}

const FLIPPED: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  '==': '==',
  '!=': '!=',
  '>': '<',
  '<': '>',
  '>=': '<=',
  '<=': '>=',
};

/** The value that comes closest to meeting the condition. */
function nearestValue(
  values: readonly number[],
  limit: number,
  operator: ComparisonOperator,
): number | null {
  const better = (a: number, b: number): boolean => {
    if (operator === '>' || operator === '>=') return a > b;
    if (operator === '<' || operator === '<=') return a < b;
    return Math.abs(a - limit) < Math.abs(b - limit);
  };
  let nearest: number | null = null;
  for (const value of values) if (nearest === null || better(value, nearest)) nearest = value;
  return nearest;
}

function quietly(work: () => QueryResult): QueryResult | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof NarthexError) return null;
    throw error;
  }
}
