/** The ingest thread as the main thread sees it. */
import { Worker } from 'node:worker_threads';
import type { LogOptions } from '../log-writer.ts';
import type { SharedDb } from '../../tsdb/index.ts';
import type { IngestMethods, ReplayProgress } from './ingest.ts';
import type { IngestThreadData } from './ingest-thread.ts';
import { type ArgumentOf, type CallOptions, RpcClient } from './rpc.ts';
import { threadEntry } from './thread-entry.ts';

/**
 * Samples are no objects, so next to nothing that is young there survives, and a small place for it
 * does. Left alone V8 makes it 64 MB, most of them for the first scrapes of many targets.
 */
const YOUNG_GENERATION_SIZE_MB = 3;

export class IngestClient {
  readonly #worker: Worker;
  readonly #rpc: RpcClient<IngestMethods>;
  /** Resolves with the reason when the thread ends without having been told to. */
  readonly failed: Promise<Error>;
  /** The database as it can be read while its log is: without the head. Not when it has no blocks. */
  readonly blocksOpen: Promise<SharedDb>;
  /** Resolves when the log begins to be read: the data directory is this server's. */
  readonly replayBegun: Promise<void>;
  /** Told how far the reading of the log is. */
  onReplay: ((progress: ReplayProgress) => void) | null = null;
  /** What was told last. */
  replay: ReplayProgress | null = null;
  #isStopping = false;

  /** Starts the thread; it does nothing until it is told to. */
  constructor(log: LogOptions) {
    const workerData: IngestThreadData = { log };
    this.#worker = new Worker(threadEntry('ingest-thread'), {
      name: 'ingest',
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_SIZE_MB },
    });
    this.#rpc = new RpcClient(this.#worker);
    const blocks = Promise.withResolvers<SharedDb>();
    this.blocksOpen = blocks.promise;
    const begun = Promise.withResolvers<void>();
    this.replayBegun = begun.promise;
    this.#worker.on('message', (message: object) => {
      if ('replay' in message) {
        this.replay = (message as { replay: ReplayProgress }).replay;
        begun.resolve();
        this.onReplay?.(this.replay);
      }
      if ('blocks' in message) blocks.resolve((message as { blocks: SharedDb }).blocks);
    });
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    let reason: Error | null = null;
    this.#worker.on('error', (error: Error) => (reason = error));
    this.#worker.on('exit', (code) => {
      const why = reason ?? new Error(`the ingest thread ended with code ${code}`);
      this.#rpc.fail(why);
      if (!this.#isStopping) resolve(why);
    });
  }

  call<Name extends keyof IngestMethods>(
    method: Name,
    argument: ArgumentOf<IngestMethods[Name]>,
    options?: CallOptions,
  ) {
    return this.#rpc.call(method, argument, options);
  }

  /** Writes out what waits, closes the database, ends the thread. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    try {
      await this.#rpc.call('close', undefined);
    } finally {
      await this.#worker.terminate();
    }
  }
}
