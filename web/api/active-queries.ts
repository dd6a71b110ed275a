/** Queries under way, an addition of ours: who asked them, and a way to stop them. */
import { ApiError } from '../api-error.ts';
import { plainInteger } from '../params.ts';
import type { ActiveQuery } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { timeText } from './time-text.ts';

/** GET /api/v1/status/active_queries */
export const activeQueries: JsonRoute = {
  path: '/status/active_queries',
  methods: ['GET'],
  doc: {
    id: 'status-active-queries',
    tag: 'status',
    summary: 'List the queries that wait or run, the oldest first (Narthex only)',
    body: 'StatusActiveQueries',
  },
  handle(_call, { ports }) {
    const queries = ports.activeQueries?.list() ?? [];
    return successJson(JSON.stringify({ queries: queries.map(activeQueryJson) }));
  },
};

/** POST /api/v1/status/active_queries/cancel */
export const cancelQuery: JsonRoute = {
  path: '/status/active_queries/cancel',
  methods: ['POST'],
  doc: {
    id: 'cancel-query',
    tag: 'status',
    summary: 'Stop a query; whoever asked it gets the error "canceled" (Narthex only)',
    parameters: [
      {
        name: 'id',
        kind: 'integer',
        description: 'Which one, as the list of active queries numbers them.',
        isRequired: true,
        example: 7,
      },
    ],
  },
  handle({ form }, { ports }) {
    const id = plainInteger(form, 'id', 0);
    if (id < 1) throw new ApiError('bad_data', 'id must be the number of an active query');
    if (ports.activeQueries?.cancel(id) !== true) {
      throw new ApiError('not_found', `no active query has the number ${id}`);
    }
    return null;
  },
};

function activeQueryJson(active: ActiveQuery) {
  const { id, kind, query, state, startedMs, durationSeconds, client } = active;
  return {
    id,
    query,
    kind,
    state,
    started: timeText(startedMs),
    durationSeconds,
    start: timeText(active.startMs),
    end: timeText(active.endMs),
    stepSeconds: active.stepMs / 1000,
    client: client === null ? 'narthex' : client.address,
    userAgent: client?.userAgent ?? '',
    samples: active.sampleCount,
    series: active.seriesCount,
    bytes: active.heldSizeBytes,
  };
}
