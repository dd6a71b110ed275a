/**
 * load_with_nhcb: classic histograms of a load become native ones with custom buckets as well.
 * Source: conformance description of promqltest scripts.
 */
import type { Labels } from '../../model/index.ts';
import {
  compactHistogram,
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
  floatHistogram,
  METRIC_NAME,
  parseFloatText,
} from '../../model/index.ts';
import type { LoadCommand } from './script.ts';

/** What is known of one histogram at one time. */
type Parts = { buckets: Map<number, number>; count: number | null; sum: number };

export type BuiltHistogram = {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly histogram: FloatHistogram;
};

const SUFFIX = /_(bucket|count|sum)$/;

export function customBucketHistograms({ series, stepMs }: LoadCommand): BuiltHistogram[] {
  const groups = new Map<string, { labels: Labels; byTime: Map<number, Parts> }>();
  for (const { labels, values } of series) {
    const suffix = SUFFIX.exec(labels.get(METRIC_NAME))?.[1];
    if (suffix === undefined) continue;
    const bound = suffix === 'bucket' ? parseFloatText(labels.get('le')) : 0;
    if (bound === undefined) continue;
    const own = labels
      .with(METRIC_NAME, labels.get(METRIC_NAME).replace(SUFFIX, ''))
      .with('le', '');
    const group = groups.get(own.key) ?? { labels: own, byTime: new Map<number, Parts>() };
    groups.set(own.key, group);
    values.forEach((value, step) => {
      if (typeof value !== 'number') return;
      const parts = group.byTime.get(step) ?? { buckets: new Map(), count: null, sum: 0 };
      group.byTime.set(step, parts);
      if (suffix === 'bucket') parts.buckets.set(bound, value);
      else if (suffix === 'count') parts.count = value;
      else parts.sum = value;
    });
  }
  return [...groups.values()].flatMap(({ labels, byTime }) =>
    [...byTime].map(([step, parts]) => ({
      labels,
      timestampMs: step * stepMs,
      histogram: histogramOf(parts, labels),
    })),
  );
}

/** @throws Error when the counts make no histogram */
function histogramOf({ buckets, count, sum }: Parts, labels: Labels): FloatHistogram {
  const bounds = [...buckets.keys()].filter((bound) => bound !== Infinity).sort((a, b) => a - b);
  const highest = bounds.length > 0 ? buckets.get(bounds.at(-1)!)! : 0;
  const total = buckets.get(Infinity) ?? count ?? highest;
  const fail = (what: string): never => {
    throw new Error(`${what} in the classic histogram ${labels.toString()}`);
  };
  if (count !== null && buckets.has(Infinity) && count !== total) fail('two different counts');
  const counts: number[] = [];
  let before = 0;
  for (const cumulative of [...bounds.map((bound) => buckets.get(bound)!), total]) {
    if (cumulative < before || cumulative < 0) fail('counts fall');
    counts.push(cumulative - before);
    before = cumulative;
  }
  return compactHistogram(
    floatHistogram({
      schema: CUSTOM_BUCKETS_SCHEMA,
      customBounds: bounds,
      positiveSpans: [{ offset: 0, length: counts.length }],
      positiveCounts: counts,
      count: total,
      sum,
    }),
  );
}
