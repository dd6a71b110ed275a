/** Operators on two floats. */
import { power, unreachable } from '../../model/index.ts';
import type { BinaryOperator } from '../ast.ts';

/** Comparisons give 1 or 0. */
export function scalarOperation(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return power(left, right);
    case 'atan2':
      return Math.atan2(left, right);
    case '==':
      return left === right ? 1 : 0;
    case '!=':
      return left !== right ? 1 : 0;
    case '>':
      return left > right ? 1 : 0;
    case '<':
      return left < right ? 1 : 0;
    case '>=':
      return left >= right ? 1 : 0;
    case '<=':
      return left <= right ? 1 : 0;
    case 'and':
    case 'or':
    case 'unless':
    case '</':
    case '>/':
      throw new TypeError(`${operator} is no operator of floats`);
    default:
      return unreachable(operator);
  }
}

/** The larger one; +Inf even beside NaN, which otherwise wins. */
export function maxOf(a: number, b: number): number {
  return a === Infinity || b === Infinity ? Infinity : Math.max(a, b);
}

/** The smaller one; -Inf even beside NaN. */
export function minOf(a: number, b: number): number {
  return a === -Infinity || b === -Infinity ? -Infinity : Math.min(a, b);
}
