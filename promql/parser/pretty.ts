/**
 * A tree as text for people: what fits on a line stays on one, the rest is broken at operators,
 * arguments and parentheses. This is what `format_query` and the formatter of rule files give.
 * Source: observed on Prometheus 3.14's `format_query`.
 */
import type { Expr } from '../ast.ts';
import { printAggregationHead, printExpr, printOperator, printSubquerySuffix } from './print.ts';

/** Counted in bytes of UTF-8, without the indentation. */
const LINE_LENGTH_MAX = 100;
const INDENT = '  ';

export function prettyExpr(expr: Expr): string {
  return pretty(expr, 0);
}

function pretty(expr: Expr, level: number): string {
  const indent = INDENT.repeat(level);
  const line = printExpr(expr);
  // A subquery that fits is not indented: a slip of Prometheus's that formatted files live with.
  if (Buffer.byteLength(line) <= LINE_LENGTH_MAX) {
    return expr.kind === 'Subquery' ? line : indent + line;
  }
  switch (expr.kind) {
    case 'Call':
      return block(`${expr.func.name}(`, expr.args, level);
    case 'Aggregation': {
      const args = expr.param === null ? [expr.expr] : [expr.param, expr.expr];
      return block(`${printAggregationHead(expr)}(`, args, level);
    }
    case 'Paren':
      return block('(', [expr.expr], level);
    case 'Binary':
      return [
        pretty(expr.left, level + 1),
        indent + printOperator(expr),
        pretty(expr.right, level + 1),
      ].join('\n');
    case 'Unary':
      return `${indent}${expr.operator}${pretty(expr.expr, level).trimStart()}`;
    case 'Subquery':
      return pretty(expr.expr, level) + printSubquerySuffix(expr);
    case 'NumberLiteral':
    case 'StringLiteral':
    case 'VectorSelector':
    case 'MatrixSelector':
      return indent + line;
  }
}

/** An opening line, each argument on lines of its own, and a closing parenthesis. */
function block(opening: string, args: readonly Expr[], level: number): string {
  const indent = INDENT.repeat(level);
  const lines = args.map((arg) => pretty(arg, level + 1));
  return `${indent}${opening}\n${lines.join(',\n')}\n${indent})`;
}
