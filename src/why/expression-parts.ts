/**
 * An expression taken apart: what each of its parts gives at one moment, and which part is the one
 * that leaves nothing. Every part is evaluated by itself, as if it were the query.
 */
import {
  CanceledError,
  formatFloat,
  formatHistogram,
  Labels,
  LimitError,
  messageOf,
  NarthexError,
} from '../../model/index.ts';
import {
  childrenOf,
  type Expr,
  parseExpr,
  type ParserOptions,
  printExpr,
  type QueryResult,
  typeOf,
  unwrapParens,
} from '../../promql/index.ts';
import type { ExpressionPart, PartRow, SelectorCheck, WhyAnswer } from '../../web/index.ts';
import { reasonOf } from './reason.ts';
import { RelatedRows } from './related.ts';

/** Rows of one part that are shown. */
const SHOWN_ROW_COUNT = 20;
/** Parts of one expression that are evaluated; the others are left out. */
const PART_COUNT_MAX = 100;

export type Evaluate = (query: string) => QueryResult;

export type TakeApartOptions = {
  readonly language: ParserOptions;
  readonly evaluate: Evaluate;
  /** Checks the first selector in an expression that is one. */
  readonly check: (selector: Expr) => SelectorCheck | null;
  /** Only series that concern an alert with these labels count; null: all. */
  readonly related: Labels | null;
};

/** @throws PromqlParseError */
export function takeApart(query: string, options: TakeApartOptions): WhyAnswer {
  let partCount = 0;
  const build = (wrapped: Expr): ExpressionPart => {
    const expr = unwrapParens(wrapped);
    partCount++;
    const value = evaluatePart(printExpr(expr), options);
    const isSelector = expr.kind === 'VectorSelector' || expr.kind === 'MatrixSelector';
    const children: ExpressionPart[] = [];
    if (!isSelector) {
      for (const child of childrenOf(expr)) {
        const { kind } = unwrapParens(child);
        const isObvious = kind === 'NumberLiteral' || kind === 'StringLiteral';
        if (!isObvious && partCount < PART_COUNT_MAX) children.push(build(child));
      }
    }
    const isEmpty = value.error === null && value.relatedCount === 0;
    const part: ExpressionPart = {
      text: printExpr(expr),
      start: expr.range.start,
      end: expr.range.end,
      kind: expr.kind,
      type: typeOf(expr),
      ...value,
      selector: isSelector && isEmpty ? options.check(expr) : null,
      children,
      reason: null,
    };
    const reason = isEmpty ? reasonOf(expr, part, options.evaluate) : null;
    return reason === null ? part : { ...part, reason };
  };
  const root = build(parseExpr(query, options.language));
  return { root, reason: firstReason(root) };
}

/** The reason of the deepest part that explains why the whole gives nothing. */
function firstReason(part: ExpressionPart): string | null {
  if (part.error !== null) return `${part.text} fails: ${part.error}`;
  if (part.relatedCount > 0) return null;
  if (part.reason !== null) return part.reason;
  for (const child of part.children) {
    const reason = firstReason(child);
    if (reason !== null) return reason;
  }
  return `${part.text} gives nothing`;
}

type PartValue = Pick<ExpressionPart, 'count' | 'relatedCount' | 'rows' | 'error'>;

function evaluatePart(text: string, { evaluate, related }: TakeApartOptions): PartValue {
  try {
    const rows = rowsOf(evaluate(text));
    const chosen = related === null ? null : new RelatedRows(rows.labels).of(related);
    const shown = chosen ?? rows.labels.keys().toArray();
    return {
      count: rows.labels.length,
      relatedCount: shown.length,
      rows: shown.slice(0, SHOWN_ROW_COUNT).map((row) => rows.row(row)),
      error: null,
    };
  } catch (error) {
    // One part that cannot be told does not hide the others; out of time is out of time for all.
    const isOver = error instanceof CanceledError || error instanceof LimitError;
    if (isOver || !(error instanceof NarthexError)) throw error;
    return { count: 0, relatedCount: 0, rows: [], error: messageOf(error) };
  }
}

type Rows = { readonly labels: readonly Labels[]; readonly row: (row: number) => PartRow };

export function rowsOf(result: QueryResult): Rows {
  switch (result.kind) {
    case 'scalar': {
      const only = { labels: {}, value: formatFloat(result.value), sampleCount: 1 };
      return { labels: [Labels.EMPTY], row: () => only };
    }
    case 'string': {
      const only = { labels: {}, value: result.value, sampleCount: 1 };
      return { labels: [Labels.EMPTY], row: () => only };
    }
    case 'vector': {
      const { entries } = result;
      const row = (index: number): PartRow => {
        const { labels, value, histogram } = entries[index]!;
        const text = histogram === null ? formatFloat(value) : formatHistogram(histogram);
        return { labels: labels.toObject(), value: text, sampleCount: 1 };
      };
      return { labels: entries.map(({ labels }) => labels), row };
    }
    case 'matrix': {
      const { series } = result;
      const row = (index: number): PartRow => {
        const { labels, count, values, histograms } = series[index]!;
        const histogram = histograms?.[count - 1] ?? null;
        const value =
          histogram === null ? formatFloat(values[count - 1]!) : formatHistogram(histogram);
        return { labels: labels.toObject(), value, sampleCount: count };
      };
      return { labels: series.map(({ labels }) => labels), row };
    }
  }
}
