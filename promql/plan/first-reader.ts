import { type Expr, typeOf } from '../ast.ts';

/** The part of an expression that reads samples, the leftmost if there are several. */
export function firstReader(expr: Expr): Expr | undefined {
  switch (expr.kind) {
    case 'MatrixSelector':
      return expr.vector;
    case 'Subquery':
    case 'Aggregation':
    case 'Unary':
    case 'Paren':
      return expr.expr;
    case 'Binary':
      return typeOf(expr.left) === 'scalar' ? expr.right : expr.left;
    case 'Call':
      return expr.args.find((arg) => typeOf(arg) === 'vector' || typeOf(arg) === 'matrix');
    default:
      return undefined;
  }
}
