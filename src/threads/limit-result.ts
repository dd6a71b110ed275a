/** Cuts a result to so many series, and says so. */
import type { QueryAnswer, QueryResult } from '../../promql/index.ts';

const TRUNCATED_WARNING = 'results truncated due to limit';

/**
 * @param limit     0 for none
 * @param warnings  put before the answer's own
 */
export function limitResult(
  answer: QueryAnswer,
  limit: number,
  warnings: readonly string[],
): QueryAnswer {
  const result = limit > 0 ? cut(answer.result, limit) : answer.result;
  const isCut = result !== answer.result;
  if (!isCut && warnings.length === 0) return answer;
  const cutWarnings = isCut ? [TRUNCATED_WARNING] : [];
  return { ...answer, result, warnings: [...warnings, ...answer.warnings, ...cutWarnings] };
}

/** The same result when there is nothing to cut. */
function cut(result: QueryResult, limit: number): QueryResult {
  if (result.kind === 'vector' && result.entries.length > limit) {
    return { ...result, entries: result.entries.slice(0, limit) };
  }
  if (result.kind === 'matrix' && result.series.length > limit) {
    return { ...result, series: result.series.slice(0, limit) };
  }
  return result;
}
