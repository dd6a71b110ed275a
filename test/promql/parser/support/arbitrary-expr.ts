/** Random well-typed trees of the form that the parser builds. */
import * as fc from 'fast-check';
import { MATCH_OPERATORS, Matcher } from '../../../../model/index.ts';
import {
  AGGREGATION_OPERATORS,
  ARITHMETIC_OPERATORS,
  type BinaryOperator,
  COMPARISON_OPERATORS,
  type Duration,
  type DurationExpr,
  type Expr,
  isComparison,
  isSetOperator,
  SET_OPERATORS,
  TRIM_OPERATORS,
  typeOf,
  type VectorMatching,
  type VectorSelector,
} from '../../../../promql/ast.ts';
import { printExpr } from '../../../../promql/parser/print.ts';
import { argCountMin, FUNCTIONS, type FunctionSignature } from '../../../../promql/functions.ts';

const range = { start: 0, end: 0 };

const text = fc
  .oneof(
    fc.string({ maxLength: 8 }),
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.constantFrom('', 'a"b', "it's", '`', '\\', '\n\t\x07', '\udcff', '\u200b'),
  )
  .map((value) => value.replaceAll('\ufffd', '?'));

const identifier = fc.constantFrom(
  'up',
  'x1',
  '_',
  'job:rate5m',
  'sum',
  'by',
  'and',
  'start',
  'fill',
);
const label = fc.oneof(fc.constantFrom('a', 'job', 'le', 'on', 'a b', 'é', 'x.y'), text);

/** In ms-steps, so that they have an exact text with units. */
const durationSeconds = fc.oneof(
  fc.integer({ min: 1, max: 100_000_000 }),
  fc.constantFrom(1, 60, 300, 3600, 86_400, 604_800, 1_209_600),
);
const durationMs = durationSeconds.map((seconds) => seconds * 1000 - (seconds % 7 === 0 ? 1 : 0));

const DURATION_PRECEDENCE = { '+': 1, '-': 1, '*': 2, '/': 2, '%': 2, '^': 4 } as const;
const SIGN_PRECEDENCE = 3;

function durationPrecedence(expr: DurationExpr): number {
  if (expr.wrapped) return 9;
  if (expr.kind === 'DurationBinary') return DURATION_PRECEDENCE[expr.operator];
  if (expr.kind === 'DurationUnary') return SIGN_PRECEDENCE;
  return expr.kind === 'DurationLiteral' && isSigned(expr.value) ? SIGN_PRECEDENCE : 9;
}

function isSigned(value: number): boolean {
  return value < 0 || Object.is(value, -0) || value === Infinity;
}

/** Parentheses where `expr` would not hold together. Literals never keep theirs. */
function durationAtLeast(expr: DurationExpr, precedence: number): DurationExpr {
  if (durationPrecedence(expr) >= precedence) return expr;
  if (expr.kind === 'DurationLiteral') return { ...expr, value: Math.abs(expr.value) };
  return { ...expr, wrapped: true };
}

const durationExpr = fc.letrec<{ any: DurationExpr; literal: DurationExpr; tree: DurationExpr }>(
  (tie) => ({
    any: fc.oneof({ depthSize: 'small' }, tie('literal'), tie('tree')),
    literal: fc.oneof(
      durationSeconds.map(
        (value): DurationExpr => ({
          kind: 'DurationLiteral',
          range,
          wrapped: false,
          value,
          isDuration: true,
        }),
      ),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }).map(
        (value): DurationExpr => ({
          kind: 'DurationLiteral',
          range,
          wrapped: false,
          value: value || 1,
          isDuration: false,
        }),
      ),
    ),
    tree: fc.oneof(
      fc.record({ name: fc.constantFrom('step', 'range'), wrapped: fc.boolean() }).map(
        ({ name, wrapped }): DurationExpr => ({
          kind: 'DurationCall',
          range,
          wrapped,
          name: name as 'step',
          args: [],
        }),
      ),
      fc.record({ name: fc.constantFrom('min_of', 'max_of'), a: tie('any'), b: tie('any') }).map(
        ({ name, a, b }): DurationExpr => ({
          kind: 'DurationCall',
          range,
          wrapped: false,
          name: name as 'min_of',
          args: [a, b],
        }),
      ),
      tie('tree').map(
        (operand): DurationExpr => ({
          kind: 'DurationUnary',
          range,
          wrapped: false,
          operator: '-',
          operand: durationAtLeast(operand, SIGN_PRECEDENCE),
        }),
      ),
      fc
        .record({
          operator: fc.constantFrom('+', '-', '*', '/', '%', '^'),
          left: tie('any'),
          right: tie('any'),
          wrapped: fc.boolean(),
        })
        .map(({ operator, left, right, wrapped }): DurationExpr => {
          const own = DURATION_PRECEDENCE[operator as '+'];
          const isPower = operator === '^';
          return {
            kind: 'DurationBinary',
            range,
            wrapped,
            operator: operator as '+',
            left: durationAtLeast(left, isPower ? own + 1 : own),
            // A sign on the right of a power takes all that follows along.
            right: durationAtLeast(right, isPower ? own : own + 1),
          };
        }),
    ),
  }),
).tree;

