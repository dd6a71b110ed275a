/** Own samples together with those of other servers, for a query that runs in one go. */
import {
  type Matcher,
  NarthexError,
  type Querier,
  type Queryable,
  type SelectedSeries,
  type SelectHints,
} from '../../../model/index.ts';
import { mergeSelected } from '../../../tsdb/index.ts';
import type { RemoteAnswer, RemoteSelection } from './read-clients.ts';
import { remoteSeries } from './remote-series.ts';

/** Waits for the answers. @throws CanceledError */
export type AskRemotes = (selection: RemoteSelection) => readonly RemoteAnswer[];

/** @param ownSinceMs  from when on the own storage has everything */
export function withRemotes(own: Queryable, ownSinceMs: () => number, ask: AskRemotes): Queryable {
  return {
    querier(minMs, maxMs): Querier {
      const querier = own.querier(minMs, maxMs);
      return {
        select: (matchers, hints) =>
          select(querier, matchers, hints, (question) =>
            ask({
              ...question,
              minMs: Math.max(minMs, hints.minMs),
              maxMs: Math.min(maxMs, hints.maxMs),
              ownSinceMs: ownSinceMs(),
            }),
          ),
        // Remote read knows no questions about labels.
        labelNames: (matchers, limit) => querier.labelNames(matchers, limit),
        labelValues: (name, matchers, limit) => querier.labelValues(name, matchers, limit),
        close: () => querier.close(),
      };
    },
  };
}

function select(
  own: Querier,
  matchers: readonly Matcher[],
  hints: SelectHints,
  ask: (
    question: Pick<RemoteSelection, 'matchers' | 'stepMs' | 'rangeMs' | 'function'>,
  ) => readonly RemoteAnswer[],
): SelectedSeries {
  const { stepMs = 0, rangeMs = 0, function: name = '', limit = 0 } = hints;
  const answers = ask({
    matchers: matchers.map(({ name: label, operator, value }) => ({
      name: label,
      operator,
      value,
    })),
    stepMs,
    rangeMs,
    function: name,
  });
  if (answers.length === 0) return own.select(matchers, hints);
  // Whole label sets, for they are what rows are joined by.
  const { labelNames: _, ...whole } = hints;
  const sources = [own.select(matchers, whole), ...answers.map(seriesOf)];
  return mergeSelected(sources, limit);
}

/** An answer that cannot be used is a warning, like one that never came. */
function seriesOf({ body, isStreamed, labelsToDrop, warning }: RemoteAnswer): SelectedSeries {
  if (warning !== '') return nothing(warning);
  try {
    return remoteSeries(body, isStreamed, labelsToDrop);
  } catch (error) {
    if (error instanceof NarthexError) return nothing(`remote_read: ${error.message}`);
    throw error;
  }
}

function nothing(warning: string): SelectedSeries {
  return { labels: [], warnings: [warning], read: (_row, _min, _max, out) => out.clear() };
}
