/** What the web asks for, answered by the parts of the server. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import path from 'node:path';
import { getHeapStatistics } from 'node:v8';
import {
  type Clock,
  formatDuration,
  mergeFamilies,
  type MetricFamily,
  type Registry,
} from '../model/index.ts';
import {
  type AdminPort,
  type AlertHistoryPort,
  ApiError,
  type BlockMeta,
  type MetadataPort,
  type NotificationsPort,
  type OtlpPort,
  type OwnMetricsPort,
  type Ports,
  type QueryLogPort,
  type RemoteReadPort,
  type RemoteWriteAnswer,
  type RemoteWriteRequest,
  type StatusPort,
  type TargetsPort,
} from '../web/index.ts';
import type { ActiveQueries } from './active-queries.ts';
import type { Alerting } from './alerting.ts';
import { type Config, type FlagDefaults, printConfig, printJob } from './config/index.ts';
import { serverFeatures } from './features.ts';
import type { LanguageFeatures } from './language.ts';
import { type Feature, type FlagValues } from './flags.ts';
import { formatSize } from './flags/values.ts';
import type { AlertHistory } from './history/alert-history.ts';
import type { QueryLog } from './history/query-log.ts';
import type { Queries } from './queries.ts';
import { otlpOptions } from './remote/otlp-options.ts';
import type { ServerState } from './server-state.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import { PROMETHEUS_VERSION, sourceRevision } from './version.ts';

const NO_HISTORY = 'the history file cannot be used';

/** The parts, and what they cannot say themselves. */
export type PortsParts = {
  readonly clock: Clock;
  readonly state: ServerState;
  readonly ingest: IngestClient;
  readonly queries: Queries;
  readonly activeQueries: ActiveQueries;
  readonly alerting: Alerting;
  readonly alertHistory: AlertHistory;
  readonly notifications: NotificationsPort;
  readonly remoteRead: RemoteReadPort;
  readonly flags: FlagValues;
  readonly features: ReadonlySet<Feature>;
  readonly statusFlags: Readonly<Record<string, string>>;
  readonly flagDefaults: FlagDefaults;
  readonly dataDirectory: string;
  readonly config: () => Config;
  readonly language: () => Promise<LanguageFeatures>;
  /** Registries of the main thread. */
  readonly registries: readonly Registry[];
  readonly threadCount: () => number;
  readonly queryLog: () => QueryLog | null;
  readonly reload: () => Promise<void>;
  readonly quit: () => void;
};

export function createPorts(parts: PortsParts): Ports {
  const { queries, state } = parts;
  return {
    query: queries,
    language: queries,
    labels: queries,
    series: queries,
    federation: queries,
    metadata: metadataPort(parts),
    targets: targetsPort(parts),
    status: statusPort(parts),
    ready: { readiness: () => state.readiness },
    ownMetrics: ownMetricsPort(parts),
    notifications: parts.notifications,
    admin: adminPort(parts),
    lifecycle: { reload: parts.reload, quit: parts.quit },
    rules: parts.alerting,
    alertmanagers: parts.alerting,
    alertHistory: alertHistoryPort(parts),
    queryLog: queryLogPort(parts),
    activeQueries: parts.activeQueries,
    remoteRead: parts.remoteRead,
    otlp: otlpPort(parts),
    remoteWrite: { write: (request, signal) => writeRemotely(parts, request, signal) },
  };
}

function otlpPort({ ingest, config, features, flags }: PortsParts): OtlpPort {
  return {
    write: async ({ encoding, body }, signal) => {
      const options = otlpOptions(config().values.otlp, {
        takesDeltas: features.has('otlp-native-delta-ingestion'),
        lookbackMs: flags['query.lookback-delta'],
      });
      const bytes = new Uint8Array(body);
      const request = { encoding, body: bytes, options };
      await ingest.call('otlpWrite', request, { signal, transfer: [bytes.buffer] });
    },
  };
}

/** Nothing of the body is looked at here. */
function writeRemotely(
  { ingest }: PortsParts,
  { version, body }: RemoteWriteRequest,
  signal: AbortSignal,
): Promise<RemoteWriteAnswer> {
  // A copy that can be handed over: what the HTTP server gives may be a window on a shared buffer.
  const bytes = new Uint8Array(body);
  return ingest.call('remoteWrite', { version, body: bytes }, { signal, transfer: [bytes.buffer] });
}

function metadataPort({ ingest }: PortsParts): MetadataPort {
  return { metrics: (request, signal) => ingest.call('metadata', request, { signal }) };
}

function targetsPort({ ingest, config }: PortsParts): TargetsPort {
  return {
    targets: (request, signal) => ingest.call('targets', request, { signal }),
    poolNames: (signal) => ingest.call('poolNames', undefined, { signal }),
    poolConfig: async (scrapePool) => printJob(config(), scrapePool),
    relabelSteps: (scrapePool, labels, signal) =>
      ingest.call('relabelSteps', { scrapePool, labels }, { signal }),
    metadata: (request, signal) => ingest.call('targetMetadata', request, { signal }),
  };
}

