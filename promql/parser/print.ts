/**
 * A tree as one line of text, as Prometheus writes expressions back: in rule files, error texts and
 * the formatter. Parsing the line gives the same tree again.
 * Source: observed on Prometheus 3.14's `format_query`.
 */
import {
  compareText,
  formatDuration,
  formatFloatPlain,
  formatFloatShort,
  isLegacyLabelName,
  type Matcher,
  METRIC_NAME,
  quoteText,
  unreachable,
} from '../../model/index.ts';
import type {
  Aggregation,
  AtModifier,
  Binary,
  Duration,
  DurationExpr,
  Expr,
  MatrixSelector,
  Subquery,
  VectorSelector,
} from '../ast.ts';
import { formatDecimals } from './format-decimals.ts';

export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'NumberLiteral':
      return printNumber(expr);
    case 'StringLiteral':
      return quoteText(expr.value);
    case 'VectorSelector':
      return printSelector(expr);
    case 'MatrixSelector':
      return printMatrix(expr);
    case 'Subquery':
      return printExpr(expr.expr) + printSubquerySuffix(expr);
    case 'Call':
      return `${expr.func.name}(${expr.args.map(printExpr).join(', ')})`;
    case 'Aggregation':
      return `${printAggregationHead(expr)}(${printAggregationArgs(expr).join(', ')})`;
    case 'Binary':
      return `${printExpr(expr.left)} ${printOperator(expr)} ${printExpr(expr.right)}`;
    case 'Unary':
      return expr.operator + printExpr(expr.expr);
    case 'Paren':
      return `(${printExpr(expr.expr)})`;
    default:
      return unreachable(expr);
  }
}

function printNumber({ value, isDuration }: { value: number; isDuration: boolean }): string {
  if (!isDuration) return formatFloatPlain(value);
  return formatDuration(Math.round(value * 1000));
}

function printSelector(selector: VectorSelector): string {
  const { at, offset } = selector;
  return printSeriesPart(selector) + printAt(at) + printExtended(selector) + printOffset(offset);
}

function printExtended({ anchored, smoothed }: VectorSelector): string {
  return anchored ? ' anchored' : smoothed ? ' smoothed' : '';
}

function printSeriesPart({ name, matchers }: VectorSelector): string {
  // The matcher that the name in front stands for is not repeated.
  const shown = matchers.filter((matcher) => !isImplied(matcher, name));
  const texts = shown.map(printMatcher).sort(compareText);
  if (texts.length === 0) return name === '' ? '{}' : name;
  return `${name}{${texts.join(',')}}`;
}

function isImplied(matcher: Matcher, name: string): boolean {
  return (
    name !== '' &&
    matcher.name === METRIC_NAME &&
    matcher.operator === '=' &&
    matcher.value === name
  );
}

function printMatcher(matcher: Matcher): string {
  return `${printLabel(matcher.name)}${matcher.operator}${quoteText(matcher.value)}`;
}

function printLabel(name: string): string {
  return isLegacyLabelName(name) ? name : quoteText(name);
}

function printMatrix({ vector, window }: MatrixSelector): string {
  const selector = `${printSeriesPart(vector)}[${printDuration(window)}]`;
  return selector + printExtended(vector) + printAt(vector.at) + printOffset(vector.offset);
}

/** Everything behind the expression that the subquery runs. */
export function printSubquerySuffix({ window, step, at, offset }: Subquery): string {
  const stepText = step === null ? '' : printDuration(step);
  return `[${printDuration(window)}:${stepText}]${printAt(at)}${printOffset(offset)}`;
}

function printAt(at: AtModifier | null): string {
  if (at === null) return '';
  return typeof at === 'number' ? ` @ ${formatDecimals(at / 1000, 3)}` : ` @ ${at}()`;
}

function printOffset(offset: Duration): string {
  if (offset === 0) return '';
  if (typeof offset === 'number') return ` offset ${formatDuration(offset)}`;
  const text = printDuration(offset);
  return ` offset ${needsParens(offset, text) ? `(${text})` : text}`;
}

/**
 * Behind `offset` a bare `5m + 3` would end at `5m`; only a parenthesis or a double sign opens more.
 * Prometheus, which forgets the parentheses of `(5m) + 3`, prints what means something else then.
 */
function needsParens(offset: DurationExpr, text: string): boolean {
  const inner = offset.kind === 'DurationUnary' ? offset.operand : offset;
  if (offset.wrapped || inner.wrapped || inner.kind !== 'DurationBinary') return false;
  return !/^(?:\(|--)/.test(text);
}

function printDuration(duration: Duration): string {
  if (typeof duration === 'number') return formatDuration(duration);
  const text = printBareDuration(duration);
  return duration.wrapped ? `(${text})` : text;
}

function printBareDuration(expr: DurationExpr): string {
  switch (expr.kind) {
    case 'DurationLiteral':
      return printNumber(expr);
    case 'DurationCall':
      return `${expr.name}(${expr.args.map(printDuration).join(', ')})`;
    case 'DurationUnary':
      return (expr.operator === '-' ? '-' : '') + printDuration(expr.operand);
    case 'DurationBinary':
      return `${printDuration(expr.left)} ${expr.operator} ${printDuration(expr.right)}`;
    default:
      return unreachable(expr);
  }
}

/** `sum by (a, b) `, or just `sum`. */
export function printAggregationHead({ operator, grouping, without }: Aggregation): string {
  if (!without && grouping.length === 0) return operator;
  return `${operator} ${without ? 'without' : 'by'} ${printLabels(grouping)} `;
}

function printAggregationArgs({ param, expr }: Aggregation): string[] {
  return param === null ? [printExpr(expr)] : [printExpr(param), printExpr(expr)];
}

function printLabels(labels: readonly string[]): string {
  return `(${labels.map(printLabel).join(', ')})`;
}

/** The operator with everything that modifies it: `== bool on (a) group_left (b)`. */
export function printOperator({ operator, returnBool, matching }: Binary): string {
  let text: string = operator;
  if (returnBool) text += ' bool';
  if (matching === null) return text;
  const { cardinality, on, labels, include, fillLeft, fillRight } = matching;
  const isGrouped = cardinality === 'many-to-one' || cardinality === 'one-to-many';
  if (on || labels.length > 0 || isGrouped) {
    text += ` ${on ? 'on' : 'ignoring'} ${printLabels(labels)}`;
  }
  if (isGrouped) {
    const group = cardinality === 'many-to-one' ? 'group_left' : 'group_right';
    text += ` ${group} ${printLabels(include)}`;
  }
  if (fillLeft !== null && fillLeft === fillRight) return `${text} fill (${printFill(fillLeft)})`;
  if (fillLeft !== null) text += ` fill_left (${printFill(fillLeft)})`;
  if (fillRight !== null) text += ` fill_right (${printFill(fillRight)})`;
  return text;
}

function printFill(value: number): string {
  return formatFloatShort(value, 21);
}
