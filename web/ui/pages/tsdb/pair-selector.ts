import { quoteLabelName } from '../../parts/series-text.ts';

/** `job=api` from the storage statistics, as a selector. The name ends at the first equals sign. */
export function pairSelector(pair: string): string {
  const at = pair.indexOf('=');
  return `{${quoteLabelName(pair.slice(0, at))}=${JSON.stringify(pair.slice(at + 1))}}`;
}
