import { limitParameter, namingParameter, optionalTime, wrapEngineTime } from '../params.ts';
import type { JsonRoute } from '../route.ts';
import { LIMIT, LOOKBACK, QUERY, STATS, TIME, TIMEOUT } from './parameters.ts';
import { queryOptions, refuseWithoutTime } from './query-options.ts';

/** GET, POST /api/v1/query: one evaluation. Source: Prometheus HTTP API, instant queries. */
export const instantQuery: JsonRoute = {
  path: '/query',
  methods: ['GET', 'POST'],
  doc: {
    id: 'query',
    tag: 'query',
    summary: 'Evaluate an expression at one time',
    parameters: [LIMIT, TIME, QUERY, TIMEOUT, LOOKBACK, STATS],
    body: 'Query',
  },
  async handle({ form, request, signal }, { ports, options }) {
    const limit = limitParameter(form);
    const timeMs = wrapEngineTime(optionalTime(form, 'time', options.clock.nowMs()));
    const asked = { ...queryOptions(form, limit, request), timeMs };
    await refuseWithoutTime(asked, ports.language, signal);
    return namingParameter('query', ports.query.instant(asked, signal));
  },
};
