import type { Querier } from '../../model/index.ts';

/** Stands in where a query reads nothing. */
export const emptyQuerier: Querier = {
  select: () => ({ labels: [], warnings: [], read: (_row, _minMs, _maxMs, out) => out.clear() }),
  labelNames: () => ({ texts: [], warnings: [] }),
  labelValues: () => ({ texts: [], warnings: [] }),
  close: () => undefined,
};
