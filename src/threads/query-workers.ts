/** Starts query workers for the pool. */
import { type Transferable, Worker } from 'node:worker_threads';
import type { SharedDb } from '../../tsdb/index.ts';
import type { PoolWorker } from './query-pool.ts';
import type { Hello, QueryMethods } from './query-methods.ts';
import type { QueryWorkerData } from './query-worker.ts';
import { type Methods, RpcClient } from './rpc.ts';
import { threadEntry } from './thread-entry.ts';
import { usageMs } from './work-time.ts';

export type QueryClient = RpcClient<QueryMethods>;

/**
 * What a question needs while it is answered is in big arrays or dies at once. Left alone V8 makes
 * 48 MB of place for young objects and keeps it: 20 % more memory after a round of heavy questions,
 * for no less processor time (measured: 200 to 210 against 246 to 264 MB, 3.3 s both).
 */
const YOUNG_GENERATION_SIZE_MB = 12;

export type SpawnOptions = {
  readonly workerData: QueryWorkerData;
  /** What it will read; the worker loads its code while this is being opened. */
  readonly shared: Promise<SharedDb>;
  readonly heapSizeMb: number;
  readonly onHello: (hello: Hello) => void;
  /** Gets the number under which the ended worker was reading. */
  readonly onEnd: (owner: number) => void;
};

export function spawnQueryWorker(options: SpawnOptions): PoolWorker<QueryClient> {
  const { workerData, heapSizeMb } = options;
  let owner: number | null = null;
  const worker = spawnPoolWorker<QueryMethods>(
    threadEntry('query-worker'),
    { name: 'query', workerData, heapSizeMb, transferList: [workerData.remoteRead.port] },
    async (client) => {
      const hello = await client.call('hello', await options.shared);
      owner = hello.owner;
      options.onHello(hello);
    },
  );
  void worker.ended.then(() => {
    if (owner !== null) options.onEnd(owner);
  });
  return worker;
}

/**
 * A thread that serves `M`.
 * @param greet  what has to be done before it can take work
 */
export function spawnPoolWorker<M extends Methods>(
  entry: URL,
  options: {
    readonly name: string;
    readonly workerData: unknown;
    readonly heapSizeMb: number;
    readonly transferList?: readonly Transferable[];
  },
  greet: (client: RpcClient<M>) => Promise<void>,
): PoolWorker<RpcClient<M>> {
  const worker = new Worker(entry, {
    name: options.name,
    workerData: options.workerData,
    ...(options.transferList === undefined ? {} : { transferList: [...options.transferList] }),
    // Work that wants more memory ends its thread, not the server.
    resourceLimits: {
      maxOldGenerationSizeMb: options.heapSizeMb,
      maxYoungGenerationSizeMb: YOUNG_GENERATION_SIZE_MB,
    },
  });
  const client = new RpcClient<M>(worker);
  const { promise: ended, resolve } = Promise.withResolvers<Error>();
  let reason: Error | null = null;
  let isAlive = true;
  worker.on('error', (error: Error) => {
    isAlive = false;
    reason = error;
    client.fail(error);
  });
  worker.on('exit', (code) => {
    isAlive = false;
    const why = reason ?? new Error(`the ${options.name} worker ended with code ${code}`);
    client.fail(why);
    resolve(why);
  });
  return {
    client,
    started: greet(client),
    ended,
    get isAlive() {
      return isAlive;
    },
    async workMs() {
      const { beganCpuMs } = client;
      return beganCpuMs === null ? 0 : usageMs(await worker.cpuUsage()) - beganCpuMs;
    },
    terminate: () => {
      isAlive = false;
      void worker.terminate();
    },
  };
}
