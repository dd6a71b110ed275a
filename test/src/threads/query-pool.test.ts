import { describe, expect, test } from 'vitest';
import { CanceledError, SILENT_LOGGER } from '../../../model/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import {
  type Begun,
  type PoolWorker,
  QueryPool,
  QueueTimeoutError,
} from '../../../src/threads/query-pool.ts';

/** A worker whose work is finished by hand. */
class FakeWorker implements PoolWorker<FakeWorker> {
  readonly client = this;
  readonly started: Promise<void>;
  readonly ended: Promise<Error>;
  readonly #end: (reason: Error) => void;
  wasCanceled = false;
  isAlive = true;
  #finish: { resolve: (value: string) => void; reject: (error: Error) => void } | null = null;

  constructor(startsUp: boolean) {
    this.started = startsUp ? Promise.resolve() : new Promise(() => {});
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#end = resolve;
  }

  begin(): Begun<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#finish = { resolve, reject };
    this.wasCanceled = false;
    return { result: promise, cancel: () => (this.wasCanceled = true) };
  }

  finish(value: string): void {
    this.#finish!.resolve(value);
  }

  die(reason: string): void {
    this.isAlive = false;
    this.#finish?.reject(new Error(reason));
    this.#end(new Error(reason));
  }

  terminate(): void {
    this.die('terminated');
  }
}

const settle = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const NEVER = new AbortController().signal;
const QUERY = { isQuery: true, signal: NEVER, timeoutMs: Infinity };

type Limits = {
  workerCountMax?: number;
  queryCountMax?: number;
  idleMsMax?: number;
  lastIdleMsMax?: number;
  /** Later workers never get ready. */
  startableCount?: number;
};

async function startPool(limits: Limits = {}) {
  const workers: FakeWorker[] = [];
  const pool = new QueryPool<FakeWorker>({
    spawn: () => {
      const worker = new FakeWorker(workers.length < (limits.startableCount ?? Infinity));
      workers.push(worker);
      return worker;
    },
    workerCountMax: limits.workerCountMax ?? 2,
    queryCountMax: limits.queryCountMax ?? 20,
    clock: REAL_CLOCK,
    logger: SILENT_LOGGER,
    idleMsMax: limits.idleMsMax ?? 30_000,
    lastIdleMsMax: limits.lastIdleMsMax ?? 30_000,
  });
  await pool.start();
  const run = (options = QUERY) => pool.run(options, (worker) => worker.begin());
  return { pool, workers, run };
}

describe('the query pool', () => {
  test('does one thing at a time per worker and starts more when something waits', async () => {
    const { pool, workers, run } = await startPool();
    const first = run();
    const second = run();
    const third = run();
    expect(pool.workerCount).toBe(1);
    await settle(60);
    expect(pool.workerCount).toBe(2);
    workers[0]!.finish('a');
    expect(await first).toBe('a');
    workers[1]!.finish('b');
    expect(await second).toBe('b');
    await settle();
    workers[0]!.finish('c');
    expect(await third).toBe('c');
    await pool.close();
  });

  test('holds queries back beyond their number, but not other work', async () => {
    const { pool, workers, run } = await startPool({ queryCountMax: 1 });
    const first = run();
    const second = run();
    const other = run({ ...QUERY, isQuery: false });
    expect(pool.queryCount).toBe(2);
    await settle(60);
    workers[1]!.finish('other');
    expect(await other).toBe('other');
    await settle();
    workers[0]!.finish('first');
    await first;
    await settle();
    workers.forEach((worker) => worker.finish('second'));
    expect(await second).toBe('second');
    await pool.close();
  });

  test('gives up on what waits too long', async () => {
    const { pool, workers, run } = await startPool({ workerCountMax: 1 });
    const running = run();
    await expect(run({ ...QUERY, timeoutMs: 20 })).rejects.toBeInstanceOf(QueueTimeoutError);
    workers[0]!.finish('done');
    expect(await running).toBe('done');
    await pool.close();
  });

  test('answers an abort at once, and uses the worker again only when it is free', async () => {
    const { pool, workers, run } = await startPool({ workerCountMax: 1 });
    const controller = new AbortController();
    const running = run({ ...QUERY, signal: controller.signal });
    const waiting = run();
    controller.abort();
    await expect(running).rejects.toBeInstanceOf(CanceledError);
    expect(workers[0]!.wasCanceled).toBe(true);
    workers[0]!.finish('nobody sees this');
    await settle();
    workers[0]!.finish('next');
    expect(await waiting).toBe('next');
    await pool.close();
  });

  test('tells what waits when no worker can be started', async () => {
    const { pool, workers, run } = await startPool({ workerCountMax: 1, startableCount: 1 });
    workers[0]!.die('out of memory');
    await settle(10);
    const waiting = run();
    await settle(60);
    workers[1]!.die('no more threads');
    await expect(waiting).rejects.toThrow('no more threads');
    await pool.close();
  });

  test('an abort takes what waits out of the queue', async () => {
    const { pool, workers, run } = await startPool({ workerCountMax: 1 });
    const running = run();
    const controller = new AbortController();
    const waiting = run({ ...QUERY, signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toBeInstanceOf(CanceledError);
    expect(pool.queryCount).toBe(1);
    workers[0]!.finish('done');
    await running;
    await pool.close();
  });

  test('a worker that dies is replaced, and only its own query fails', async () => {
    const { pool, workers, run } = await startPool({ workerCountMax: 1 });
    const running = run();
    const waiting = run();
    workers[0]!.die('out of memory');
    await expect(running).rejects.toThrow('out of memory');
    await settle(60);
    workers[1]!.finish('from the new one');
    expect(await waiting).toBe('from the new one');
    await pool.close();
  });

  test('lets workers go that have nothing to do, and starts one when there is work again', async () => {
    const { pool, workers, run } = await startPool({ idleMsMax: 20, lastIdleMsMax: 100 });
    const both = [run(), run()];
    await settle(60);
    expect(pool.workerCount).toBe(2);
    for (const worker of workers) worker.finish('done');
    await Promise.all(both);
    await settle(60);
    expect(pool.workerCount).toBe(1);
    await settle(200);
    expect(pool.workerCount).toBe(0);
    const later = run();
    await settle(20);
    workers.at(-1)!.finish('later');
    expect(await later).toBe('later');
    await pool.close();
  });

  test('closing answers everybody', async () => {
    const { pool, run } = await startPool({ workerCountMax: 1 });
    const running = run();
    const waiting = run();
    const outcomes = Promise.allSettled([running, waiting]);
    await pool.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(run()).rejects.toBeInstanceOf(CanceledError);
  });
});
