/** Which expressions have the same value at every step, because `@` pins all they read. */
import { type Expr, unwrapParens } from '../ast.ts';

/** Functions whose value depends on the evaluation time itself. */
const TIME_FUNCTIONS: ReadonlySet<string> = new Set([
  'time',
  'timestamp',
  'predict_linear',
  'minute',
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'days_in_month',
  'month',
  'year',
]);

export function isInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'NumberLiteral':
    case 'StringLiteral':
      return true;
    case 'VectorSelector':
    case 'Subquery':
      return expr.at !== null;
    case 'MatrixSelector':
      return expr.vector.at !== null;
    case 'Call':
      return !TIME_FUNCTIONS.has(expr.func.name) && expr.args.every(isInvariantArgument);
    case 'Aggregation':
      return isInvariant(expr.expr) && (expr.param === null || isInvariant(expr.param));
    case 'Binary':
      return isInvariant(expr.left) && isInvariant(expr.right);
    case 'Unary':
    case 'Paren':
      return isInvariant(expr.expr);
  }
}

function isInvariantArgument(expr: Expr): boolean {
  return isInvariant(unwrapParens(expr));
}
