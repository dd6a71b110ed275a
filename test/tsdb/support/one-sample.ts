/** Columns of a single sample, as an appender takes them. */
export function oneSample(ref: number, timestampMs: number, value: number) {
  return {
    count: 1,
    refs: Float64Array.of(ref),
    timestampsMs: Float64Array.of(timestampMs),
    values: Float64Array.of(value),
  };
}
