import { ApiError } from '../api-error.ts';
import { timeRange } from '../params.ts';
import type { JsonRoute } from '../route.ts';
import { END, QUERY, START } from './parameters.ts';

/**
 * GET, POST /api/v1/query_exemplars: exemplars of the series that an expression selects; 204 when it
 * selects none. Source: Prometheus HTTP API, querying exemplars.
 */
export const queryExemplars: JsonRoute = {
  path: '/query_exemplars',
  methods: ['GET', 'POST'],
  doc: {
    id: 'query-exemplars',
    tag: 'query',
    summary: 'Find exemplars of the series of an expression',
    parameters: [START, END, QUERY],
    body: 'QueryExemplars',
  },
  handle({ form, signal }, { ports }) {
    const range = timeRange(form);
    if (range.maxMs < range.minMs) {
      throw new ApiError('bad_data', 'end timestamp must not be before start timestamp');
    }
    return ports.query.exemplars({ ...range, query: form.first('query') }, signal);
  },
};
