/** What a storage holds, as short texts: `name{labels} value`, a histogram as its buckets. */
import {
  type FloatHistogram,
  type Histogram,
  listBuckets,
  METRIC_NAME,
  newBucketList,
  toFloatHistogram,
} from '../../../model/index.ts';
import type { MemoryStorage } from './memory-storage.ts';

/** The newest sample of each series, sorted. */
export function shownSeries(storage: MemoryStorage): string[] {
  return storage
    .all()
    .filter(({ samples }) => samples.length > 0)
    .map(({ labels, samples }) => {
      const { value } = samples.at(-1)!;
      const rest = labels.withoutName();
      const shown = typeof value === 'object' ? shownHistogram(value) : String(value);
      return `${labels.get(METRIC_NAME)}${rest.size > 0 ? rest.toString() : ''} ${shown}`;
    })
    .sort();
}

/** `count=4 sum=5.5 (-Inf,1]:1 (1,+Inf]:3`, after `gauge`, `schema`, `float` where they apply. */
export function shownHistogram(histogram: Histogram | FloatHistogram): string {
  if (histogram.stale) return 'stale';
  const float = toFloatHistogram(histogram);
  const list = newBucketList();
  listBuckets(float, list);
  const parts: string[] = [];
  if (histogram.hint === 'gauge') parts.push('gauge');
  if (histogram.kind === 'float') parts.push('float');
  if (histogram.schema !== -53) parts.push(`schema=${histogram.schema}`);
  parts.push(`count=${float.count}`, `sum=${float.sum}`);
  for (let i = 0; i < list.size; i++) {
    if (list.counts[i] === 0) continue;
    parts.push(`${list.lowers[i]}..${list.uppers[i]}:${list.counts[i]}`);
  }
  return parts.join(' ');
}
