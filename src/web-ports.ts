/** What the web asks for, answered by the parts of the server. */
import { readFile } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import path from 'node:path';
import { getHeapStatistics } from 'node:v8';
import {
  type Clock,
  formatDuration,
  Labels,
  type Logger,
  mergeFamilies,
  type MetricFamily,
  type Registry,
} from '../model/index.ts';
import {
  type AdminPort,
  type AlertHistoryPort,
  type AlertInsightPort,
  ApiError,
  type BlockMeta,
  type ConsolePort,
  type DebugPort,
  type ImportPort,
  type MetadataPort,
  type NotificationsPort,
  type OtlpPort,
  type OwnMetricsPort,
  type Ports,
  type PushPort,
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
import { alertFingerprint, type AlertHistory } from './history/alert-history.ts';
import type { QueryLog } from './history/query-log.ts';
import type { Queries } from './queries.ts';
import { otlpOptions } from './remote/otlp-options.ts';
import type { ServerState } from './server-state.ts';
import { Snapshots } from './snapshots.ts';
import type { IngestClient } from './threads/ingest-client.ts';
import type { RemoteWriteClient } from './threads/remote-write-client.ts';
import { PROMETHEUS_VERSION, sourceRevision } from './version.ts';

const NO_HISTORY = 'the history file cannot be used';

/** The parts, and what they cannot say themselves. */
export type PortsParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: ServerState;
  readonly ingest: IngestClient;
  readonly queries: Queries;
  readonly activeQueries: ActiveQueries;
  readonly alerting: Alerting;
  readonly alertHistory: AlertHistory;
  readonly alertInsight: AlertInsightPort;
  readonly notifications: NotificationsPort;
  readonly remoteRead: RemoteReadPort;
  readonly imports: ImportPort;
  readonly debug: DebugPort;
  readonly consoles: ConsolePort;
  readonly flags: FlagValues;
  readonly features: ReadonlySet<Feature>;
  readonly statusFlags: Readonly<Record<string, string>>;
  readonly flagDefaults: FlagDefaults;
  readonly dataDirectory: string;
  readonly config: () => Config;
  readonly language: () => Promise<LanguageFeatures>;
  /** Registries of the main thread. */
  readonly registries: readonly Registry[];
  readonly remoteWrite: Pick<RemoteWriteClient, 'metrics'>;
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
    ...(parts.features.has('search-api') ? { search: queries } : {}),
    federation: queries,
    metadata: metadataPort(parts),
    targets: targetsPort(parts),
    status: statusPort(parts),
    ready: { readiness: () => state.readiness, servesBlocks: () => state.servesBlocks },
    ownMetrics: ownMetricsPort(parts),
    notifications: parts.notifications,
    admin: adminPort(parts),
    lifecycle: { reload: parts.reload, quit: parts.quit },
    rules: parts.alerting,
    alertmanagers: parts.alerting,
    receivers: parts.alerting,
    alertHistory: alertHistoryPort(parts),
    alertInsight: parts.alertInsight,
    queryLog: queryLogPort(parts),
    activeQueries: parts.activeQueries,
    remoteRead: parts.remoteRead,
    imports: parts.imports,
    debug: parts.debug,
    consoles: parts.consoles,
    otlp: otlpPort(parts),
    push: pushPort(parts),
    remoteWrite: { write: (request, signal) => writeRemotely(parts, request, signal) },
  };
}

function pushPort({ ingest }: PortsParts): PushPort {
  return {
    push: (request) => {
      const body = new Uint8Array(request.body);
      return ingest.call('push', { ...request, body }, { transfer: [body.buffer] });
    },
    list: () => ingest.call('pushedGroups', undefined),
  };
}

function otlpPort({ ingest, config, features, flags }: PortsParts): OtlpPort {
  return {
    write: async ({ encoding, body }, signal) => {
      const options = otlpOptions(config().values.otlp, {
        takesDeltas: features.has('otlp-native-delta-ingestion'),
        totalsDeltas: features.has('otlp-deltatocumulative'),
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
        cardinality: {
          headMemoryBytes: status.head.memoryBytes,
          headMemoryLimitBytes: status.head.memoryLimitBytes,
          refusedSeriesCount: status.head.refusedSeriesCount,
          loudest: status.loudest,
        },
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
  const { timeMs, sizeBytes, percentage } = config.retention ?? {
    timeMs: defaults.retentionMs,
    sizeBytes: defaults.retentionBytes,
    percentage: 0,
  };
  const bounds: string[] = [];
  if (timeMs > 0) bounds.push(formatDuration(timeMs));
  if (sizeBytes > 0) bounds.push(formatSize(sizeBytes));
  if (percentage > 0) bounds.push(`${percentage}%`);
  return bounds.join(' or ');
}

function ownMetricsPort(parts: PortsParts): OwnMetricsPort {
  const { registries, ingest, remoteWrite, state } = parts;
  return {
    families: async (signal) => {
      const snapshots: (readonly MetricFamily[])[] = registries.map((r) => r.snapshot());
      // While the log is read the writer does not answer.
      if (state.readiness !== 'starting') {
        const others = [ingest.call('metrics', undefined, { signal }), remoteWrite.metrics()];
        snapshots.push(...(await Promise.all(others)));
      }
      return mergeFamilies(snapshots);
    },
  };
}

function adminPort(parts: PortsParts): AdminPort {
  const { ingest, queries } = parts;
  const snapshots = new Snapshots({
    ...parts,
    link: (request, signal) => ingest.call('snapshot', request, { signal }),
  });
  return {
    snapshot: (request, signal) => snapshots.make(request, signal),
    archive: (request, signal) => snapshots.archive(request, signal),
    deleteSeries: async ({ selectors, minMs, maxMs }, signal) => {
      const sets = await queries.selectors(selectors, signal);
      await ingest.call('deleteSeries', { minMs, maxMs, sets }, { signal });
    },
    cleanTombstones: (signal) => ingest.call('cleanTombstones', undefined, { signal }),
  };
}

function alertHistoryPort({ alertHistory, alerting }: PortsParts): AlertHistoryPort {
  return {
    page: async (request) => {
      if (!alertHistory.isOpen) throw new ApiError('unavailable', NO_HISTORY);
      return alertHistory.page(request);
    },
    timelines: async (request) => {
      if (!alertHistory.isOpen) throw new ApiError('unavailable', NO_HISTORY);
      const active = await alerting.alerts();
      const fingerprints = active.map(({ labels }) => alertFingerprint(Labels.fromObject(labels)));
      return alertHistory.timelines(request, new Set(fingerprints));
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
