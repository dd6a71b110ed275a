/**
 * The selector that is the second argument of `info`, taken apart.
 * Source: PromQL function documentation (`info`).
 */
import { Matcher, METRIC_NAME } from '../../model/index.ts';

const DEFAULT_INFO_METRIC = 'target_info';

/** Matchers on the metric name (never none) and on everything else. */
export function infoMatchers(matchers: readonly Matcher[]): {
  readonly name: readonly Matcher[];
  readonly data: readonly Matcher[];
} {
  const name = matchers.filter((matcher) => matcher.name === METRIC_NAME);
  const data = matchers.filter((matcher) => matcher.name !== METRIC_NAME);
  if (name.length === 0) {
    name.push(new Matcher(METRIC_NAME, '=', DEFAULT_INFO_METRIC));
  } else if (name.every(({ operator }) => operator === '!=' || operator === '!~')) {
    // Exclusions alone cannot say which metrics are meant.
    name.unshift(new Matcher(METRIC_NAME, '=~', '.+_info'));
  }
  return { name, data };
}
