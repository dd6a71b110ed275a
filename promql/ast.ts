/**
 * The syntax tree of PromQL. Nodes are immutable, told apart by `kind`, and know which part of the
 * query text they came from. What the text said in seconds or with units is milliseconds here.
 */
import { type Matcher, type TextRange, unreachable } from '../model/index.ts';
import type { FunctionSignature } from './functions.ts';

export type ValueType = 'scalar' | 'vector' | 'matrix' | 'string';

type Node<Kind extends string> = {
  readonly kind: Kind;
  /** UTF-16 offsets into the query text, end exclusive. */
  readonly range: TextRange;
};

export type NumberLiteral = Node<'NumberLiteral'> & {
  readonly value: number;
  /** Whether it was written with units (`1h30m`) and prints so again. `value` is in seconds. */
  readonly isDuration: boolean;
};

export type StringLiteral = Node<'StringLiteral'> & { readonly value: string };

/**
 * A point in time that does not move with the evaluation: milliseconds since the epoch, or the
 * start or end of the whole query.
 */
export type AtModifier = number | 'start' | 'end';

/** Milliseconds when known from the text alone, else what is to be computed when planning. */
export type Duration = number | DurationExpr;

/** What selectors and subqueries have in common: a shift of the time at which they look. */
type TimeShift = {
  /** `offset`; positive looks back. 0 when absent. */
  readonly offset: Duration;
  /** `@`; null when absent. */
  readonly at: AtModifier | null;
};

export type VectorSelector = Node<'VectorSelector'> &
  TimeShift & {
    /** The metric name when it stands before the braces, else empty (`{"name"}`, `{__name__=…}`). */
    readonly name: string;
    /** All conditions; the one that `name` or a bare string stands for is the `__name__` matcher. */
    readonly matchers: readonly Matcher[];
    readonly anchored: boolean;
    readonly smoothed: boolean;
  };

export type MatrixSelector = Node<'MatrixSelector'> & {
  /** Carries the modifiers, also those that were written after the brackets. */
  readonly vector: VectorSelector;
  /** How far back to look: `[5m]`. */
  readonly window: Duration;
};

export type Subquery = Node<'Subquery'> &
  TimeShift & {
    readonly expr: Expr;
    readonly window: Duration;
    /** Distance of the evaluations; null (`[5m:]`) means the server's default. */
    readonly step: Duration | null;
  };

export type Call = Node<'Call'> & {
  readonly func: FunctionSignature;
  readonly args: readonly Expr[];
};

export const AGGREGATION_OPERATORS = [
  'sum',
  'avg',
  'count',
  'min',
  'max',
  'group',
  'stddev',
  'stdvar',
  'topk',
  'bottomk',
  'count_values',
  'quantile',
  'limitk',
  'limit_ratio',
] as const;
export type AggregationOperator = (typeof AGGREGATION_OPERATORS)[number];

export type Aggregation = Node<'Aggregation'> & {
  readonly operator: AggregationOperator;
  readonly expr: Expr;
  /** The first argument of `topk`, `quantile`, `count_values` and the like; null for the others. */
  readonly param: Expr | null;
  /** Labels of `by` or `without`. */
  readonly grouping: readonly string[];
  readonly without: boolean;
};

export const ARITHMETIC_OPERATORS = ['+', '-', '*', '/', '%', '^', 'atan2'] as const;
export const COMPARISON_OPERATORS = ['==', '!=', '>', '<', '>=', '<='] as const;
export const TRIM_OPERATORS = ['</', '>/'] as const;
export const SET_OPERATORS = ['and', 'or', 'unless'] as const;
export type ArithmeticOperator = (typeof ARITHMETIC_OPERATORS)[number];
export type ComparisonOperator = (typeof COMPARISON_OPERATORS)[number];
export type TrimOperator = (typeof TRIM_OPERATORS)[number];
export type SetOperator = (typeof SET_OPERATORS)[number];
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | TrimOperator | SetOperator;

export function isComparison(operator: BinaryOperator): operator is ComparisonOperator {
  return (COMPARISON_OPERATORS as readonly string[]).includes(operator);
}

export function isSetOperator(operator: BinaryOperator): operator is SetOperator {
  return (SET_OPERATORS as readonly string[]).includes(operator);
}

