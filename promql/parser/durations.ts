/**
 * Durations of selectors: the checks made while parsing, and the arithmetic that is done when the
 * step and range of the query are known.
 * Source: PromQL documentation "Duration expressions".
 */
import type {
  Duration,
  DurationBinary,
  DurationExpr,
  DurationLiteral,
  DurationUnary,
} from '../ast.ts';
import { type Fail, PromqlDurationError } from './errors.ts';

/** Durations are signed 64-bit nanoseconds in Prometheus. */
const SECONDS_LIMIT = 2 ** 63 / 1e9;

export function isOutOfRange(seconds: number): boolean {
  return !(Math.abs(seconds) < SECONDS_LIMIT);
}

/**
 * Whole milliseconds of a literal. Numbers are rounded to nanoseconds and then cut, as Prometheus
 * does it; units say exactly what is meant, also where nanoseconds outgrow a float (104 days).
 */
function literalToMs({ value, isDuration }: DurationLiteral): number {
  if (isDuration) return Math.round(value * 1000);
  return Number(BigInt(Math.round(value * 1e9)) / 1_000_000n);
}

/**
 * A tree of a lone number becomes plain milliseconds; anything else stays a tree.
 * @param allowNegative  offsets may be negative or zero, ranges and steps may not
 */
export function requireDuration(expr: DurationExpr, allowNegative: boolean, fail: Fail): Duration {
  if (expr.kind !== 'DurationLiteral') return expr;
  if (!allowNegative && expr.value <= 0) fail('duration must be greater than 0', expr.range);
  return literalToMs(expr);
}

/** Why a literal may not stand behind this operator, or null. */
export function problemOfDivisor(operator: string, right: DurationExpr): string | null {
  if (right.kind !== 'DurationLiteral' || right.value !== 0) return null;
  return operator === '/' ? 'division by zero' : operator === '%' ? 'modulo by zero' : null;
}

/** What `step()` and `range()` stand for: milliseconds of the query, 0 for an instant query. */
export type QueryTiming = { readonly stepMs: number; readonly rangeMs: number };

/**
 * Milliseconds of an offset.
 * @throws PromqlDurationError when a division fails or the result does not fit
 */
export function resolveOffset(duration: Duration, timing: QueryTiming, query: string): number {
  return resolve(duration, timing, query, true);
}

/**
 * Milliseconds of a range or subquery step; always more than nothing.
 * @throws PromqlDurationError when it is not, when a division fails or the result does not fit
 */
export function resolveRange(duration: Duration, timing: QueryTiming, query: string): number {
  return resolve(duration, timing, query, false);
}

function resolve(
  duration: Duration,
  timing: QueryTiming,
  query: string,
  allowNegative: boolean,
): number {
  if (typeof duration === 'number') return duration;
  const seconds = evaluate(duration, timing, query);
  const { range } = duration;
  if (!Number.isFinite(seconds)) {
    throw new PromqlDurationError('duration is NaN or infinite', query, range);
  }
  if (!allowNegative && seconds <= 0) {
    throw new PromqlDurationError('duration must be greater than 0', query, range);
  }
  if (isOutOfRange(seconds))
    throw new PromqlDurationError('duration is out of range', query, range);
  return Math.trunc(seconds * 1000);
}

function evaluate(expr: DurationExpr, timing: QueryTiming, query: string): number {
  switch (expr.kind) {
    case 'DurationLiteral':
      return expr.value;
    case 'DurationUnary':
      return evaluateUnary(expr, timing, query);
    case 'DurationBinary':
      return evaluateBinary(expr, timing, query);
    case 'DurationCall': {
      if (expr.name === 'step') return timing.stepMs / 1000;
      if (expr.name === 'range') return timing.rangeMs / 1000;
      const [a, b] = expr.args.map((arg) => evaluate(arg, timing, query)) as [number, number];
      return expr.name === 'min_of' ? Math.min(a, b) : Math.max(a, b);
    }
  }
}

function evaluateUnary(expr: DurationUnary, timing: QueryTiming, query: string): number {
  const value = evaluate(expr.operand, timing, query);
  return expr.operator === '-' ? -value : value;
}

function evaluateBinary(expr: DurationBinary, timing: QueryTiming, query: string): number {
  const left = evaluate(expr.left, timing, query);
  const right = evaluate(expr.right, timing, query);
  switch (expr.operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right === 0) throw new PromqlDurationError('division by zero', query, expr.range);
      return left / right;
    case '%':
      if (right === 0) throw new PromqlDurationError('modulo by zero', query, expr.range);
      return left % right;
    case '^':
      return left ** right;
  }
}
