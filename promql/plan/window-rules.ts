/** Which functions may look at windows in special ways. */
import type { VectorSelector } from '../ast.ts';
import { ExecutionError } from '../query-errors.ts';

const ANCHORED_FUNCTIONS = ['changes', 'delta', 'increase', 'rate', 'resets'];
const SMOOTHED_FUNCTIONS = ['delta', 'increase', 'rate'];

/** @throws ExecutionError when `anchored` or `smoothed` makes no sense for the function */
export function checkExtendedRange(functionName: string, selector: VectorSelector): void {
  const check = (modifier: string, allowed: readonly string[]): void => {
    if (allowed.includes(functionName)) return;
    throw new ExecutionError(
      `${modifier} modifier can only be used with: ${allowed.join(', ')} - not with ${functionName}`,
    );
  };
  if (selector.anchored) check('anchored', ANCHORED_FUNCTIONS);
  if (selector.smoothed) check('smoothed', SMOOTHED_FUNCTIONS);
}

/** Functions that look at no more than count and sum of a histogram. */
const STATS_FUNCTIONS: ReadonlySet<string> = new Set([
  'histogram_count',
  'histogram_sum',
  'histogram_avg',
]);
/** Functions that need the buckets, whatever stands around them. */
const BUCKET_FUNCTIONS: ReadonlySet<string> = new Set([
  'histogram_quantile',
  'histogram_quantiles',
  'histogram_fraction',
]);

/** Whether the buckets of histograms below a call are not looked at. */
export function readsStatsOnly(functionName: string, aroundIsStatsOnly: boolean): boolean {
  if (STATS_FUNCTIONS.has(functionName)) return true;
  return aroundIsStatsOnly && !BUCKET_FUNCTIONS.has(functionName);
}
