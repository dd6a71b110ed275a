/** What every selector of an expression gave at the moment when alerts of it changed state. */
import { Labels } from '../../model/index.ts';
import { parseExpr, type ParserOptions, printExpr, walk } from '../../promql/index.ts';
import type { SelectorSamples } from '../../web/index.ts';
import { type Evaluate, rowsOf } from './expression-parts.ts';
import { RelatedRows } from './related.ts';

/** Samples that are kept of one selector for one change. */
const SAMPLE_COUNT_MAX = 10;

/**
 * For each of `alerts` (labels as flat lists) the samples that concern it, as JSON of
 * `SelectorSamples[]`: it is stored, not worked with.
 */
export function transitionSamples(
  query: string,
  alerts: readonly (readonly string[])[],
  { language, evaluate }: { readonly language: ParserOptions; readonly evaluate: Evaluate },
): string[] {
  const selectors = new Set<string>();
  walk(parseExpr(query, language), (expr) => {
    if (expr.kind === 'VectorSelector') selectors.add(printExpr(expr));
  });
  const sources = [...selectors].map((selector) => {
    const rows = rowsOf(evaluate(selector));
    return { selector, rows, related: new RelatedRows(rows.labels) };
  });
  return alerts.map((flat) => {
    const labels = Labels.fromSorted(flat);
    const found = sources.map(({ selector, rows, related }): SelectorSamples => {
      const chosen = related.of(labels);
      const samples = chosen.slice(0, SAMPLE_COUNT_MAX).map((row) => {
        const { labels: own, value } = rows.row(row);
        return { labels: own, value };
      });
      return { selector, seriesCount: chosen.length, samples };
    });
    return JSON.stringify(found);
  });
}
