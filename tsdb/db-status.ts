/** Figures for the status page: how large the head is and which labels make it so. */
import type { Block } from './block/block.ts';
import type { BlockMeta } from './block/meta-json.ts';
import type { Head } from './head/head.ts';
import type { HeadReader } from './head/head-reader.ts';

/** The metric with the most series and the label with the most values. */
export type Loudest = { readonly metric: NamedCount; readonly label: NamedCount };

export type RefusalReason = 'memory_limit' | 'reference_limit';

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
    /** New series that were refused since the start, by reason. */
    readonly refusedSeriesCount: Readonly<Record<RefusalReason, number>>;
  };
  readonly loudest: Loudest | null;
  /** The largest, each list descending. */
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
  readonly blocks: readonly BlockMeta[];
};

/** New series that were refused since the start, by reason. */
export function refusalsOf({ counters }: Head): Readonly<Record<RefusalReason, number>> {
  return { memory_limit: counters.refusedSeries, reference_limit: counters.refusedReferences };
}

/** @param limit  length of the lists */
export function statusOf(
  reader: HeadReader,
  head: Head,
  blocks: readonly Block[],
  limit: number,
): DbStatus {
  const byMetric = new Largest(limit);
  // Of which one is the metric name, that counts for nothing below.
  const byValues = new Largest(Math.max(limit, 2));
  const byBytes = new Largest(limit);
  const byPair = new Largest(limit);
  const query = reader.query();
  try {
    query.forEachName((name, pairs) => {
      const nameBytes = storedBytes(Buffer.byteLength(name));
      let bytes = 0;
      let count = 0;
      for (const { value, valueBytes, seriesCount } of pairs) {
        count++;
        bytes += (nameBytes + storedBytes(valueBytes)) * seriesCount;
        if (name === '__name__') byMetric.add(value, seriesCount);
        byPair.add(`${name}=${value}`, seriesCount);
      }
      byValues.add(name, count);
      byBytes.add(name, bytes);
    });
  } finally {
    query.close();
  }
  const seriesCountByMetricName = byMetric.list();
  const labelValueCountByLabelName = byValues.list();
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
      refusedSeriesCount: refusalsOf(head),
    },
    loudest: loudestOf(seriesCountByMetricName, labelValueCountByLabelName),
    seriesCountByMetricName,
    labelValueCountByLabelName: labelValueCountByLabelName.slice(0, limit),
    memoryInBytesByLabelName: byBytes.list(),
    seriesCountByLabelValuePair: byPair.list(),
    blocks: blocks.map((block) => block.meta),
  };
}

/** What a text takes in a series of Prometheus, which has its length before it; users compare these. */
function storedBytes(textBytes: number): number {
  return textBytes + (textBytes < 255 ? 1 : 4);
}

/** Null while there are none. */
function loudestOf([metric]: readonly NamedCount[], labels: readonly NamedCount[]): Loudest | null {
  // Metric names are no label that somebody could drop.
  const label = labels.find(({ name }) => name !== '__name__');
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
