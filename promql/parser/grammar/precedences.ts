import type { BinaryOperator } from '../../ast.ts';

/** Binds tighter than `*`, so that `-a * b` is `(-a) * b`, but not than `^`: `-a ^ b` is `-(a ^ b)`. */
export const SIGN_PRECEDENCE = 5;
const POWER_PRECEDENCE = 6;
export const PRECEDENCES: Readonly<Record<BinaryOperator, number>> = {
  or: 0,
  and: 1,
  unless: 1,
  '==': 2,
  '!=': 2,
  '<=': 2,
  '<': 2,
  '>=': 2,
  '>': 2,
  '</': 2,
  '>/': 2,
  '+': 3,
  '-': 3,
  '*': 4,
  '/': 4,
  '%': 4,
  atan2: 4,
  '^': POWER_PRECEDENCE,
};
