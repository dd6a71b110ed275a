/** Keeps the optional columns of a sample buffer in step with what decoders append. */
import type { SampleBuffer } from '../../model/index.ts';

/** After floats without start timestamps were put at `[from, to)`. */
export function settlePlainFloats(out: SampleBuffer, from: number, to: number): void {
  out.startTimestampsMs?.fill(0, from, to);
  if (out.histograms !== null) settleHistogramGaps(out, from, to);
}

/** After floats were put at `[from, to)`. */
export function settleHistogramGaps(out: SampleBuffer, from: number, to: number): void {
  const { histograms } = out;
  if (histograms === null) return;
  for (let i = from; i < to; i++) histograms[i] = null;
}

/** The column of start timestamps, made when it is first needed. */
export function startColumn(out: SampleBuffer): Float64Array {
  return (out.startTimestampsMs ??= new Float64Array(out.capacity));
}

/** The column of histograms, likewise; floats so far get their nulls. */
export function histogramColumn(out: SampleBuffer): NonNullable<SampleBuffer['histograms']> {
  if (out.histograms === null) {
    out.histograms = [];
    settleHistogramGaps(out, 0, out.count);
  }
  return out.histograms;
}
