/** A recording rule: the result of its expression under another name. */
import { LimitError, METRIC_NAME } from '../../model/index.ts';
import { Labels } from '../../model/index.ts';
import { RuleError } from './alerting-rule.ts';
import type { RecordingDefinition } from './rule-definition.ts';
import type { RuleSamples, RuleVector } from './rule-ports.ts';

/** @throws RuleError, LimitError */
export function recordedSamples(
  { name, labels: added }: RecordingDefinition,
  result: RuleVector,
  timestampMs: number,
  limit: number,
): Omit<RuleSamples, 'ended'> {
  const seen = new Set<string>();
  const labels = result.labels.map((own) => {
    const set = Labels.fromPairs([...own, ...added, [METRIC_NAME, name]]);
    if (seen.has(set.key)) {
      throw new RuleError(
        'vector contains metrics with the same labelset after applying rule labels',
      );
    }
    seen.add(set.key);
    return set;
  });
  if (limit > 0 && labels.length > limit) {
    throw new LimitError(`exceeded limit of ${limit} with ${labels.length} series`, 'limit');
  }
  return { labels, values: result.values, histograms: result.histograms, timestampMs };
}
