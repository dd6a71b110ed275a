import { type SampleBuffer, STALE_NAN_HIGH, STALE_NAN_LOW } from '../../../model/index.ts';

/** Whether the sample at `index` says that the series has ended. */
export function isStaleSample(samples: SampleBuffer, index: number): boolean {
  const histogram = samples.histograms?.[index];
  if (histogram) return histogram.stale;
  return (
    samples.valueHalves[index * 2 + 1] === STALE_NAN_HIGH &&
    samples.valueHalves[index * 2] === STALE_NAN_LOW
  );
}

/** Whether any sample does. A marker is a NaN, which is quick to rule out. */
export function hasStaleSample(samples: SampleBuffer): boolean {
  const { values, count, histograms } = samples;
  for (let i = 0; i < count; i++) {
    if (values[i] !== values[i] && isStaleSample(samples, i)) return true;
  }
  return histograms !== null && histograms.some((histogram) => histogram?.stale);
}
