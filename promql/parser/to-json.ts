/**
 * A tree as the JSON of `/api/v1/parse_query`, which Prometheus's UI draws its tree view from.
 * Source: observed on Prometheus 3.14.
 */
import { formatFloatPlain, type Matcher, unreachable } from '../../model/index.ts';
import type { AtModifier, Duration, DurationExpr, Expr, VectorMatching } from '../ast.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export function exprToJson(expr: Expr): JsonValue {
  switch (expr.kind) {
    case 'NumberLiteral':
      return { type: 'numberLiteral', val: formatFloatPlain(expr.value) };
    case 'StringLiteral':
      return { type: 'stringLiteral', val: expr.value.toWellFormed() };
    case 'VectorSelector':
      return {
        type: 'vectorSelector',
        name: expr.name,
        matchers: expr.matchers.map(matcherToJson),
        ...offsetToJson(expr.offset),
        ...atToJson(expr.at),
        anchored: expr.anchored,
        smoothed: expr.smoothed,
      };
    case 'MatrixSelector': {
      const { vector, window } = expr;
      return {
        type: 'matrixSelector',
        name: vector.name,
        matchers: vector.matchers.map(matcherToJson),
        range: millisOf(window),
        rangeExpr: treeOf(window),
        ...offsetToJson(vector.offset),
        ...atToJson(vector.at),
        anchored: vector.anchored,
        smoothed: vector.smoothed,
      };
    }
    case 'Subquery':
      return {
        type: 'subquery',
        expr: exprToJson(expr.expr),
        range: millisOf(expr.window),
        rangeExpr: treeOf(expr.window),
        step: millisOf(expr.step ?? 0),
        stepExpr: treeOf(expr.step ?? 0),
        ...offsetToJson(expr.offset),
        ...atToJson(expr.at),
      };
    case 'Call': {
      const { name, argTypes, variadic, returnType } = expr.func;
      return {
        type: 'call',
        func: { name, argTypes, variadic, returnType },
        args: expr.args.map(exprToJson),
      };
    }
    case 'Aggregation':
      return {
        type: 'aggregation',
        op: expr.operator,
        expr: exprToJson(expr.expr),
        param: expr.param === null ? null : exprToJson(expr.param),
        grouping: expr.grouping,
        without: expr.without,
      };
    case 'Binary':
      return {
        type: 'binaryExpr',
        op: expr.operator,
        lhs: exprToJson(expr.left),
        rhs: exprToJson(expr.right),
        matching: expr.matching === null ? null : matchingToJson(expr.matching),
        bool: expr.returnBool,
      };
    case 'Unary':
      return { type: 'unaryExpr', op: expr.operator, expr: exprToJson(expr.expr) };
    case 'Paren':
      return { type: 'parenExpr', expr: exprToJson(expr.expr) };
    default:
      return unreachable(expr);
  }
}

function matcherToJson({ name, value, operator }: Matcher): JsonValue {
  return { name: name.toWellFormed(), value: value.toWellFormed(), type: operator };
}

function matchingToJson(matching: VectorMatching): JsonValue {
  const { cardinality, labels, on, include, fillLeft, fillRight } = matching;
  return { card: cardinality, labels, on, include, fillValues: { lhs: fillLeft, rhs: fillRight } };
}

/** What is still to be computed counts as 0 here; the tree stands beside it. */
function millisOf(duration: Duration): number {
  return typeof duration === 'number' ? duration : 0;
}

function treeOf(duration: Duration): JsonValue {
  return typeof duration === 'number' ? null : durationToJson(duration);
}

function offsetToJson(offset: Duration): { offset: number; offsetExpr: JsonValue } {
  return { offset: millisOf(offset), offsetExpr: treeOf(offset) };
}

function atToJson(at: AtModifier | null): { timestamp: JsonValue; startOrEnd: JsonValue } {
  return typeof at === 'number'
    ? { timestamp: at, startOrEnd: null }
    : { timestamp: null, startOrEnd: at };
}

function durationToJson(expr: DurationExpr): JsonValue {
  if (expr.kind === 'DurationLiteral') {
    const { value, isDuration } = expr;
    return { type: 'numberLiteral', val: formatFloatPlain(value), duration: isDuration };
  }
  const [op, lhs, rhs] = operationOf(expr);
  return {
    type: 'durationExpr',
    op,
    lhs: lhs && durationToJson(lhs),
    rhs: rhs && durationToJson(rhs),
    wrapped: expr.wrapped,
  };
}

type Operand = DurationExpr | null;

function operationOf(
  expr: Exclude<DurationExpr, { kind: 'DurationLiteral' }>,
): [op: string, lhs: Operand, rhs: Operand] {
  switch (expr.kind) {
    case 'DurationBinary':
      return [expr.operator, expr.left, expr.right];
    case 'DurationUnary':
      return [expr.operator, null, expr.operand];
    case 'DurationCall':
      return [expr.name, expr.args[0] ?? null, expr.args[1] ?? null];
  }
}
