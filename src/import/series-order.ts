/** The columns of many series' samples, taken apart by series. */
import type { SpilledSamples } from './sample-spill.ts';

export type OneSeries = {
  readonly series: number;
  /** Ascending, no two equal. */
  readonly timestampsMs: Float64Array;
  readonly values: Float64Array;
  readonly count: number;
};

/**
 * The samples of each series, in the order of `rank`. Of two samples with the same time the first
 * counts; `onConflict` hears of the second when it has another value.
 * @param rank  `[series]`: its place among all
 */
export function* samplesBySeries(
  samples: SpilledSamples,
  rank: Uint32Array,
  onConflict: () => void,
): Generator<OneSeries> {
  const counts = new Uint32Array(rank.length + 1);
  for (let i = 0; i < samples.count; i++) counts[rank[samples.series[i]!]! + 1]!++;
  for (let r = 0; r < rank.length; r++) counts[r + 1]! += counts[r]!;
  const starts = counts.slice();
  // Counting keeps samples of one series in the order in which they came.
  const order = new Uint32Array(samples.count);
  for (let i = 0; i < samples.count; i++) order[counts[rank[samples.series[i]!]!]!++] = i;
  for (let r = 0; r < rank.length; r++) {
    const places = order.subarray(starts[r], starts[r + 1]);
    if (places.length > 0) yield oneSeries(samples, places, onConflict);
  }
}

function oneSeries(
  samples: SpilledSamples,
  places: Uint32Array,
  onConflict: () => void,
): OneSeries {
  const times = samples.timestampsMs;
  let isAscending = true;
  for (let i = 1; i < places.length && isAscending; i++) {
    isAscending = times[places[i - 1]!]! < times[places[i]!]!;
  }
  // Equal times stay in the order in which they came.
  if (!isAscending) places.sort((a, b) => times[a]! - times[b]! || a - b);
  const timestampsMs = new Float64Array(places.length);
  const values = new Float64Array(places.length);
  let count = 0;
  for (const place of places) {
    const timestampMs = times[place]!;
    const value = samples.values[place]!;
    if (count > 0 && timestampsMs[count - 1] === timestampMs) {
      if (!Object.is(values[count - 1], value)) onConflict();
      continue;
    }
    timestampsMs[count] = timestampMs;
    values[count++] = value;
  }
  return { series: samples.series[places[0]!]!, timestampsMs, values, count };
}
