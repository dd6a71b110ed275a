/**
 * Samples of any age, taken in in the background; Narthex's own. Refused unless
 * `--web.enable-admin-api` is given, because nothing keeps them from changing the past.
 *
 *   POST   /api/v1/import       body: OpenMetrics, text format, JSON lines or CSV → 202 and its status
 *   GET    /api/v1/import       all that the server remembers, the newest first
 *   GET    /api/v1/import/<id>  DELETE /api/v1/import/<id>
 */
import { Readable } from 'node:stream';
import { ApiError } from '../api-error.ts';
import { booleanParameter } from '../params.ts';
import { IMPORT_FORMATS, type ImportFormat, type ImportPort, type ImportStatus } from '../ports.ts';
import { sendJson, successJson } from '../respond.ts';
import type { ApiCall, JsonRoute, Parameter, RawRoute, RouteContext } from '../route.ts';
import { timeText } from './time-text.ts';

/** Where the format is not named. */
const FORMAT_OF_TYPE: Readonly<Record<string, ImportFormat>> = {
  'application/openmetrics-text': 'openmetrics',
  'text/plain': 'text',
  'application/x-ndjson': 'jsonl',
  'application/jsonl': 'jsonl',
  'application/stream+json': 'jsonl',
  'text/csv': 'csv',
};

const FORMAT: Parameter = {
  name: 'format',
  kind: 'text',
  description: 'What the body is; by its Content-Type when absent.',
  choices: IMPORT_FORMATS,
  example: 'openmetrics',
};
const DRY_RUN: Parameter = {
  name: 'dry_run',
  kind: 'boolean',
  description: 'Only counts what there is, and what is wrong with it.',
  example: true,
};
const ID: Parameter = {
  name: 'id',
  kind: 'text',
  description: 'As told when the import was begun.',
  isRequired: true,
  inPath: true,
  example: 'mhx2k9a1',
};

function portOf({ ports, options }: RouteContext): ImportPort {
  if (!options.enableAdminApi) throw new ApiError('unavailable', 'admin APIs disabled');
  if (ports.imports === undefined) throw new ApiError('unavailable', 'imports are not possible');
  return ports.imports;
}

export const startImport: RawRoute = {
  path: '/import',
  methods: ['POST', 'PUT'],
  doc: {
    id: 'import',
    tag: 'admin',
    summary: 'Import samples of any age',
    parameters: [FORMAT, DRY_RUN],
    body: 'Import',
    requestType: 'application/openmetrics-text',
  },
  streamsBody: true,
  async answer({ form, request, reply, signal }, context) {
    const port = portOf(context);
    const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    const named = form.first('format');
    const format =
      named === '' ? FORMAT_OF_TYPE[type] : IMPORT_FORMATS.find((known) => known === named);
    if (format === undefined) {
      const what = named === '' ? `Content-Type ${JSON.stringify(type)}` : JSON.stringify(named);
      throw new ApiError('bad_data', `${what} is no format of: ${IMPORT_FORMATS.join(', ')}`);
    }
    const encoding = (request.headers['content-encoding'] ?? 'identity').toLowerCase();
    if (encoding !== 'gzip' && encoding !== 'identity') {
      throw new ApiError('bad_data', `Content-Encoding ${encoding} is neither gzip nor identity`);
    }
    const isDryRun = booleanParameter(form, 'dry_run', 'unable to parse boolean');
    const body = request.body instanceof Readable ? request.body : Readable.from([]);
    const asked = { format, isDryRun, isGzip: encoding === 'gzip' };
    const status = await port.start(asked, body, signal);
    return sendJson(request, reply.code(202), successJson(JSON.stringify(shown(status))));
  },
};

export const listImports: JsonRoute = {
  path: '/import',
  methods: ['GET'],
  doc: { id: 'list-imports', tag: 'admin', summary: 'List imports', body: 'Imports' },
  handle(_, context) {
    return successJson(JSON.stringify(portOf(context).list().map(shown)));
  },
};

export const findImport: JsonRoute = {
  path: '/import/:id',
  methods: ['GET'],
  doc: {
    id: 'find-import',
    tag: 'admin',
    summary: 'How an import is getting on',
    parameters: [ID],
    body: 'Import',
  },
  handle: (call, context) => one(call, (id) => portOf(context).find(id)),
};

export const cancelImport: JsonRoute = {
  path: '/import/:id',
  methods: ['DELETE'],
  doc: {
    id: 'cancel-import',
    tag: 'admin',
    summary: 'Cancel an import',
    parameters: [ID],
    body: 'Import',
  },
  handle: (call, context) => one(call, (id) => portOf(context).cancel(id)),
};

function one({ request }: ApiCall, ask: (id: string) => ImportStatus | null): string {
  const { id } = request.params as { id: string };
  const status = ask(id);
  if (status === null) throw new ApiError('not_found', `there is no import ${JSON.stringify(id)}`);
  return successJson(JSON.stringify(shown(status)));
}

function shown(status: ImportStatus) {
  const timeOrNull = (ms: number | null) => (ms === null ? null : timeText(ms));
  return {
    id: status.id,
    state: status.state,
    format: status.format,
    dryRun: status.isDryRun,
    startedAt: timeText(status.startedMs),
    finishedAt: timeOrNull(status.finishedMs),
    error: status.error,
    receivedBytes: status.receivedBytes,
    readBytes: status.readBytes,
    lines: status.lineCount,
    badLines: status.badLineCount,
    badLineErrors: status.badLines,
    series: status.seriesCount,
    samples: status.sampleCount,
    writtenSamples: status.writtenCount,
    tooOldSamples: status.tooOldCount,
    tooNewSamples: status.tooNewCount,
    conflictingSamples: status.conflictCount,
    minTime: timeOrNull(status.minMs),
    maxTime: timeOrNull(status.maxMs),
    blocks: status.blocks,
  };
}
