/**
 * A histogram as text, as Prometheus prints it where a label or message needs one:
 * `{count:3, sum:7.5, [-0.001,0.001]:1, (1,2]:2}`.
 */
import { formatFloatShort } from '../number-format.ts';
import { listBuckets, newBucketList } from './bucket-list.ts';
import { type FloatHistogram, usesCustomBuckets } from './float-histogram.ts';

export function formatHistogram(
  histogram: FloatHistogram,
  formatCount: (count: number) => string = formatFloatShort,
): string {
  const buckets = newBucketList();
  listBuckets(histogram, buckets, true);
  const custom = usesCustomBuckets(histogram);
  let text = `{count:${formatCount(histogram.count)}, sum:${formatFloatShort(histogram.sum)}`;
  for (let i = 0; i < buckets.size; i++) {
    const count = buckets.counts[i]!;
    if (count === 0) continue;
    const lower = buckets.lowers[i]!;
    const upper = buckets.uppers[i]!;
    const [open, close] = bucketBrackets(lower, upper, custom);
    text += `, ${open}${formatFloatShort(lower)},${formatFloatShort(upper)}${close}:${formatCount(count)}`;
  }
  return `${text}}`;
}

/** Which ends belong to a bucket. */
export function bucketBrackets(
  lower: number,
  upper: number,
  custom: boolean,
): readonly [open: string, close: string] {
  if (custom) return [lower === -Infinity ? '[' : '(', ']'];
  if (lower < 0 && upper > 0) return ['[', ']'];
  if (lower === 0 && upper === 0) return ['[', ']'];
  return upper <= 0 ? ['[', ')'] : ['(', ']'];
}
