/**
 * Turns what the grammar recognised into nodes, and refuses what no tree can express: offsets of
 * sums, ranges of ranges, and the like. What concerns whole expressions is left to check.ts.
 */
import { Matcher, messageOf, type TextRange, ValueError } from '../../model/index.ts';
import {
  type Aggregation,
  type AggregationOperator,
  type AtModifier,
  type Binary,
  type BinaryOperator,
  type Call,
  type Duration,
  type DurationBinary,
  type DurationExpr,
  type Expr,
  type MatrixSelector,
  type NumberLiteral,
  type Subquery,
  type Unary,
  type VectorMatching,
  type VectorSelector,
  isSetOperator,
  typeOf,
} from '../ast.ts';
import { FUNCTIONS } from '../functions.ts';
import { formatDecimals } from './format-decimals.ts';
import { isOutOfRange } from './durations.ts';
import { type Fail, MalformedError } from './errors.ts';
import type { Token } from './lexer.ts';
import { parseDurationSeconds, parseNumber } from './numbers.ts';
import type { ParserOptions } from './options.ts';

export function rangeOf(token: Token): TextRange {
  return { start: token.startOffset, end: token.endOffset! + 1 };
}

export function rangeFrom(start: TextRange, end: TextRange): TextRange {
  return { start: start.start, end: end.end };
}

/** Value of a Number or Duration token. */
export function quantityOf(token: Token, fail: Fail): { value: number; isDuration: boolean } {
  const isDuration = token.kind === 'Duration';
  try {
    const value = isDuration ? parseDurationSeconds(token.image) : parseNumber(token.image);
    return { value, isDuration };
  } catch (error) {
    if (error instanceof MalformedError) fail(error.message, rangeOf(token));
    throw error;
  }
}

export function buildNumber(token: Token, fail: Fail): NumberLiteral {
  return { kind: 'NumberLiteral', range: rangeOf(token), ...quantityOf(token, fail) };
}

/** A sign in front of a number belongs to the number; elsewhere it is an operation. */
export function buildUnary(sign: Token, expr: Expr): NumberLiteral | Unary {
  const range = { start: sign.startOffset, end: expr.range.end };
  const operator = sign.kind === 'Minus' ? '-' : '+';
  if (expr.kind !== 'NumberLiteral') return { kind: 'Unary', range, operator, expr };
  return operator === '-' ? { ...expr, range, value: -expr.value } : { ...expr, range };
}

// --- Selectors ---

export function buildMatcher(
  label: Token,
  operator: Token,
  value: Token,
  range: TextRange,
  fail: Fail,
): Matcher {
  const name = label.payload ?? label.image;
  const operatorText = operator.image as Matcher['operator'];
  try {
    return new Matcher(name, operatorText, value.payload!);
  } catch (error) {
    if (error instanceof ValueError) fail(messageOf(error), range);
    throw error;
  }
}

/** A quoted metric name inside braces. */
export function buildNameMatcher(name: Token): Matcher {
  return new Matcher('__name__', '=', name.payload!);
}

/** `name` stands before the braces, or is null. */
export function buildSelector(
  name: Token | null,
  matchers: readonly Matcher[],
  range: TextRange,
): VectorSelector {
  return {
    kind: 'VectorSelector',
    range,
    name: name?.image ?? '',
    matchers: name === null ? matchers : [...matchers, new Matcher('__name__', '=', name.image)],
    offset: 0,
    at: null,
    anchored: false,
    smoothed: false,
  };
}

/** What a bracket holds; `step` is undefined without a colon, null when nothing follows it. */
export type Bracket = {
  readonly range: TextRange;
  readonly window: Duration;
  readonly step: Duration | null | undefined;
};

export function buildBracket(expr: Expr, bracket: Bracket, fail: Fail): MatrixSelector | Subquery {
  const range = rangeFrom(expr.range, bracket.range);
  const { window, step } = bracket;
  if (step !== undefined) {
    return { kind: 'Subquery', range, expr, window, step, offset: 0, at: null };
  }
  if (expr.kind !== 'VectorSelector') {
    return fail('ranges only allowed for vector selectors', bracket.range);
  }
  // Prometheus looks at plain values only: an offset that is still to be computed passes.
  if (typeof expr.offset === 'number' && expr.offset !== 0) {
    return fail('no offset modifiers allowed before range', bracket.range);
  }
  if (typeof expr.at === 'number') {
    return fail('no @ modifiers allowed before range', bracket.range);
  }
  return { kind: 'MatrixSelector', range, vector: expr, window };
}

type Shiftable = VectorSelector | MatrixSelector | Subquery;
type Shift = { readonly offset: Duration; readonly at: AtModifier | null };