/** What may be a range: more than nothing when it is a plain number. */
const window: fc.Arbitrary<Duration> = fc.oneof({ weight: 3, arbitrary: durationMs }, durationExpr);
const offset: fc.Arbitrary<Duration> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  durationMs,
  durationMs.map((ms) => -ms),
  durationExpr,
);
const at = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  fc.integer({ min: -1e13, max: 1e13 }),
  fc.constantFrom('start' as const, 'end' as const),
);

const matcher = fc
  .record({ name: label, operator: fc.constantFrom(...MATCH_OPERATORS), value: text })
  .map(({ name, operator, value }) => {
    const isRegex = operator === '=~' || operator === '!~';
    return new Matcher(name, operator, isRegex ? value.replace(/[^a-z]/g, '.') : value);
  })
  .filter(({ name }) => name !== '__name__');

const selector = fc
  .record({
    name: fc.option(identifier, { nil: '' }),
    matchers: fc.array(matcher, { maxLength: 3 }),
    quotedName: text.filter((name) => name !== ''),
    offset,
    at,
    extended: fc.constantFrom(null, null, null, 'anchored', 'smoothed'),
  })
  .map(({ name, matchers, quotedName, extended, ...shift }): VectorSelector => {
    const nameMatcher = new Matcher('__name__', '=', name === '' ? quotedName : name);
    return {
      kind: 'VectorSelector',
      range,
      name,
      matchers: [...matchers, nameMatcher],
      ...shift,
      anchored: extended === 'anchored',
      smoothed: extended === 'smoothed',
    };
  });

const PRECEDENCE: Record<BinaryOperator, number> = {
  or: 0,
  and: 1,
  unless: 1,
  '==': 2,
  '!=': 2,
  '>': 2,
  '<': 2,
  '>=': 2,
  '<=': 2,
  '</': 2,
  '>/': 2,
  '+': 3,
  '-': 3,
  '*': 4,
  '/': 4,
  '%': 4,
  atan2: 4,
  '^': 6,
};
const UNARY_PRECEDENCE = 5;

function precedenceOf(expr: Expr): number {
  if (expr.kind === 'Binary') return PRECEDENCE[expr.operator];
  if (expr.kind === 'Unary') return UNARY_PRECEDENCE;
  return expr.kind === 'NumberLiteral' && isSigned(expr.value) ? UNARY_PRECEDENCE : 9;
}

function atLeast(expr: Expr, precedence: number): Expr {
  return precedenceOf(expr) >= precedence ? expr : { kind: 'Paren', range, expr };
}

