/** The remote write thread as the main thread sees it. There is one once something is configured. */
import { Worker } from 'node:worker_threads';
import { type Logger, messageOf, type MetricFamily } from '../../model/index.ts';
import type { LogPosition, PassedOn } from '../../tsdb/index.ts';
import type { SentMetadata } from '../remote/write/metadata-sender.ts';
import type { RemoteWriteConfig } from '../remote/write/write-config.ts';
import type { TracingConfig } from '../tracing/tracing-config.ts';
import type { RemoteWriteMethods, RemoteWriteThreadData } from './remote-write-thread.ts';
import type { IngestClient } from './ingest-client.ts';
import { RpcClient } from './rpc.ts';
import { threadEntry } from './thread-entry.ts';

export type RemoteWriteClientOptions = {
  readonly data: RemoteWriteThreadData;
  readonly logger: Logger;
  /** Where the log ends now. */
  readonly logEnd: () => Promise<LogPosition>;
  /** Of everything that is scraped. */
  readonly metadata: () => Promise<readonly SentMetadata[]>;
};

const ALL_METADATA = { metric: '', limit: -1, limitPerMetric: -1 };
const METADATA_CHECK_MS = 1000;
const RESTART_MS = 1000;
/** Samples are no objects, and requests are written into buffers that stay. */
const YOUNG_GENERATION_SIZE_MB = 4;

type Configured = {
  readonly remoteWrite: readonly RemoteWriteConfig[];
  readonly externalLabels: Readonly<Record<string, string>>;
  readonly tracing: TracingConfig | null;
};
type Thread = { readonly worker: Worker; readonly rpc: RpcClient<RemoteWriteMethods> };

export class RemoteWriteClient {
  readonly #options: RemoteWriteClientOptions;
  #thread: Thread | null = null;
  #metadataTimer: NodeJS.Timeout | null = null;
  #isAsking = false;
  #isFirst = true;
  #configured: Configured = { remoteWrite: [], externalLabels: {}, tracing: null };

  constructor(options: RemoteWriteClientOptions) {
    this.#options = options;
  }

  get threadCount(): number {
    return this.#thread === null ? 0 : 1;
  }

  /** Has to come before the samples that are to be sent. */
  async configure({ remoteWrite: queues, externalLabels, tracing }: Configured): Promise<void> {
    if (queues.length === 0 && this.#thread === null) return;
    const end = await this.#options.logEnd();
    // The log begins a segment at every start of the server: what an earlier run has noted lies before.
    const progressBefore = end.segmentIndex + (this.#isFirst ? 0 : 1);
    this.#isFirst = false;
    this.#configured = { remoteWrite: queues, externalLabels, tracing };
    this.#thread ??= this.#start();
    await this.#thread.rpc.call('configure', {
      queues,
      externalLabels,
      tracing,
      end,
      progressBefore,
    });
    const wantsMetadata = queues.some(({ metadata }) => metadata !== null);
    if (this.#metadataTimer !== null) clearInterval(this.#metadataTimer);
    this.#metadataTimer = wantsMetadata
      ? setInterval(() => void this.#passMetadata(), METADATA_CHECK_MS).unref()
      : null;
  }

  /** How far the log has been sent. */
  async passedOn(): Promise<PassedOn> {
    if (this.#thread === null) return { timestampMs: 0, segment: null };
    return this.#thread.rpc.call('passedOn', undefined);
  }

  async metrics(): Promise<MetricFamily[]> {
    return this.#thread === null ? [] : this.#thread.rpc.call('metrics', undefined);
  }

  /** Sends what is left, within the flush deadline. The log has to be complete by then. */
  async stop(): Promise<void> {
    if (this.#metadataTimer !== null) clearInterval(this.#metadataTimer);
    const thread = this.#thread;
    if (thread === null) return;
    this.#thread = null;
    try {
      await thread.rpc.call('stop', undefined);
    } finally {
      await thread.worker.terminate();
    }
  }

  #start(): Thread {
    const worker = new Worker(threadEntry('remote-write-thread'), {
      name: 'remote write',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_SIZE_MB },
      workerData: this.#options.data,
    });
    const rpc = new RpcClient<RemoteWriteMethods>(worker);
    worker.on('error', (error: Error) => {
      this.#options.logger.error('The remote write thread ended', {
        component: 'remote',
        err: messageOf(error),
      });
      rpc.fail(error);
      if (this.#thread?.worker !== worker) return;
      this.#thread = null;
      // Its progress is on disk, so another one goes on where it stopped.
      setTimeout(() => void this.#again(), RESTART_MS).unref();
    });
    return { worker, rpc };
  }

  async #again(): Promise<void> {
    try {
      await this.configure(this.#configured);
    } catch (error) {
      this.#options.logger.error('Remote write does not start again', {
        component: 'remote',
        err: messageOf(error),
      });
    }
  }

  async #passMetadata(): Promise<void> {
    if (this.#isAsking || this.#thread === null) return;
    const { rpc } = this.#thread;
    this.#isAsking = true;
    try {
      if (!(await rpc.call('wantsMetadata', undefined))) return;
      await rpc.call('sendMetadata', await this.#options.metadata());
    } catch {
      // The thread is gone, or stops: told elsewhere.
    } finally {
      this.#isAsking = false;
    }
  }
}

/** Of every metric that a target has told something about. */
export async function scrapedMetadata(ingest: IngestClient): Promise<SentMetadata[]> {
  const all = await ingest.call('metadata', ALL_METADATA);
  return all.flatMap(({ metric: name, entries }) =>
    entries.map((metadata) => ({ name, ...metadata })),
  );
}
