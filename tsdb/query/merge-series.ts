/**
 * The selections of several sources (head and blocks) as one: rows in label order, a series that
 * several sources hold in one row.
 */
import {
  compareLabels,
  compareText,
  type Labels,
  SampleBuffer,
  type SelectedSeries,
} from '../../model/index.ts';
import { mergeSamples } from './merge-samples.ts';

/** `limit`: at most so many rows, 0 for all. With one source its own answer is given back. */
export function mergeSelected(sources: readonly SelectedSeries[], limit: number): SelectedSeries {
  const filled = sources.filter((source) => source.labels.length > 0);
  const warnings = sources.flatMap((source) => source.warnings);
  const [only] = filled;
  if (only === undefined)
    return { labels: [], warnings, read: (_row, _min, _max, out) => out.clear() };
  const isLimited = limit > 0 && only.labels.length > limit;
  if (filled.length === 1 && !isLimited && only.warnings.length === warnings.length) return only;
  return new MergedSeries(filled, warnings, limit);
}

class MergedSeries implements SelectedSeries {
  readonly labels: readonly Labels[];
  readonly warnings: readonly string[];
  readonly #sources: readonly SelectedSeries[];
  /** Row r is made of parts [partStarts[r], partStarts[r + 1]): a source and a row of it each. */
  readonly #partStarts: number[] = [0];
  readonly #partSources: number[] = [];
  readonly #partRows: number[] = [];
  readonly #buffers: SampleBuffer[] = [];

  constructor(sources: readonly SelectedSeries[], warnings: readonly string[], limit: number) {
    this.#sources = sources;
    this.warnings = warnings;
    const labels: Labels[] = [];
    const next = sources.map(() => 0);
    const rowCountMax = limit === 0 ? Infinity : limit;
    while (labels.length < rowCountMax) {
      let least: Labels | undefined;
      for (let s = 0; s < sources.length; s++) {
        const candidate = sources[s]!.labels[next[s]!];
        if (candidate === undefined) continue;
        if (least === undefined || compareLabels(candidate, least) < 0) least = candidate;
      }
      if (least === undefined) break;
      for (let s = 0; s < sources.length; s++) {
        const candidate = sources[s]!.labels[next[s]!];
        if (candidate === undefined || !candidate.equals(least)) continue;
        this.#partSources.push(s);
        this.#partRows.push(next[s]!++);
      }
      labels.push(least);
      this.#partStarts.push(this.#partRows.length);
    }
    this.labels = labels;
  }

  read(row: number, minMs: number, maxMs: number, out: SampleBuffer): void {
    const first = this.#partStarts[row]!;
    const last = this.#partStarts[row + 1]!;
    if (last - first === 1) {
      this.#sources[this.#partSources[first]!]!.read(this.#partRows[first]!, minMs, maxMs, out);
      return;
    }
    const parts: SampleBuffer[] = [];
    for (let part = first; part < last; part++) {
      const buffer = (this.#buffers[part - first] ??= new SampleBuffer());
      this.#sources[this.#partSources[part]!]!.read(this.#partRows[part]!, minMs, maxMs, buffer);
      parts.push(buffer);
    }
    mergeSamples(parts, out);
  }
}

/** Sorted lists of texts as one, without duplicates; `limit` 0 means all. */
export function mergeTexts(
  lists: readonly (readonly string[])[],
  limit: number,
): readonly string[] {
  const filled = lists.filter((list) => list.length > 0);
  let merged: readonly string[] = filled[0] ?? [];
  for (const list of filled.slice(1)) merged = mergeTwo(merged, list);
  return limit > 0 && merged.length > limit ? merged.slice(0, limit) : merged;
}

function mergeTwo(a: readonly string[], b: readonly string[]): string[] {
  const out: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const order = compareText(a[i]!, b[j]!);
    out.push(order <= 0 ? a[i]! : b[j]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  while (i < a.length) out.push(a[i++]!);
  while (j < b.length) out.push(b[j++]!);
  return out;
}