/** Behind `offset (…)` an operator would go on with the duration. */
function holdsOpenOffset(expr: Expr): boolean {
  return expr.kind !== 'Paren' && /offset (?:\(|--)/.test(printExpr(expr));
}

const matching = fc.record({
  on: fc.boolean(),
  labels: fc.array(
    label.filter((name) => name !== '' && name.isWellFormed()),
    { maxLength: 2 },
  ),
  include: fc.array(fc.constantFrom('inc1', 'inc 2'), { maxLength: 2 }),
  group: fc.constantFrom('one-to-one', 'many-to-one', 'one-to-many'),
  fillLeft: fc.option(fc.double({ noNaN: true }), { freq: 4 }),
  fillRight: fc.option(fc.double(), { freq: 4 }),
});

function binary(
  operator: BinaryOperator,
  left: Expr,
  right: Expr,
  returnBool: boolean,
  raw: { on: boolean; labels: string[]; include: string[]; group: string } & Pick<
    VectorMatching,
    'fillLeft' | 'fillRight'
  >,
): Expr {
  const { on, labels, include, group, fillLeft, fillRight } = raw;
  const own = PRECEDENCE[operator];
  const isPower = operator === '^';
  const areVectors = typeOf(left) === 'vector' && typeOf(right) === 'vector';
  const areScalars = typeOf(left) === 'scalar' && typeOf(right) === 'scalar';
  const isSet = isSetOperator(operator);
  const isGrouped = !isSet && group !== 'one-to-one';
  return {
    kind: 'Binary',
    range,
    operator,
    operatorRange: range,
    left: holdsOpenOffset(left)
      ? { kind: 'Paren', range, expr: left }
      : atLeast(left, isPower ? own + 1 : own),
    // A sign on the right binds to what follows it, up to the next looser operator.
    right:
      right.kind === 'Unary' || right.kind === 'NumberLiteral'
        ? right
        : atLeast(right, isPower ? own : own + 1),
    returnBool: isComparison(operator) && (areScalars || returnBool),
    matching: areVectors
      ? {
          cardinality: isSet ? 'many-to-many' : (group as VectorMatching['cardinality']),
          on,
          labels,
          include: isGrouped ? include : [],
          fillLeft: isSet ? null : fillLeft,
          fillRight: isSet ? null : fillRight,
        }
      : null,
  };
}

const scalarLiteral = fc.oneof(
  fc.double().map((value): Expr => ({ kind: 'NumberLiteral', range, value, isDuration: false })),
  fc
    .integer({ min: -1000, max: 1000 })
    .map((value): Expr => ({ kind: 'NumberLiteral', range, value, isDuration: false })),
  durationSeconds.map((value): Expr => ({ kind: 'NumberLiteral', range, value, isDuration: true })),
);
const stringLiteral = text.map((value): Expr => ({ kind: 'StringLiteral', range, value }));

type Trees = { scalar: Expr; vector: Expr; matrix: Expr; string: Expr };

function call(tie: (type: keyof Trees) => fc.Arbitrary<Expr>, type: 'scalar' | 'vector') {
  const fitting = [...FUNCTIONS.values()].filter(
    (func) => func.returnType === type && func.name !== 'info',
  );
  return fc.constantFrom(...fitting).chain((func: FunctionSignature) => {
    const types = func.argTypes.slice(0, argCountMin(func));
    return fc
      .tuple(...types.map((argType) => tie(argType)))
      .map((args): Expr => ({ kind: 'Call', range, func, args }));
  });
}

const NO_PARAM = AGGREGATION_OPERATORS.slice(0, 8);

export const arbitraryExpr: fc.Arbitrary<Expr> = fc.letrec<Trees & { any: Expr }>((tie) => ({
  any: fc.oneof(tie('vector'), tie('vector'), tie('scalar'), tie('matrix'), tie('string')),
  string: fc.oneof(
    { weight: 5, arbitrary: stringLiteral },
    tie('string').map((expr): Expr => ({ kind: 'Paren', range, expr })),
  ),
  scalar: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: scalarLiteral },
    call(tie, 'scalar'),
    tie('scalar').map((expr): Expr => ({ kind: 'Paren', range, expr })),
    fc
      .tuple(
        fc.constantFrom(...ARITHMETIC_OPERATORS, ...COMPARISON_OPERATORS),
        tie('scalar'),
        tie('scalar'),
        matching,
      )
      .map(([operator, left, right, raw]) => binary(operator, left, right, false, raw)),
  ),
  vector: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 3, arbitrary: selector },
    call(tie, 'vector'),
    tie('vector').map((expr): Expr => ({ kind: 'Paren', range, expr })),
    fc.tuple(fc.constantFrom('-', '+'), tie('vector')).map(
      ([operator, expr]): Expr => ({
        kind: 'Unary',
        range,
        operator: operator as '-',
        expr: atLeast(expr, UNARY_PRECEDENCE),
      }),
    ),
    fc
      .record({
        operator: fc.constantFrom(...NO_PARAM),
        expr: tie('vector'),
        grouping: matching.map(({ labels }) => labels),
        without: fc.boolean(),
      })
      .map((node): Expr => ({ kind: 'Aggregation', range, param: null, ...node })),
    fc
      .record({
        operator: fc.constantFrom('topk' as const, 'quantile' as const, 'limit_ratio' as const),
        param: tie('scalar'),
        expr: tie('vector'),
        grouping: fc.constant([]),
        without: fc.boolean(),
      })
      .map((node): Expr => ({ kind: 'Aggregation', range, ...node })),
    fc
      .tuple(
        fc.constantFrom(
          ...ARITHMETIC_OPERATORS,
          ...COMPARISON_OPERATORS,
          ...TRIM_OPERATORS,
          ...SET_OPERATORS,
        ),
        tie('vector'),
        fc.oneof(tie('vector'), tie('scalar')),
        fc.boolean(),
        matching,
      )
      .filter(([operator, , right]) => !isSetOperator(operator) || typeOf(right) === 'vector')
      .map(([operator, left, right, returnBool, raw]) =>
        binary(operator, left, right, returnBool, raw),
      ),
  ),
  matrix: fc.oneof(
    { depthSize: 'small' },
    fc.tuple(selector, window).map(
      ([vector, duration]): Expr => ({
        kind: 'MatrixSelector',
        range,
        vector,
        window: duration,
      }),
    ),
    fc
      // A tree without a number cannot stand before the colon of the first bracket.
      .record({ expr: tie('vector'), window: durationMs, step: fc.option(window), offset, at })
      .map(
        ({ expr, ...rest }): Expr => ({
          kind: 'Subquery',
          range,
          expr: atLeast(expr, 9),
          ...rest,
        }),
      ),
  ),
})).any;