function shiftOf(expr: Shiftable): Shift {
  return expr.kind === 'MatrixSelector' ? expr.vector : expr;
}

function withShift(expr: Shiftable, change: Partial<Shift>, end: number): Shiftable {
  const range = { start: expr.range.start, end };
  if (expr.kind !== 'MatrixSelector') return { ...expr, ...change, range };
  return { ...expr, range, vector: { ...expr.vector, ...change } };
}

function requireShiftable(expr: Expr, modifier: string, fail: Fail): Shiftable {
  const { kind } = expr;
  if (kind === 'VectorSelector' || kind === 'MatrixSelector' || kind === 'Subquery') return expr;
  return fail(
    `${modifier} modifier must be preceded by an instant vector selector or range vector selector` +
      ' or a subquery',
    expr.range,
  );
}

/** @param end  where the modifier ends in the text */
export function buildOffset(expr: Expr, offset: Duration, end: number, fail: Fail): Expr {
  const shiftable = requireShiftable(expr, 'offset', fail);
  if (shiftOf(shiftable).offset !== 0) fail('offset may not be set multiple times', expr.range);
  return withShift(shiftable, { offset }, end);
}

/** @param at  seconds since the epoch, or an end of the query */
export function buildAt(expr: Expr, at: AtModifier, end: number, fail: Fail): Expr {
  if (typeof at === 'number' && !(Math.abs(at) < 2 ** 63)) {
    fail(`timestamp out of bounds for @ modifier: ${formatDecimals(at)}`, expr.range);
  }
  const shiftable = requireShiftable(expr, '@', fail);
  if (shiftOf(shiftable).at !== null) {
    fail('@ <timestamp> may not be set multiple times', expr.range);
  }
  return withShift(shiftable, { at: typeof at === 'number' ? timestampMsOf(at) : at }, end);
}

/** Milliseconds, halves away from zero. */
function timestampMsOf(seconds: number): number {
  const ms = seconds * 1000;
  const wholeMs = Math.trunc(ms);
  return Math.abs(ms - wholeMs) >= 0.5 ? wholeMs + Math.sign(ms) : wholeMs;
}

export function buildExtended(
  expr: Expr,
  modifier: 'anchored' | 'smoothed',
  end: number,
  options: ParserOptions,
  fail: Fail,
): Expr {
  if (!options.extendedRangeSelectors) {
    fail(`${modifier} modifier is experimental and not enabled`, expr.range);
  }
  if (expr.kind === 'Subquery') {
    fail(`${modifier} modifier is not supported for subqueries`, expr.range);
  }
  if (expr.kind !== 'VectorSelector' && expr.kind !== 'MatrixSelector') {
    return fail(`${modifier} modifier not implemented`, expr.range);
  }
  const vector = expr.kind === 'MatrixSelector' ? expr.vector : expr;
  if (modifier === 'anchored' ? vector.smoothed : vector.anchored) {
    fail('anchored and smoothed modifiers cannot be used together', expr.range);
  }
  const range = { start: expr.range.start, end };
  const changed = { ...vector, [modifier]: true };
  return expr.kind === 'MatrixSelector'
    ? { ...expr, range, vector: changed }
    : { ...changed, range };
}

// --- Calls and operators ---

export function buildCall(
  name: Token,
  args: readonly Expr[],
  end: number,
  options: ParserOptions,
  fail: Fail,
): Call {
  const func = FUNCTIONS.get(name.image);
  if (func === undefined) {
    return fail(`unknown function with name ${JSON.stringify(name.image)}`, rangeOf(name));
  }
  if (func.experimental && !options.experimentalFunctions) {
    fail(`function ${JSON.stringify(name.image)} is not enabled`, rangeOf(name));
  }
  return { kind: 'Call', range: { start: name.startOffset, end }, func, args };
}

const WITH_PARAM: ReadonlySet<AggregationOperator> = new Set<AggregationOperator>([
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
]);
const EXPERIMENTAL_AGGREGATIONS = new Set<AggregationOperator>(['limitk', 'limit_ratio']);

export type Grouping = { readonly labels: readonly string[]; readonly without: boolean };