export type Cardinality = 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';

/** How series of the two sides find each other. */
export type VectorMatching = {
  /** `group_left` is many-to-one, `group_right` one-to-many, set operators many-to-many. */
  readonly cardinality: Cardinality;
  /** True: only `labels` count (`on`); false: all but `labels` (`ignoring`, or nothing written). */
  readonly on: boolean;
  readonly labels: readonly string[];
  /** Labels of `group_left(…)` or `group_right(…)`, taken from the "one" side. */
  readonly include: readonly string[];
  /** Value that stands for a missing series of the left or right side; null: no result then. */
  readonly fillLeft: number | null;
  readonly fillRight: number | null;
};

export type Binary = Node<'Binary'> & {
  readonly operator: BinaryOperator;
  /** Where the operator itself stands. */
  readonly operatorRange: TextRange;
  readonly left: Expr;
  readonly right: Expr;
  /** `bool`: comparisons give 0 or 1 in place of filtering. */
  readonly returnBool: boolean;
  /** Null unless both sides are instant vectors. */
  readonly matching: VectorMatching | null;
};

export type Unary = Node<'Unary'> & { readonly operator: '+' | '-'; readonly expr: Expr };

export type Paren = Node<'Paren'> & { readonly expr: Expr };

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregation
  | Binary
  | Unary
  | Paren;

/** Parentheses in a duration print again, but mean nothing beyond the shape of the tree. */
type DurationNode<Kind extends string> = Node<Kind> & { readonly wrapped: boolean };

export type DurationLiteral = DurationNode<'DurationLiteral'> & {
  /** Seconds. */
  readonly value: number;
  readonly isDuration: boolean;
};

export type DurationCall = DurationNode<'DurationCall'> & {
  /** `step()` and `range()` are those of the query, and 0 for an instant query. */
  readonly name: 'step' | 'range' | 'min_of' | 'max_of';
  /** Two for `min_of` and `max_of`, else none. */
  readonly args: readonly DurationExpr[];
};

export type DurationUnary = DurationNode<'DurationUnary'> & {
  readonly operator: '+' | '-';
  readonly operand: DurationExpr;
};

export type DurationBinary = DurationNode<'DurationBinary'> & {
  readonly operator: '+' | '-' | '*' | '/' | '%' | '^';
  readonly left: DurationExpr;
  readonly right: DurationExpr;
};

export type DurationExpr = DurationLiteral | DurationCall | DurationUnary | DurationBinary;

/** The type of the value that an expression gives. */
export function typeOf(expr: Expr): ValueType {
  switch (expr.kind) {
    case 'NumberLiteral':
      return 'scalar';
    case 'StringLiteral':
      return 'string';
    case 'VectorSelector':
    case 'Aggregation':
      return 'vector';
    case 'MatrixSelector':
    case 'Subquery':
      return 'matrix';
    case 'Call':
      return expr.func.returnType;
    case 'Binary':
      return typeOf(expr.left) === 'scalar' && typeOf(expr.right) === 'scalar'
        ? 'scalar'
        : 'vector';
    case 'Unary':
    case 'Paren':
      return typeOf(expr.expr);
    default:
      return unreachable(expr);
  }
}

/** The one place that knows the shape of the tree. Parameters come before what they apply to. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'NumberLiteral':
    case 'StringLiteral':
    case 'VectorSelector':
      return [];
    case 'MatrixSelector':
      return [expr.vector];
    case 'Call':
      return expr.args;
    case 'Aggregation':
      return expr.param === null ? [expr.expr] : [expr.param, expr.expr];
    case 'Binary':
      return [expr.left, expr.right];
    case 'Subquery':
    case 'Unary':
    case 'Paren':
      return [expr.expr];
    default:
      return unreachable(expr);
  }
}

/** Depth first, parents before children. Return false to skip what lies below. */
export function walk(expr: Expr, visit: (expr: Expr) => boolean | void): void {
  if (visit(expr) === false) return;
  for (const child of childrenOf(expr)) walk(child, visit);
}

/** The expression inside any number of parentheses. */
export function unwrapParens(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === 'Paren') inner = inner.expr;
  return inner;
}
