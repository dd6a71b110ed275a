/** Changing what is stored; refused unless `--web.enable-admin-api` is given. Source: HTTP API. */
import { ApiError } from '../api-error.ts';
import { Readable } from 'node:stream';
import {
  badParameter,
  booleanParameter,
  namingParameter,
  requireWellFormed,
  timeRange,
} from '../params.ts';
import { sendJson, successJson } from '../respond.ts';
import type { JsonRoute, RawRoute, RouteContext } from '../route.ts';
import { END, REQUIRED_MATCH, START } from './parameters.ts';

function requireAdmin({ options }: RouteContext): void {
  if (!options.enableAdminApi) throw new ApiError('unavailable', 'admin APIs disabled');
}

const ARCHIVE_TYPE = 'application/x-lz4';

/**
 * POST, PUT /api/v1/admin/tsdb/snapshot: hard links of all blocks, and of the head as a block.
 * Narthex's own: with `archive=lz4` the answer is all of that as one `tar.lz4`.
 */
export const adminSnapshot: RawRoute = {
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
      {
        name: 'archive',
        kind: 'text',
        choices: ['lz4'],
        description: 'Answers with the snapshot itself, as tar.lz4, and leaves nothing on disk.',
        example: 'lz4',
      },
    ],
    body: 'Snapshot',
  },
  async answer({ form, request, reply, signal }, context) {
    requireAdmin(context);
    const { admin } = context.ports;
    const skipHead = booleanParameter(form, 'skip_head', 'unable to parse boolean');
    const archive = form.first('archive');
    if (archive === '') {
      const name = await admin.snapshot({ skipHead }, signal);
      return sendJson(request, reply, successJson(JSON.stringify({ name })));
    }
    if (archive !== 'lz4') throw badParameter('archive', 'the only kind of archive is lz4');
    const { fileName, chunks } = await admin.archive({ skipHead }, signal);
    reply.header('content-type', ARCHIVE_TYPE);
    reply.header('content-disposition', `attachment; filename="${fileName}"`);
    return reply.send(Readable.from(chunks, { objectMode: false }));
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
    requireWellFormed(form);
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
