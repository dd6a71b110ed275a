import { describe, expect, test } from 'vitest';
import { CanceledError, type Clock, SILENT_LOGGER } from '../../../model/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import {
  type PoolWorker,
  QueryPool,
  QueueTimeoutError,
  type WorkOptions,
} from '../../../src/threads/query-pool.ts';
import type { Begun } from '../../../src/threads/rpc.ts';

/** A worker whose work is finished by hand. */
class FakeWorker implements PoolWorker<FakeWorker> {
  readonly client = this;
  readonly started: Promise<void>;
  readonly ended: Promise<Error>;
  readonly #end: (reason: Error) => void;
  wasCanceled = false;
  isAlive = true;
  /** As if all work had taken so much processor time already. */
  readonly #usedMs: number;
  #finish: { resolve: (value: string) => void; reject: (error: Error) => void } | null = null;

  constructor(startsUp: boolean, usedMs: number) {
    this.#usedMs = usedMs;
    this.started = startsUp ? Promise.resolve() : new Promise(() => {});
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.ended = promise;
    this.#end = resolve;
  }

  begin(): Begun<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#finish = { resolve, reject };
    this.wasCanceled = false;
    return { result: promise, cancel: () => (this.wasCanceled = true), workMs: () => null };
  }

  async workMs(): Promise<number> {
    return this.#usedMs;
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
const POLL = { interval: 5, timeout: 5000 };
const NEVER = new AbortController().signal;
const QUERY: WorkOptions = { isQuery: true, signal: NEVER, timeoutMs: Infinity };

type Limits = {
  workerCountMax?: number;
  coreCount?: number;
  queryCountMax?: number;
  idleMsMax?: number;
  lastIdleMsMax?: number;
  /** Later workers never get ready. */
  startableCount?: number;
  workerUsedMs?: number;
  clock?: Clock;
};

async function startPool(limits: Limits = {}) {
  const workers: FakeWorker[] = [];
  const pool = new QueryPool<FakeWorker>({
    spawn: () => {
      const startsUp = workers.length < (limits.startableCount ?? Infinity);
      const worker = new FakeWorker(startsUp, limits.workerUsedMs ?? 1000);
      workers.push(worker);
      return worker;
    },
    workerCountMax: limits.workerCountMax ?? 2,
    coreCount: limits.coreCount ?? 2,
    queryCountMax: limits.queryCountMax ?? 20,
    clock: limits.clock ?? REAL_CLOCK,
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
    await expect.poll(() => pool.workerCount, POLL).toBe(2);
    await settle();
    workers[0]!.finish('a');
    expect(await first).toBe('a');
    workers[1]!.finish('b');
    expect(await second).toBe('b');
    await settle();
    workers[0]!.finish('c');
    expect(await third).toBe('c');
    await pool.close();
  });

  test('starts none while the one that is there has hardly run itself', async () => {
    let nowMs = 0;
    const clock = { ...REAL_CLOCK, monotonicMs: () => nowMs };
    const { pool, workers, run } = await startPool({ workerUsedMs: 2, clock });
    const both = [run(), run()];
    nowMs = 190;
    await settle(120);
    expect(pool.workerCount).toBe(1);
    // Until so much waits for so long that another core would help.
    nowMs = 210;
    await expect.poll(() => pool.workerCount, POLL).toBe(2);
    await settle();
    for (const worker of workers) worker.finish('done');
    await Promise.all(both);
    await pool.close();
  });

  test('starts more than there are cores only for what is not known to be heavy', async () => {
    const clock = { ...REAL_CLOCK, monotonicMs: () => 0 };
    const { pool, workers, run } = await startPool({ coreCount: 1, clock });
    const heavy = { ...QUERY, expectedMs: () => 400 };
    const all = [run(heavy), run(heavy)];
    await settle(120);
    expect(pool.workerCount).toBe(1);
    const light = run({ ...QUERY, expectedMs: () => 1 });
    await expect.poll(() => pool.workerCount, POLL).toBe(2);
    await settle();
    workers[1]!.finish('light');
    expect(await light).toBe('light');
    for (let i = 0; i < 2; i++) {
      await settle();
      for (const worker of workers) worker.finish('heavy');
    }
    await Promise.all(all);
    await pool.close();
  });

  test('light work passes the rest, and all pass what is very heavy, but not for ever', async () => {
    const clock = { ...REAL_CLOCK, monotonicMs: () => nowMs };
    let nowMs = 0;
    const { pool, workers, run } = await startPool({ workerCountMax: 1, clock });
    const order: string[] = [];
    const known: Record<string, number> = { huge: 9000, heavy: 90, large: 40, light: 2 };
    const ask = (name: string, kind = name) =>
      run({ ...QUERY, expectedMs: () => known[kind] }).then(() => order.push(name));
    const all = ['running', 'huge', 'heavy', 'large', 'new', 'light'].map((name) => ask(name));
    all.push(ask('learnt'));
    nowMs = 1900;
    all.push(ask('light soon', 'light'));
    nowMs = 2100;
    all.push(ask('light late', 'light'), ask('large late', 'large'));
    nowMs = 5100;
    all.push(ask('light much later', 'light'));
    // What is learnt while it waits counts.
    known['learnt'] = 1;
    for (let i = 0; i < all.length; i++) {
      workers[0]!.finish('done');
      await settle();
    }
    await Promise.all(all);
    expect(order).toEqual([
      'running',
      'light',
      'learnt',
      'light soon',
      'heavy',
      'large',
      'new',
      'light late',
      'large late',
      'huge',
      'light much later',
    ]);
    await pool.close();
  });

  test('holds queries back beyond their number, but not other work', async () => {
    const { pool, workers, run } = await startPool({ queryCountMax: 1 });
    const first = run();
    const second = run();
    const other = run({ ...QUERY, isQuery: false });
    expect(pool.queryCount).toBe(2);
    await expect.poll(() => workers.length, POLL).toBe(2);
    await settle();
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
    await expect.poll(() => workers.length, POLL).toBe(2);
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
    await expect.poll(() => workers.length, POLL).toBe(2);
    await settle();
    workers[1]!.finish('from the new one');
    expect(await waiting).toBe('from the new one');
    await pool.close();
  });

  test('lets workers go that have nothing to do, and starts one when there is work again', async () => {
    const { pool, workers, run } = await startPool({ idleMsMax: 20, lastIdleMsMax: 1000 });
    const both = [run(), run()];
    await expect.poll(() => workers.length, { interval: 5 }).toBe(2);
    await settle(20);
    for (const worker of workers) worker.finish('done');
    await Promise.all(both);
    await expect.poll(() => pool.workerCount, { interval: 5 }).toBe(1);
    await expect.poll(() => pool.workerCount, { timeout: 5000 }).toBe(0);
    const later = run();
    await expect.poll(() => workers.length, POLL).toBe(3);
    await settle();
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
