/** Figures for the status page: how large the head is and which labels make it so. */
import type { Block } from './block/block.ts';
import type { BlockMeta } from './block/meta-json.ts';
import type { Head } from './head/head.ts';
import type { HeadReader } from './head/head-reader.ts';

export type NamedCount = { readonly name: string; readonly value: number };

export type DbStatus = {
  readonly head: {
    readonly seriesCount: number;
    readonly labelPairCount: number;
    readonly chunkCount: number;
    /** 0 while the head is empty. */
    readonly minMs: number;
    readonly maxMs: number;
    readonly memoryBytes: number;
    /** From here on new series are refused. */
    readonly memoryLimitBytes: number;
    /** New series that were refused since the start. */
    readonly refusedSeriesCount: number;
  };
  /** The largest, each list descending. */
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
  readonly blocks: readonly BlockMeta[];
};

/** @param limit  length of the lists */
export function statusOf(
  reader: HeadReader,
  head: Head,
  blocks: readonly Block[],
  limit: number,
): DbStatus {
  const byMetric = new Largest(limit);
  const byValues = new Largest(limit);
  const byBytes = new Largest(limit);
  const byPair = new Largest(limit);
  const query = reader.query();
  try {
    query.forEachName((name, pairs) => {
      let bytes = 0;
      let count = 0;
      for (const { value, valueBytes, seriesCount } of pairs) {
        count++;
        bytes += valueBytes * seriesCount;
        if (name === '__name__') byMetric.add(value, seriesCount);
        byPair.add(`${name}=${value}`, seriesCount);
      }
      byValues.add(name, count);
      byBytes.add(name, bytes);
    });
  } finally {
    query.close();
  }
  const finite = (timestampMs: number) => (Number.isFinite(timestampMs) ? timestampMs : 0);
  return {
    head: {
      seriesCount: head.series.count,
      labelPairCount: head.pairs.count,
      chunkCount: head.chunkCount,
      minMs: finite(head.minMs),
      maxMs: finite(head.maxMs),
      memoryBytes: head.memoryBytes,
      memoryLimitBytes: head.options.memoryLimitBytes,
      refusedSeriesCount: head.counters.refusedSeries + head.counters.refusedReferences,
    },
    seriesCountByMetricName: byMetric.list(),
    labelValueCountByLabelName: byValues.list(),
    memoryInBytesByLabelName: byBytes.list(),
    seriesCountByLabelValuePair: byPair.list(),
    blocks: blocks.map((block) => block.meta),
  };
}

/** The metric with the most series and the label with the most values; null while there are none. */
export function loudestOf(status: DbStatus): { metric: NamedCount; label: NamedCount } | null {
  const [metric] = status.seriesCountByMetricName;
  // Metric names are no label that somebody could drop.
  const label = status.labelValueCountByLabelName.find(({ name }) => name !== '__name__');
  return metric === undefined || label === undefined ? null : { metric, label };
}

/** Keeps the entries with the largest values. */
class Largest {
  readonly #limit: number;
  #entries: NamedCount[] = [];
  #least = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(name: string, value: number): void {
    if (this.#entries.length >= this.#limit && value <= this.#least) return;
    this.#entries.push({ name, value });
    if (this.#entries.length > this.#limit * 2) this.#shrink();
  }

  list(): readonly NamedCount[] {
    this.#shrink();
    return this.#entries;
  }

  #shrink(): void {
    this.#entries.sort((a, b) => b.value - a.value || (a.name < b.name ? -1 : 1));
    this.#entries = this.#entries.slice(0, this.#limit);
    if (this.#entries.length === this.#limit)
      this.#least = this.#entries.at(-1)?.value ?? -Infinity;
  }
}
