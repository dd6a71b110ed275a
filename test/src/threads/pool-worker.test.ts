import { afterEach, describe, expect, test } from 'vitest';
import { type LogRecord, CanceledError, createLogger } from '../../../model/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { type PoolWorker, QueryPool } from '../../../src/threads/query-pool.ts';
import { spawnPoolWorker } from '../../../src/threads/query-workers.ts';
import type { RpcClient } from '../../../src/threads/rpc.ts';
import type { SpinMethods } from './spin-worker.ts';

const ENTRY = new URL('spin-worker.ts', import.meta.url);
const NEVER = new AbortController().signal;
const QUERY = { isQuery: true, signal: NEVER, timeoutMs: Infinity };

let pool: QueryPool<RpcClient<SpinMethods>>;
/** The one that was started last. */
let worker: PoolWorker<RpcClient<SpinMethods>>;
let records: LogRecord[] = [];

async function startPool(heapSizeMb = 64): Promise<void> {
  records = [];
  pool = new QueryPool<RpcClient<SpinMethods>>({
    spawn: () => {
      const options = { name: 'test', workerData: null, heapSizeMb };
      worker = spawnPoolWorker<SpinMethods>(ENTRY, options, async () => {});
      return worker;
    },
    workerCountMax: 1,
    coreCount: 1,
    queryCountMax: 10,
    clock: REAL_CLOCK,
    logger: createLogger((record) => records.push(record), { level: 'info', nowMs: () => 0 }),
  });
  await pool.start();
}
afterEach(() => pool.close());

const ping = () => pool.run(QUERY, (client) => client.start('ping', undefined));

describe('a worker thread', () => {
  test('tells how much it has done for the call under way, and for one that is done', async () => {
    await startPool();
    expect(await worker.workMs()).toBe(0);
    const spinning = worker.client.start('spin', 2000);
    await expect.poll(() => worker.workMs(), { interval: 5, timeout: 10_000 }).toBeGreaterThan(20);
    expect(spinning.workMs()).toBeNull();
    await spinning.result;
    expect(spinning.workMs()).toBeGreaterThan(20);
    expect(spinning.workMs()).toBeLessThan(2100);
    const pinging = worker.client.start('ping', undefined);
    await pinging.result;
    expect(pinging.workMs()).toBeLessThan(20);
  });

  test('that ends costs its own query an error, and is replaced', async () => {
    await startPool();
    const crashing = pool.run(QUERY, (client) => client.start('crash', undefined));
    const waiting = ping();
    await expect(crashing).rejects.toThrow('ended with code 3');
    expect(await waiting).toBe('pong');
    expect(records.map(({ level }) => level)).toEqual(['error']);
  });

  test('that runs out of memory does not take the process with it', async () => {
    await startPool(24);
    const hoarding = pool.run(QUERY, (client) => client.start('hoard', undefined));
    await expect(hoarding).rejects.toThrow(/memory limit/);
    expect(await ping()).toBe('pong');
  });

  test('is free for the next query within 50 ms of an abort', async () => {
    await startPool();
    let bestMs = Infinity;
    // The best of a few, because other programs may be using the processor.
    for (let attempt = 0; attempt < 5; attempt++) {
      const controller = new AbortController();
      const spinning = pool.run({ ...QUERY, signal: controller.signal }, (client) =>
        client.start('spin', 10_000),
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
      const abortedMs = performance.now();
      controller.abort();
      await expect(spinning).rejects.toBeInstanceOf(CanceledError);
      expect(await ping()).toBe('pong');
      bestMs = Math.min(bestMs, performance.now() - abortedMs);
    }
    expect(bestMs).toBeLessThan(50);
  });
});
