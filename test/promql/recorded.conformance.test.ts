/** What a real Prometheus 3.14 answered to thousands of random queries about a fixed data set. */
import { describe, expect, test } from 'vitest';
import { createEngine, queryErrorType, writeQueryAnswer } from '../../promql/index.ts';
import {
  type ApiAnswer,
  differenceOf,
  loadRecordedQueries,
  loadRecordedStorage,
  parseDurationParam,
  parseTimeParam,
  type RecordedQuery,
} from '../support/recorded.ts';
import type { MemoryStorage } from '../../promql/script/memory-storage.ts';
import { conformancePath } from '../support/conformance.ts';

const folder = conformancePath('recorded-3.14');
const engine = createEngine({
  language: { experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true },
});

function ask({ form, params }: RecordedQuery, queryable: MemoryStorage): ApiAnswer {
  const {
    query,
    time,
    start,
    end,
    step,
    lookback_delta: lookback,
  } = params as {
    [name: string]: string;
    query: string;
  };
  const lookbackMs = lookback === undefined ? undefined : parseDurationParam(lookback);
  const common = { query, queryable, ...(lookbackMs === undefined ? {} : { lookbackMs }) };
  try {
    const answer =
      form === 'instant'
        ? engine.instant({ ...common, timeMs: parseTimeParam(time!) })
        : engine.range({
            ...common,
            startMs: parseTimeParam(start!),
            endMs: parseTimeParam(end!),
            stepMs: parseDurationParam(step!),
          });
    return JSON.parse(Buffer.from(writeQueryAnswer(answer)).toString()) as ApiAnswer;
  } catch (error) {
    const { message } = error as Error;
    return { status: 'error', errorType: queryErrorType(error), error: message };
  }
}

describe.skipIf(folder === null)('recorded answers of Prometheus 3.14', () => {
  test('are ours, too: values, errors, warnings and infos', () => {
    const storage = loadRecordedStorage(folder!);
    const queries = loadRecordedQueries(folder!);
    const differences = queries.flatMap((recorded) => {
      const difference = differenceOf(recorded, ask(recorded, storage));
      return difference === null ? [] : [`${recorded.params.query}: ${difference}`];
    });
    expect(queries.length).toBe(7949);
    expect(differences).toEqual([]);
  }, 120_000);
});
