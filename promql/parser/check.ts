/**
 * What the grammar cannot say: types, numbers of arguments, which modifiers go with which
 * operators. The first fault is thrown, in the order in which Prometheus finds them.
 * Source: error texts and their order observed on Prometheus 3.14.
 */
import { quoteText, type TextRange, unreachable } from '../../model/index.ts';
import {
  type Aggregation,
  type Binary,
  type Call,
  type Expr,
  isComparison,
  isSetOperator,
  typeOf,
  type ValueType,
  type VectorSelector,
} from '../ast.ts';
import { argCountMax, argCountMin, argTypeAt } from '../functions.ts';
import { PromqlParseError } from './errors.ts';

/** What people call the types. */
const TYPE_NAMES: Readonly<Record<ValueType, string>> = {
  scalar: 'scalar',
  vector: 'instant vector',
  matrix: 'range vector',
  string: 'string',
};

/** @throws PromqlParseError */
export function checkExpr(expr: Expr, query: string): void {
  new Checker(query).check(expr);
}

class Checker {
  readonly #query: string;

  constructor(query: string) {
    this.#query = query;
  }

  check(expr: Expr): ValueType {
    switch (expr.kind) {
      case 'NumberLiteral':
      case 'StringLiteral':
        break;
      case 'VectorSelector':
        this.#selector(expr, false);
        break;
      case 'MatrixSelector':
        this.check(expr.vector);
        break;
      case 'Subquery': {
        const type = this.check(expr.expr);
        if (type !== 'vector') {
          const what = `subquery is only allowed on instant vector, got ${type} instead`;
          this.#fail(what, expr.range);
        }
        break;
      }
      case 'Call':
        this.#call(expr);
        break;
      case 'Aggregation':
        this.#aggregation(expr);
        break;
      case 'Binary':
        this.#binary(expr);
        break;
      case 'Unary': {
        const type = this.check(expr.expr);
        if (type !== 'scalar' && type !== 'vector') {
          this.#fail(
            'unary expression only allowed on expressions of type scalar or instant vector, ' +
              `got ${quoteText(TYPE_NAMES[type])}`,
            expr.range,
          );
        }
        break;
      }
      case 'Paren':
        this.check(expr.expr);
        break;
      default:
        unreachable(expr);
    }
    return typeOf(expr);
  }

  #selector(expr: VectorSelector, mayMatchAll: boolean): void {
    if (expr.name !== '') {
      // The last matcher is the one that the name itself stands for.
      const twice = expr.matchers.slice(0, -1).find((matcher) => matcher.name === '__name__');
      if (twice !== undefined) {
        this.#fail(
          'metric name must not be set twice: ' +
            `${quoteText(expr.name)} or ${quoteText(twice.value)}`,
          expr.range,
        );
      }
      return;
    }
    if (mayMatchAll || expr.matchers.some((matcher) => !matcher.matchesEmpty)) return;
    this.#fail('vector selector must contain at least one non-empty matcher', expr.range);
  }

  #call(expr: Call): void {
    const { func, args } = expr;
    this.#argCount(expr);
    const isInfo = func.name === 'info';
    if (isInfo && args.length === 2) this.#infoSelector(args[1]!, expr);
    args.forEach((arg, index) => {
      if (isInfo && index === 1) return;
      this.#expectType(arg, argTypeAt(func, index), `call to function ${quoteText(func.name)}`);
    });
  }

  #argCount({ func, args, range }: Call): void {
    const min = argCountMin(func);
    const max = argCountMax(func);
    const { length } = args;
    if (length >= min && length <= max) return;
    const expected =
      func.variadic === 0 ? `${min}` : length < min ? `at least ${min}` : `at most ${max}`;
    const what = `expected ${expected} argument(s) in call to ${quoteText(func.name)}, got ${length}`;
    this.#fail(what, range);
  }

  /** The second argument of `info` names labels; it is no selector of its own. */
  #infoSelector(arg: Expr, call: Call): void {
    const type = typeOf(arg);
    if (type !== 'vector') {
      this.#fail(
        `expected type instant vector in call to function "info", got ${TYPE_NAMES[type]}`,
        call.range,
      );
    }
    if (arg.kind !== 'VectorSelector') this.#fail('expected label selectors only', arg.range);
    if (arg.name !== '') {
      this.#fail('expected label selectors only, got vector selector instead', arg.range);
    }
    this.#selector(arg, true);
  }

  #aggregation(expr: Aggregation): void {
    this.#expectType(expr.expr, 'vector', 'aggregation expression');
    if (expr.param === null) return;
    const expected = expr.operator === 'count_values' ? 'string' : 'scalar';
    this.#expectType(expr.param, expected, 'aggregation parameter');
  }

  #expectType(expr: Expr, expected: ValueType, where: string): void {
    const type = this.check(expr);
    if (type === expected) return;
    const names = `${TYPE_NAMES[expected]} in ${where}, got ${TYPE_NAMES[type]}`;
    this.#fail(`expected type ${names}`, expr.range);
  }

  #binary(expr: Binary): void {
    const { operator, operatorRange, matching, range } = expr;
    const left = this.check(expr.left);
    const right = this.check(expr.right);
    if (expr.returnBool && !isComparison(operator)) {
      this.#fail('bool modifier can only be used on comparison operators', operatorRange);
    }
    if (isComparison(operator) && !expr.returnBool && left === 'scalar' && right === 'scalar') {
      this.#fail('comparisons between scalars must use BOOL modifier', operatorRange);
    }
    const isGrouped =
      matching?.cardinality === 'many-to-one' || matching?.cardinality === 'one-to-many';
    if (matching?.on === true) {
      const twice = matching.include.find((label) => matching.labels.includes(label));
      if (twice !== undefined) {
        const what = `label ${quoteText(twice)} must not occur in ON and GROUP clause at once`;
        this.#fail(what, operatorRange);
      }
    }
    for (const [type, side] of [
      [left, expr.left],
      [right, expr.right],
    ] as const) {
      if (type === 'scalar' || type === 'vector') continue;
      this.#fail('binary expression must contain only scalar and instant vector types', side.range);
    }
    if (left === 'vector' && right === 'vector') {
      if (!isSetOperator(operator)) return;
      if (isGrouped) this.#fail(`no grouping allowed for ${quoteText(operator)} operation`, range);
      if (fills(expr)) {
        this.#fail('filling in missing series not allowed for set operators', range);
      }
      return;
    }
    if (matching !== null && matching.labels.length > 0) {
      this.#fail('vector matching only allowed between instant vectors', range);
    }
    if (fills(expr)) {
      this.#fail('filling in missing series only allowed between instant vectors', range);
    }
    if (isSetOperator(operator)) {
      const what = `set operator ${quoteText(operator)} not allowed in binary scalar expression`;
      this.#fail(what, range);
    }
  }

  #fail(what: string, range: TextRange): never {
    throw new PromqlParseError(what, this.#query, range);
  }
}

function fills({ matching }: Binary): boolean {
  return matching !== null && (matching.fillLeft !== null || matching.fillRight !== null);
}
