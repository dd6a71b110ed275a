/** What the process that is killed writes: known to it and to the one that looks afterwards. */
import { type Histogram, Labels, toFloatHistogram } from '../../../model/index.ts';
import { histogramText } from '../support/sample-text.ts';

export const STEP_MS = 1000;
export const RANGE_MS = 60 * STEP_MS;
export const SERIES: readonly Labels[] = ['a', 'b', 'c', 'd', 'late', 'native'].map((name) =>
  Labels.fromObject({ __name__: name, job: 'kill' }),
);
const LATE = 4;
const NATIVE = 5;

export type PlannedSample = {
  readonly series: number;
  readonly timestampMs: number;
  readonly value: number;
  readonly histogram: Histogram | null;
};

/** The samples of commit `n`: those in order, then, now and then, late ones. */
export function samplesOf(n: number): PlannedSample[] {
  const samples: PlannedSample[] = SERIES.map((_, series) => ({
    series,
    timestampMs: n * STEP_MS,
    value: n,
    histogram: series === NATIVE ? histogramAt(n) : null,
  }));
  if (n > 10 && n % 4 === 0) {
    const timestampMs = n * STEP_MS - 5500;
    samples.push({ series: LATE, timestampMs, value: n + 0.5, histogram: null });
    samples.push({ series: NATIVE, timestampMs, value: n, histogram: histogramAt(n) });
  }
  return samples;
}

export function textOf({ value, histogram }: PlannedSample): string {
  return histogram === null ? String(value) : histogramText(toFloatHistogram(histogram));
}

function histogramAt(n: number): Histogram {
  return {
    kind: 'integer',
    hint: 'unknown',
    schema: 1,
    zeroThreshold: 0.001,
    zeroCount: n % 80,
    count: (n % 80) * 3,
    sum: n / 7,
    positiveSpans: [{ offset: n % 20 > 10 ? 0 : 1, length: 2 }],
    negativeSpans: [],
    positiveDeltas: [n % 80, 0],
    negativeDeltas: [],
    customBounds: [],
    stale: false,
  };
}
