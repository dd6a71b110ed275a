import { ApiError } from '../api-error.ts';
import {
  badParameter,
  limitParameter,
  namingParameter,
  requiredDuration,
  requiredTime,
  wrapEngineTime,
} from '../params.ts';
import type { JsonRoute } from '../route.ts';
import { END, LIMIT, LOOKBACK, QUERY, START, STATS, TIMEOUT } from './parameters.ts';
import { queryOptions, refuseWithoutTime } from './query-options.ts';

/** Enough for a minute's resolution over a week, or an hour's over a year. */
const STEP_COUNT_MAX = 11_000;

/** GET, POST /api/v1/query_range: one evaluation per step. Source: Prometheus HTTP API, range queries. */
export const rangeQuery: JsonRoute = {
  path: '/query_range',
  methods: ['GET', 'POST'],
  doc: {
    id: 'query-range',
    tag: 'query',
    summary: 'Evaluate an expression over a range of time',
    parameters: [
      LIMIT,
      { ...START, isRequired: true },
      { ...END, isRequired: true },
      {
        name: 'step',
        kind: 'duration',
        description: 'Distance between two evaluations.',
        isRequired: true,
        example: '15s',
      },
      QUERY,
      TIMEOUT,
      LOOKBACK,
      STATS,
    ],
    body: 'QueryRange',
  },
  fromBlocks: true,
  async handle({ form, request, signal }, { ports }) {
    const limit = limitParameter(form);
    const startMs = wrapEngineTime(requiredTime(form, 'start'));
    const endMs = wrapEngineTime(requiredTime(form, 'end'));
    if (endMs < startMs) {
      throw badParameter('end', 'end timestamp must not be before start time');
    }
    const stepMs = requiredDuration(form, 'step');
    if (stepMs <= 0) {
      const what = 'zero or negative query resolution step widths are not accepted.';
      throw badParameter('step', `${what} Try a positive integer`);
    }
    if (Math.floor((endMs - startMs) / stepMs) > STEP_COUNT_MAX) {
      throw new ApiError(
        'bad_data',
        'exceeded maximum resolution of 11,000 points per timeseries. ' +
          'Try decreasing the query resolution (?step=XX)',
      );
    }
    // The engine counts whole milliseconds.
    const asked = {
      ...queryOptions(form, limit, request),
      startMs,
      endMs,
      stepMs: Math.floor(stepMs),
    };
    await refuseWithoutTime(asked, ports.language, signal);
    return namingParameter('query', ports.query.range(asked, signal));
  },
};
