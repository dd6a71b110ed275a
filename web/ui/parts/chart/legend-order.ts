/** The order of a legend's rows, and what each row still needs to say. Pure. */
import type { LabelSet } from '../../api/query-result.ts';
import type { SeriesSummary } from '../../api/range-columns.ts';

export type LegendColumn = 'last' | 'min' | 'mean' | 'max';
export type LegendOrder = { by: LegendColumn; descending: boolean } | undefined;

/** Indices of series. Without an order, as the server sent them; series without values come last. */
export function orderedSeries(series: readonly SeriesSummary[], order: LegendOrder): number[] {
  const indices = Array.from(series, (_, index) => index);
  if (order === undefined) return indices;
  const sign = order.descending ? -1 : 1;
  return indices.sort((a, b) => {
    const [left, right] = [series[a]![order.by], series[b]![order.by]];
    if (Number.isNaN(left) || Number.isNaN(right)) {
      return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
    }
    return sign * (left - right);
  });
}

/** A click on a column: largest first, then smallest first, then the server's order again. */
export function nextOrder(order: LegendOrder, by: LegendColumn): LegendOrder {
  if (order?.by !== by) return { by, descending: true };
  return order.descending ? { by, descending: false } : undefined;
}

export function withoutLabels(labels: LabelSet, common: LabelSet): LabelSet {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !(name in common)));
}

/**
 * Which series are hidden after a click on one.
 * Plain: only it stays, and once more brings all back. With a modifier: it alone changes.
 */
export function hiddenAfterClick(
  hidden: ReadonlySet<number>,
  clicked: number,
  seriesCount: number,
  isModified: boolean,
): ReadonlySet<number> {
  const next = new Set(hidden);
  if (isModified) {
    if (!next.delete(clicked)) next.add(clicked);
    // Hiding the last visible one would leave an empty graph that looks like a fault.
    return next.size === seriesCount ? new Set() : next;
  }
  const isOnlyVisible = !hidden.has(clicked) && hidden.size === seriesCount - 1;
  if (isOnlyVisible) return new Set();
  for (let series = 0; series < seriesCount; series++) next.add(series);
  next.delete(clicked);
  return next;
}
