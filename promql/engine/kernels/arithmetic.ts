/**
 * Operators on two rows of floats. The operator is chosen once per row, so that each loop is tight.
 * A step has a result where both sides have a float.
 */
import type { BinaryOperator } from '../../ast.ts';
import { power } from '../../../model/index.ts';
import { ABSENT, FLOAT } from '../row-batch.ts';

/** A row inside columns. */
export type FloatRow = {
  readonly values: Float64Array;
  readonly present: Uint8Array;
  readonly at: number;
};

export function arithmeticRow(
  operator: BinaryOperator,
  left: FloatRow,
  right: FloatRow,
  out: FloatRow,
  stepCount: number,
): void {
  const { values: a, present: aPresent, at: aAt } = left;
  const { values: b, present: bPresent, at: bAt } = right;
  const { values, present, at } = out;
  for (let step = 0; step < stepCount; step++) {
    present[at + step] = aPresent[aAt + step]! & bPresent[bAt + step]! & FLOAT;
  }
  switch (operator) {
    case '+':
      for (let step = 0; step < stepCount; step++)
        values[at + step] = a[aAt + step]! + b[bAt + step]!;
      return;
    case '-':
      for (let step = 0; step < stepCount; step++)
        values[at + step] = a[aAt + step]! - b[bAt + step]!;
      return;
    case '*':
      for (let step = 0; step < stepCount; step++)
        values[at + step] = a[aAt + step]! * b[bAt + step]!;
      return;
    case '/':
      for (let step = 0; step < stepCount; step++)
        values[at + step] = a[aAt + step]! / b[bAt + step]!;
      return;
    case '%':
      for (let step = 0; step < stepCount; step++)
        values[at + step] = a[aAt + step]! % b[bAt + step]!;
      return;
    case '^':
      for (let step = 0; step < stepCount; step++) {
        values[at + step] = power(a[aAt + step]!, b[bAt + step]!);
      }
      return;
    case 'atan2':
      for (let step = 0; step < stepCount; step++) {
        values[at + step] = Math.atan2(a[aAt + step]!, b[bAt + step]!);
      }
      return;
    default:
      throw new TypeError(`${operator} is no arithmetic operator`);
  }
}

/** A comparison: 0 or 1 when `returnBool`, else the left value where it holds. */
export function compareRow(
  operator: BinaryOperator,
  returnBool: boolean,
  left: FloatRow,
  right: FloatRow,
  out: FloatRow,
  stepCount: number,
): void {
  const { values: a, present: aPresent, at: aAt } = left;
  const { values: b, present: bPresent, at: bAt } = right;
  const { values, present, at } = out;
  const wantsLess = operator === '<' || operator === '<=' || operator === '!=';
  const wantsMore = operator === '>' || operator === '>=' || operator === '!=';
  const wantsEqual = operator === '==' || operator === '<=' || operator === '>=';
  for (let step = 0; step < stepCount; step++) {
    present[at + step] = ABSENT;
    if (aPresent[aAt + step] !== FLOAT || bPresent[bAt + step] !== FLOAT) continue;
    const x = a[aAt + step]!;
    const y = b[bAt + step]!;
    const holds = x < y ? wantsLess : x > y ? wantsMore : x === y ? wantsEqual : operator === '!=';
    if (returnBool) values[at + step] = holds ? 1 : 0;
    else if (holds) values[at + step] = x;
    else continue;
    present[at + step] = FLOAT;
  }
}
