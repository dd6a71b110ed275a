/** What the server knows about itself. Source: Prometheus HTTP API, status. */
import { ApiError } from '../api-error.ts';
import { parseInteger } from '../params.ts';
import type { NamedCount, TsdbStatus } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { secondTimeText, timeText } from './time-text.ts';

const TSDB_LIMIT_DEFAULT = 10;
const TSDB_LIMIT_MAX = 10_000;

/** GET /api/v1/status/config */
export const statusConfig: JsonRoute = {
  path: '/status/config',
  methods: ['GET'],
  doc: {
    id: 'status-config',
    tag: 'status',
    summary: 'Show the loaded configuration',
    body: 'StatusConfig',
  },
  inAgentMode: true,
  async handle({ signal }, { ports }) {
    return successJson(JSON.stringify({ yaml: await ports.status.configYaml(signal) }));
  },
};

/** GET /api/v1/status/flags */
export const statusFlags: JsonRoute = {
  path: '/status/flags',
  methods: ['GET'],
  doc: {
    id: 'status-flags',
    tag: 'status',
    summary: 'Show the values of the flags',
    body: 'StatusFlags',
  },
  inAgentMode: true,
  handle: (_, { ports }) => successJson(JSON.stringify(ports.status.flags())),
};

/** GET /api/v1/status/buildinfo */
export const statusBuildInfo: JsonRoute = {
  path: '/status/buildinfo',
  methods: ['GET'],
  doc: {
    id: 'status-buildinfo',
    tag: 'status',
    summary: 'Show version and build',
    body: 'StatusBuildInfo',
  },
  inAgentMode: true,
  handle: (_, { ports }) => successJson(JSON.stringify(ports.status.buildInfo())),
};

/** GET /api/v1/status/runtimeinfo */
export const statusRuntimeInfo: JsonRoute = {
  path: '/status/runtimeinfo',
  methods: ['GET'],
  doc: {
    id: 'status-runtimeinfo',
    tag: 'status',
    summary: 'Show figures of the running process',
    body: 'StatusRuntimeInfo',
  },
  inAgentMode: true,
  async handle({ signal }, { ports }) {
    const info = await ports.status.runtimeInfo(signal);
    return successJson(
      JSON.stringify({
        startTime: timeText(info.startTimeMs),
        CWD: info.workingDirectory,
        hostname: info.hostname,
        serverTime: timeText(info.serverTimeMs),
        reloadConfigSuccess: info.reloadConfigSuccess,
        lastConfigTime: secondTimeText(info.lastConfigTimeMs),
        corruptionCount: info.corruptionCount,
        goroutineCount: info.goroutineCount,
        GOMAXPROCS: info.gomaxprocs,
        GOMEMLIMIT: info.gomemlimit,
        // Settings of Go's runtime, which there is none of.
        GOGC: '',
        GODEBUG: '',
        storageRetention: info.storageRetention,
      }),
    );
  },
};

/** GET /api/v1/status/tsdb: what is in the head, and what takes the most room there. */
export const statusTsdb: JsonRoute = {
  path: '/status/tsdb',
  methods: ['GET'],
  doc: {
    id: 'status-tsdb',
    tag: 'status',
    summary: 'Show figures of the storage',
    parameters: [
      {
        name: 'limit',
        kind: 'integer',
        description: 'Length of each list, 10 when absent, at most 10000.',
        example: 10,
      },
    ],
    body: 'StatusTSDB',
  },
  async handle({ form, signal }, { ports }) {
    const status = await ports.status.tsdb(tsdbLimit(form.first('limit')), signal);
    const { headStats } = status;
    const list = (counts: readonly NamedCount[]) =>
      counts.map(({ name, value }) => ({ name, value }));
    return successJson(
      JSON.stringify({
        headStats: {
          numSeries: headStats.seriesCount,
          numLabelPairs: headStats.labelPairCount,
          chunkCount: headStats.chunkCount,
          minTime: headStats.minMs,
          maxTime: headStats.maxMs,
        },
        seriesCountByMetricName: list(status.seriesCountByMetricName),
        labelValueCountByLabelName: list(status.labelValueCountByLabelName),
        memoryInBytesByLabelName: list(status.memoryBytesByLabelName),
        seriesCountByLabelValuePair: list(status.seriesCountByLabelPair),
        cardinality: cardinalityOf(status),
      }),
    );
  },
};

/** Narthex's own part: why new series are refused, or how far from that the head is. */
function cardinalityOf({ cardinality }: TsdbStatus) {
  const { headMemoryBytes, headMemoryLimitBytes, refusedSeriesCount, loudest } = cardinality;
  return {
    headMemoryBytes,
    headMemoryLimitBytes,
    refusedSeries: refusedSeriesCount,
    ...(loudest === null ? {} : { loudestMetric: loudest.metric, loudestLabel: loudest.label }),
  };
}

function tsdbLimit(text: string): number {
  if (text === '') return TSDB_LIMIT_DEFAULT;
  let limit = 0;
  try {
    limit = parseInteger(text, 'Atoi');
  } catch {
    // Refused below, in the same words as a number that is too small.
  }
  if (limit < 1) throw new ApiError('bad_data', 'limit must be a positive number');
  if (limit > TSDB_LIMIT_MAX) {
    throw new ApiError('bad_data', `limit must not exceed ${TSDB_LIMIT_MAX}`);
  }
  return limit;
}

/** GET /api/v1/status/tsdb/blocks */
export const statusBlocks: JsonRoute = {
  path: '/status/tsdb/blocks',
  methods: ['GET'],
  doc: {
    id: 'status-tsdb-blocks',
    tag: 'status',
    summary: 'List the blocks of the storage',
    body: 'StatusTSDBBlocks',
  },
  async handle({ signal }, { ports }) {
    return successJson(JSON.stringify({ blocks: await ports.status.blocks(signal) }));
  },
};

/** GET /api/v1/status/walreplay: how far starting has come. */
export const statusWalReplay: JsonRoute = {
  path: '/status/walreplay',
  methods: ['GET'],
  doc: {
    id: 'status-walreplay',
    tag: 'status',
    summary: 'Show the progress of replaying the log',
    body: 'StatusWALReplay',
  },
  beforeReady: true,
  inAgentMode: true,
  handle(_, { ports }) {
    const { min, max, current } = ports.status.walReplay();
    return successJson(JSON.stringify({ min, max, current }));
  },
};

/** GET /api/v1/features: which optional parts there are, and which are switched on. */
export const features: JsonRoute = {
  path: '/features',
  methods: ['GET'],
  doc: {
    id: 'features',
    tag: 'features',
    summary: 'List features',
    body: 'Features',
  },
  inAgentMode: true,
  async handle({ signal }, { ports }) {
    const sorted = Object.entries(await ports.status.features(signal))
      .sort(byName)
      .map(([category, flags]) => [
        category,
        Object.fromEntries(Object.entries(flags).sort(byName)),
      ]);
    return successJson(JSON.stringify(Object.fromEntries(sorted)));
  },
};

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
