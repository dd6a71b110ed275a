/**
 * Classic histograms (series `…_bucket`, `…_sum`, `…_count`) put together as native histograms with
 * custom bounds (NHCB).
 *
 *   le="1" 1, le="2" 3, le="+Inf" 4, sum 5.5, count 4   →   bounds [1 2], buckets 1 2 1, sum 5.5
 *
 * Source: Prometheus configuration documentation, `convert_classic_histograms_to_nhcb`; behaviour
 * of Prometheus 3.14 for what is incomplete.
 */
import {
  CUSTOM_BUCKETS_SCHEMA,
  type FloatHistogram,
  type Histogram,
  type Span,
} from '../../model/index.ts';

/** Integer histograms keep up to so many empty buckets inside a span. */
const INTEGER_GAP_MAX = 2;

/** Collects the numbers of one histogram in any order. */
export class ClassicHistogram {
  /** Upper bounds, ascending, with their cumulative counts. */
  readonly #bounds: number[] = [];
  readonly #cumulative: number[] = [];
  #sum = 0;
  #count: number | null = null;

  clear(): void {
    this.#bounds.length = 0;
    this.#cumulative.length = 0;
    this.#sum = 0;
    this.#count = null;
  }

  /** Of two buckets with one bound the first counts. */
  addBucket(bound: number, cumulativeCount: number): void {
    let index = this.#bounds.length;
    while (index > 0 && this.#bounds[index - 1]! > bound) index--;
    if (index > 0 && this.#bounds[index - 1] === bound) return;
    this.#bounds.splice(index, 0, bound);
    this.#cumulative.splice(index, 0, cumulativeCount);
  }

  setSum(sum: number): void {
    this.#sum = sum;
  }

  setCount(count: number): void {
    this.#count = count;
  }

  /** The native form, or null when the numbers contradict one another. */
  convert(): Histogram | FloatHistogram | null {
    const bounds = this.#bounds.slice();
    const cumulative = this.#cumulative.slice();
    let count = this.#count;
    if (bounds.at(-1) === Infinity) {
      bounds.pop();
      const all = cumulative.at(-1)!;
      if (count !== null && count !== all) return null;
      count = all;
    } else {
      count ??= cumulative.at(-1) ?? 0;
      cumulative.push(count);
    }
    const counts: number[] = [];
    let before = 0;
    let whole = true;
    for (const upTo of cumulative) {
      if (!(upTo >= before)) return null;
      counts.push(upTo - before);
      before = upTo;
      whole &&= Number.isSafeInteger(upTo);
    }
    return whole
      ? integerHistogram(bounds, counts, count, this.#sum)
      : floatHistogramOf(bounds, counts, count, this.#sum);
  }
}

const COMMON = {
  hint: 'unknown',
  schema: CUSTOM_BUCKETS_SCHEMA,
  zeroThreshold: 0,
  zeroCount: 0,
  negativeSpans: [],
  stale: false,
} as const;

function integerHistogram(
  customBounds: number[],
  counts: readonly number[],
  count: number,
  sum: number,
): Histogram {
  const positiveSpans = spansOver(counts, INTEGER_GAP_MAX);
  const positiveDeltas: number[] = [];
  let before = 0;
  forEachCovered(positiveSpans, (index) => {
    positiveDeltas.push(counts[index]! - before);
    before = counts[index]!;
  });
  const kind = 'integer';
  return {
    ...COMMON,
    kind,
    count,
    sum,
    positiveSpans,
    positiveDeltas,
    negativeDeltas: [],
    customBounds,
  };
}

function floatHistogramOf(
  customBounds: number[],
  counts: readonly number[],
  count: number,
  sum: number,
): FloatHistogram {
  const positiveSpans = spansOver(counts, 0);
  const positiveCounts: number[] = [];
  forEachCovered(positiveSpans, (index) => positiveCounts.push(counts[index]!));
  const kind = 'float';
  return {
    ...COMMON,
    kind,
    count,
    sum,
    positiveSpans,
    positiveCounts,
    negativeCounts: [],
    customBounds,
  };
}

/** Spans that cover every bucket with a count, and gaps of at most `gapMax` empty ones. */
function spansOver(counts: readonly number[], gapMax: number): Span[] {
  const spans: { offset: number; length: number }[] = [];
  let end = 0;
  counts.forEach((count, index) => {
    if (count === 0) return;
    const last = spans.at(-1);
    if (last !== undefined && index - end <= gapMax) last.length += index + 1 - end;
    else spans.push({ offset: index - end, length: 1 });
    end = index + 1;
  });
  return spans;
}

function forEachCovered(spans: readonly Span[], visit: (index: number) => void): void {
  let index = 0;
  for (const { offset, length } of spans) {
    index += offset;
    for (let i = 0; i < length; i++) visit(index++);
  }
}