export function buildAggregation(
  name: Token,
  args: readonly Expr[],
  grouping: Grouping | null,
  end: number,
  options: ParserOptions,
  fail: Fail,
): Aggregation {
  const operator = name.image.toLowerCase() as AggregationOperator;
  const range = { start: name.startOffset, end };
  if (args.length === 0) fail('no arguments for aggregate expression provided', range);
  if (EXPERIMENTAL_AGGREGATIONS.has(operator) && !options.experimentalFunctions) {
    fail(
      `${operator}() is experimental and must be enabled with ` +
        '--enable-feature=promql-experimental-functions',
      range,
    );
  }
  const expected = WITH_PARAM.has(operator) ? 2 : 1;
  if (args.length !== expected) {
    fail(
      'wrong number of arguments for aggregate expression provided, ' +
        `expected ${expected}, got ${args.length}`,
      range,
    );
  }
  return {
    kind: 'Aggregation',
    range,
    operator,
    expr: args.at(-1)!,
    param: expected === 2 ? args[0]! : null,
    grouping: grouping?.labels ?? [],
    without: grouping?.without ?? false,
  };
}

/** What stands between the operator and its right side, as it was written. */
export type Modifiers = {
  /** Whether `on`, `ignoring`, a group or a fill was written, not only `bool`. */
  readonly hasMatching: boolean;
  readonly returnBool: boolean;
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly group: 'left' | 'right' | null;
  readonly include: readonly string[];
  readonly fillLeft: number | null;
  readonly fillRight: number | null;
};

/** A matching on operands that are no vectors is kept for check.ts to refuse. */
export function buildBinary(
  operator: BinaryOperator,
  modifiers: Modifiers | null,
  left: Expr,
  right: Expr,
  operatorRange: TextRange,
): Binary {
  const range = rangeFrom(left.range, right.range);
  const returnBool = modifiers?.returnBool ?? false;
  const matching = buildMatching(operator, modifiers, left, right);
  return { kind: 'Binary', range, operator, operatorRange, left, right, returnBool, matching };
}

function buildMatching(
  operator: BinaryOperator,
  modifiers: Modifiers | null,
  left: Expr,
  right: Expr,
): VectorMatching | null {
  const simple = isSetOperator(operator) ? 'many-to-many' : 'one-to-one';
  const areVectors = typeOf(left) === 'vector' && typeOf(right) === 'vector';
  if (!modifiers?.hasMatching) return areVectors ? SIMPLE_MATCHING[simple] : null;
  const { on, labels, group, include, fillLeft, fillRight } = modifiers;
  const matters = labels.length > 0 || fillLeft !== null || fillRight !== null;
  if (!areVectors && !matters) return null;
  const cardinality = group === null ? simple : group === 'left' ? 'many-to-one' : 'one-to-many';
  return { cardinality, on, labels, include, fillLeft, fillRight };
}

function simpleMatching(cardinality: VectorMatching['cardinality']): VectorMatching {
  return { cardinality, on: false, labels: [], include: [], fillLeft: null, fillRight: null };
}

const SIMPLE_MATCHING = {
  'one-to-one': simpleMatching('one-to-one'),
  'many-to-many': simpleMatching('many-to-many'),
} as const;

// --- Durations ---

/** Literals must fit by themselves, even where their sum would. `sign` counts for the place. */
export function buildDurationLiteral(token: Token, sign: Token | null, fail: Fail): DurationExpr {
  const range = rangeOf(token);
  const quantity = quantityOf(token, fail);
  if (isOutOfRange(quantity.value)) {
    fail('duration out of range', sign === null ? range : rangeFrom(rangeOf(sign), range));
  }
  return { kind: 'DurationLiteral', range, wrapped: false, ...quantity };
}

/** As with numbers, a sign in front of a literal belongs to it. A plus vanishes. */
export function buildDurationUnary(sign: Token, operand: DurationExpr): DurationExpr {
  const range = { start: sign.startOffset, end: operand.range.end };
  if (operand.kind === 'DurationLiteral') {
    return { ...operand, range, value: sign.kind === 'Minus' ? -operand.value : operand.value };
  }
  if (sign.kind === 'Plus') return { ...operand, range };
  return { kind: 'DurationUnary', range, wrapped: false, operator: '-', operand };
}

/** The one plus that Prometheus keeps in its tree is that of `offset +step()`. */
export function buildOffsetSign(sign: Token, operand: DurationExpr): DurationExpr {
  if (sign.kind === 'Minus' || operand.kind !== 'DurationCall' || operand.wrapped) {
    return buildDurationUnary(sign, operand);
  }
  const range = { start: sign.startOffset, end: operand.range.end };
  return { kind: 'DurationUnary', range, wrapped: false, operator: '+', operand };
}

export function buildDurationBinary(
  operator: DurationBinary['operator'],
  left: DurationExpr,
  right: DurationExpr,
): DurationBinary {
  const range = rangeFrom(left.range, right.range);
  return { kind: 'DurationBinary', range, wrapped: false, operator, left, right };
}

export function wrapDuration(expr: DurationExpr): DurationExpr {
  return expr.kind === 'DurationLiteral' ? expr : { ...expr, wrapped: true };
}
