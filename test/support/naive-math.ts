/** Arithmetic of the naive evaluator: the textbook way, exact where it is cheap to be. */

/** Adds small numbers first, which loses less than any fixed order. */
export function sum(values: readonly number[]): number {
  return values.toSorted((a, b) => Math.abs(a) - Math.abs(b)).reduce((a, b) => a + b, 0);
}

export function naiveOperation(operator: string, a: number, b: number): number {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '^':
      return a === 1 ? 1 : a ** b;
    case 'atan2':
      return Math.atan2(a, b);
    default:
      throw new TypeError(`naive: no operator ${operator}`);
  }
}

export function naiveCompare(operator: string, a: number, b: number): boolean {
  switch (operator) {
    case '==':
      return a === b;
    case '!=':
      return a !== b;
    case '>':
      return a > b;
    case '<':
      return a < b;
    case '>=':
      return a >= b;
    case '<=':
      return a <= b;
    default:
      throw new TypeError(`naive: no comparison ${operator}`);
  }
}

/** Linear between the neighbouring ranks; NaN sorts first. */
export function quantileOf(quantile: number, values: readonly number[]): number {
  if (Number.isNaN(quantile)) return NaN;
  if (quantile < 0) return -Infinity;
  if (quantile > 1) return Infinity;
  const sorted = values.toSorted((a, b) =>
    Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a < b ? -1 : a > b ? 1 : 0,
  );
  const rank = quantile * (sorted.length - 1);
  const lower = sorted[Math.floor(rank)]!;
  const upper = sorted[Math.min(sorted.length - 1, Math.floor(rank) + 1)]!;
  const weight = rank - Math.floor(rank);
  return lower * (1 - weight) + upper * weight;
}
