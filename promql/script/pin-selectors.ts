/** Rewrites an expression so that its value no longer depends on when it is evaluated. */
import { type Duration, type Expr, walk } from '../ast.ts';

/** Functions that see the evaluation time in other ways than through selectors. */
export const TIME_FUNCTIONS: ReadonlySet<string> = new Set([
  'time',
  'timestamp',
  'predict_linear',
  'start',
  'end',
  'range',
  'step',
  'year',
  'month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'days_in_month',
  'hour',
  'minute',
]);
/** Functions, in durations too, whose value depends on the bounds of the query. */
export const RANGE_FUNCTIONS: ReadonlySet<string> = new Set(['start', 'end', 'range', 'step']);

/** Whether any of the functions occurs, in a duration or `@` as well. */
export function callsAny(expr: Expr, names: ReadonlySet<string>): boolean {
  let found = false;
  const check = (name: string): void => {
    if (names.has(name)) found = true;
  };
  walk(expr, (node) => {
    if (node.kind === 'Call') check(node.func.name);
    if (node.kind === 'MatrixSelector') checkDuration(node.window, check);
    if (node.kind !== 'VectorSelector' && node.kind !== 'Subquery') return;
    if (typeof node.at === 'string') check(node.at);
    checkDuration(node.offset, check);
    if (node.kind === 'VectorSelector') return;
    checkDuration(node.window, check);
    if (node.step !== null) checkDuration(node.step, check);
  });
  return found;
}

function checkDuration(duration: Duration, check: (name: string) => void): void {
  if (typeof duration === 'number') return;
  switch (duration.kind) {
    case 'DurationLiteral':
      return;
    case 'DurationCall':
      check(duration.name);
      for (const arg of duration.args) checkDuration(arg, check);
      return;
    case 'DurationUnary':
      return checkDuration(duration.operand, check);
    case 'DurationBinary':
      checkDuration(duration.left, check);
      return checkDuration(duration.right, check);
  }
}

/** Pins every selector and outermost subquery that has no `@` yet. */
export function pinSelectors(expr: Expr, timeMs: number): Expr {
  const pin = (inner: Expr): Expr => pinSelectors(inner, timeMs);
  switch (expr.kind) {
    case 'NumberLiteral':
    case 'StringLiteral':
      return expr;
    case 'VectorSelector':
      return expr.at === null ? { ...expr, at: timeMs } : expr;
    case 'MatrixSelector':
      return { ...expr, vector: pin(expr.vector) as typeof expr.vector };
    case 'Subquery':
      return expr.at === null ? { ...expr, at: timeMs } : expr;
    case 'Call':
      // The second argument of info is no selector of samples.
      return {
        ...expr,
        args: expr.args.map((arg, i) => (expr.func.name === 'info' && i === 1 ? arg : pin(arg))),
      };
    case 'Aggregation':
      return { ...expr, expr: pin(expr.expr), param: expr.param && pin(expr.param) };
    case 'Binary':
      return { ...expr, left: pin(expr.left), right: pin(expr.right) };
    case 'Unary':
    case 'Paren':
      return { ...expr, expr: pin(expr.expr) };
  }
}
