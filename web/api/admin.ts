/** Changing what is stored; refused unless `--web.enable-admin-api` is given. Source: HTTP API. */
import { ApiError } from '../api-error.ts';
import { booleanParameter, namingParameter, timeRange } from '../params.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute, RouteContext } from '../route.ts';
import { END, REQUIRED_MATCH, START } from './parameters.ts';

function requireAdmin({ options }: RouteContext): void {
  if (!options.enableAdminApi) throw new ApiError('unavailable', 'admin APIs disabled');
}

/** POST, PUT /api/v1/admin/tsdb/snapshot: hard links of all blocks, and of the head as a block. */
export const adminSnapshot: JsonRoute = {
  path: '/admin/tsdb/snapshot',
  methods: ['POST', 'PUT'],
  doc: {
    id: 'admin-snapshot',
    tag: 'admin',
    summary: 'Make a snapshot of the storage',
    parameters: [
      {
        name: 'skip_head',
        kind: 'boolean',
        description: 'Leaves out what is not in a block yet.',
        example: false,
      },
    ],
    body: 'Snapshot',
  },
  async handle({ form, signal }, context) {
    requireAdmin(context);
    const skipHead = booleanParameter(form, 'skip_head', 'unable to parse boolean');
    const name = await context.ports.admin.snapshot({ skipHead }, signal);
    return successJson(JSON.stringify({ name }));
  },
};

/** POST, PUT /api/v1/admin/tsdb/delete_series */
export const adminDeleteSeries: JsonRoute = {
  path: '/admin/tsdb/delete_series',
  methods: ['POST', 'PUT'],
  doc: {
    id: 'admin-delete-series',
    tag: 'admin',
    summary: 'Delete samples of series',
    parameters: [REQUIRED_MATCH, START, END],
  },
  async handle({ form, signal }, context) {
    requireAdmin(context);
    const selectors = form.all('match[]');
    if (selectors.length === 0) throw new ApiError('bad_data', 'no match[] parameter provided');
    const request = { ...timeRange(form), selectors };
    await namingParameter('match[]', context.ports.admin.deleteSeries(request, signal));
    return null;
  },
};

/** POST, PUT /api/v1/admin/tsdb/clean_tombstones: frees the room of deleted samples. */
export const adminCleanTombstones: JsonRoute = {
  path: '/admin/tsdb/clean_tombstones',
  methods: ['POST', 'PUT'],
  doc: {
    id: 'admin-clean-tombstones',
    tag: 'admin',
    summary: 'Remove deleted samples from disk',
  },
  async handle({ signal }, context) {
    requireAdmin(context);
    await context.ports.admin.cleanTombstones(signal);
    return null;
  },
};
