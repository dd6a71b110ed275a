/** Samples of one series from several sources as one ascending sequence. */
import type { SampleBuffer } from '../../model/index.ts';

/**
 * Replaces the content of `out` by the samples of all sources, each of which ascends. Of samples
 * with equal times the one of the earliest source is taken.
 */
export function mergeSamples(sources: readonly SampleBuffer[], out: SampleBuffer): void {
  const filled = sources.filter((source) => source.count > 0);
  out.clear();
  let total = 0;
  for (const source of filled) total += source.count;
  out.reserve(total);
  if (filled.some((source) => source.histograms !== null)) out.histograms = [];
  if (filled.some((source) => source.startTimestampsMs !== null)) {
    out.startTimestampsMs = new Float64Array(out.capacity);
  }
  if (filled.length === 1) {
    copyRun(filled[0]!, 0, filled[0]!.count, out);
    return;
  }
  const next = new Uint32Array(filled.length);
  for (;;) {
    // The source with the earliest sample, and how far it may go before another one has to.
    let chosen = -1;
    let earliestMs = Infinity;
    let limitMs = Infinity;
    for (let s = 0; s < filled.length; s++) {
      const source = filled[s]!;
      const at = next[s]!;
      if (at >= source.count) continue;
      const timestampMs = source.timestampsMs[at]!;
      if (timestampMs < earliestMs) {
        limitMs = earliestMs;
        earliestMs = timestampMs;
        chosen = s;
      } else if (timestampMs < limitMs) {
        limitMs = timestampMs;
      }
    }
    if (chosen < 0) return;
    const source = filled[chosen]!;
    const first = next[chosen]!;
    let last = first + 1;
    // Sources mostly follow one another: then the whole rest goes at once.
    if (source.timestampsMs[source.count - 1]! < limitMs) last = source.count;
    while (last < source.count && source.timestampsMs[last]! < limitMs) last++;
    copyRun(source, first, last, out);
    next[chosen] = last;
    const writtenMs = source.timestampsMs[last - 1]!;
    for (let s = 0; s < filled.length; s++) {
      const { timestampsMs, count } = filled[s]!;
      while (next[s]! < count && timestampsMs[next[s]!]! <= writtenMs) next[s]!++;
    }
  }
}

/** Appends the samples `[first, last)` of `source` to `out`, which has room. */
function copyRun(source: SampleBuffer, first: number, last: number, out: SampleBuffer): void {
  const at = out.count;
  out.timestampsMs.set(source.timestampsMs.subarray(first, last), at);
  out.valueHalves.set(source.valueHalves.subarray(first * 2, last * 2), at * 2);
  if (out.histograms !== null) {
    for (let i = first; i < last; i++) {
      out.histograms[at + i - first] = source.histograms?.[i] ?? null;
    }
  }
  if (out.startTimestampsMs !== null && source.startTimestampsMs !== null) {
    out.startTimestampsMs.set(source.startTimestampsMs.subarray(first, last), at);
  }
  out.count += last - first;
}
