import { ApiError } from '../api-error.ts';
import { optionalTime, plainInteger, TIME_MS_MIN } from '../params.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { timeText } from './time-text.ts';

const ORDERS = ['count', 'duration', 'samples', 'recent'] as const;
const LIMIT_DEFAULT = 20;

/** GET /api/v1/status/top_queries, an addition of ours: what was asked, and what it cost. */
export const topQueries: JsonRoute = {
  path: '/status/top_queries',
  methods: ['GET'],
  doc: {
    id: 'status-top-queries',
    tag: 'status',
    summary: 'List the queries that were asked most, or that cost most (Narthex only)',
    parameters: [
      {
        name: 'sort_by',
        kind: 'text',
        description: 'The figure to sort by, largest first; `duration` when absent.',
        choices: ORDERS,
        example: 'duration',
      },
      {
        name: 'start',
        kind: 'timestamp',
        description: 'Only queries since then.',
        example: '2026-01-02T12:37:00Z',
      },
      {
        name: 'limit',
        kind: 'integer',
        description: 'At most so many; 20 when absent.',
        example: 20,
      },
    ],
    body: 'StatusTopQueries',
  },
  async handle({ form, signal }, { ports }) {
    const sortText = form.first('sort_by') || 'duration';
    const sortBy = ORDERS.find((order) => order === sortText);
    if (sortBy === undefined) {
      const choices = ORDERS.join(', ');
      throw new ApiError('bad_data', `invalid sort_by "${sortText}": must be one of ${choices}`);
    }
    const limit = plainInteger(form, 'limit', LIMIT_DEFAULT);
    if (limit < 1) throw new ApiError('bad_data', 'limit must be a positive number');
    const sinceMs = optionalTime(form, 'start', TIME_MS_MIN);
    const queries = (await ports.queryLog?.top({ sortBy, sinceMs, limit }, signal)) ?? [];
    const shown = queries.map(({ lastMs, ...figures }) =>
      Object.assign(figures, { last: timeText(lastMs) }),
    );
    return successJson(JSON.stringify({ queries: shown }));
  },
};