function statusPort(parts: PortsParts): StatusPort {
  const { state, ingest, config, flags, dataDirectory } = parts;
  return {
    configYaml: async () => printConfig(config(), parts.flagDefaults),
    flags: () => parts.statusFlags,
    buildInfo: () => ({
      version: PROMETHEUS_VERSION,
      ...sourceRevision(),
      buildUser: '',
      buildDate: '',
      goVersion: `node${process.version}`,
    }),
    features: async () => serverFeatures(flags, parts.features, await parts.language()),
    walReplay: () => state.walReplay,
    runtimeInfo: async (signal) => {
      const families = await ingest.call('metrics', undefined, { signal });
      return {
        startTimeMs: state.startTimeMs,
        workingDirectory: process.cwd(),
        hostname: hostname(),
        serverTimeMs: parts.clock.nowMs(),
        reloadConfigSuccess: state.reloadConfigSuccess,
        lastConfigTimeMs: state.lastConfigTimeMs,
        corruptionCount: valueOf(families, 'prometheus_tsdb_wal_corruptions_total'),
        goroutineCount: parts.threadCount(),
        gomaxprocs: availableParallelism(),
        gomemlimit: getHeapStatistics().heap_size_limit,
        storageRetention: retentionText(config(), parts.flagDefaults),
      };
    },
    tsdb: async (limit, signal) => {
      const status = await ingest.call('status', limit, { signal });
      const { seriesCount, labelPairCount, chunkCount, minMs, maxMs } = status.head;
      return {
        headStats: { seriesCount, labelPairCount, chunkCount, minMs, maxMs },
        seriesCountByMetricName: status.seriesCountByMetricName,
        labelValueCountByLabelName: status.labelValueCountByLabelName,
        memoryBytesByLabelName: status.memoryInBytesByLabelName,
        seriesCountByLabelPair: status.seriesCountByLabelValuePair,
      };
    },
    blocks: async (signal) => {
      const { blocks } = await ingest.call('status', 1, { signal });
      return Promise.all(blocks.map(({ ulid }) => readBlockMeta(dataDirectory, ulid)));
    },
  };
}

async function readBlockMeta(dataDirectory: string, ulid: string): Promise<BlockMeta> {
  const text = await readFile(path.join(dataDirectory, ulid, 'meta.json'), 'utf8');
  return JSON.parse(text) as BlockMeta;
}

function valueOf(families: readonly MetricFamily[], name: string): number {
  return families.find((family) => family.name === name)?.samples[0]?.value ?? 0;
}

/** Such as `15d`, `5GiB`, `15d or 5GiB`. */
function retentionText(config: Config, defaults: FlagDefaults): string {
  const { timeMs, sizeBytes } = config.retention ?? {
    timeMs: defaults.retentionMs,
    sizeBytes: defaults.retentionBytes,
  };
  const bounds: string[] = [];
  if (timeMs > 0) bounds.push(formatDuration(timeMs));
  if (sizeBytes > 0) bounds.push(formatSize(sizeBytes));
  return bounds.join(' or ');
}

function ownMetricsPort({ registries, ingest, state }: PortsParts): OwnMetricsPort {
  return {
    families: async (signal) => {
      const snapshots: (readonly MetricFamily[])[] = registries.map((r) => r.snapshot());
      // While the log is read the writer does not answer.
      if (state.readiness !== 'starting') {
        snapshots.push(await ingest.call('metrics', undefined, { signal }));
      }
      return mergeFamilies(snapshots);
    },
  };
}

function adminPort({ ingest, queries, dataDirectory, clock }: PortsParts): AdminPort {
  return {
    snapshot: async ({ skipHead }, signal) => {
      const name = snapshotName(clock.nowMs());
      const directory = path.join(dataDirectory, 'snapshots', name);
      await ingest.call('snapshot', { directory, withHead: !skipHead }, { signal });
      return name;
    },
    deleteSeries: async ({ selectors, minMs, maxMs }, signal) => {
      const sets = await queries.selectors(selectors, signal);
      await ingest.call('deleteSeries', { minMs, maxMs, sets }, { signal });
    },
    cleanTombstones: (signal) => ingest.call('cleanTombstones', undefined, { signal }),
  };
}

/** `20261121T114339Z-1a2b3c4d5e6f7081`, as Prometheus names snapshots. */
function snapshotName(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `${stamp}-${Buffer.from(random).toString('hex')}`;
}

function alertHistoryPort({ alertHistory }: PortsParts): AlertHistoryPort {
  return {
    page: async (request) => {
      if (!alertHistory.isOpen) throw new ApiError('unavailable', NO_HISTORY);
      return alertHistory.page(request);
    },
  };
}

function queryLogPort({ queryLog }: PortsParts): QueryLogPort {
  return {
    top: async (request) => {
      const log = queryLog();
      if (log === null) throw new ApiError('unavailable', NO_HISTORY);
      return log.top(request);
    },
  };
}
