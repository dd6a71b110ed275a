import { afterEach, describe, expect, test } from 'vitest';
import { CanceledError, createLogger, type LogRecord } from '../../../model/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { PieceQueue, PieceSender } from '../../../src/threads/answer-pieces.ts';
import { QueryPool } from '../../../src/threads/query-pool.ts';
import { spawnPoolWorker } from '../../../src/threads/query-workers.ts';
import type { RpcClient } from '../../../src/threads/rpc.ts';
import type { SpinMethods } from './spin-worker.ts';

const ENTRY = new URL('spin-worker.ts', import.meta.url);
const NEVER = new AbortController().signal;
/** What a worker sends before it waits for somebody to take it. */
const AHEAD_COUNT = 8;
/** How long it would wait if nobody else needed it. */
const PATIENCE_MS = 10_000;
const POLL = { interval: 5, timeout: 10_000 };

let pool: QueryPool<RpcClient<SpinMethods>> | null = null;
let records: LogRecord[] = [];
afterEach(async () => {
  await pool?.close();
  pool = null;
});

async function startPool(): Promise<QueryPool<RpcClient<SpinMethods>>> {
  records = [];
  pool = new QueryPool<RpcClient<SpinMethods>>({
    spawn: () => {
      const options = { name: 'test', workerData: null, heapSizeMb: 64 };
      return spawnPoolWorker<SpinMethods>(ENTRY, options, async () => {});
    },
    workerCountMax: 1,
    coreCount: 1,
    queryCountMax: 10,
    clock: REAL_CLOCK,
    logger: createLogger((record) => records.push(record), { level: 'info', nowMs: () => 0 }),
  });
  await pool.start();
  return pool;
}

/** Begins to stream; the queue is there once the first piece has come. */
function stream(count: number, { dieAt = -1, signal = NEVER } = {}) {
  const { promise: opened, resolve } = Promise.withResolvers<PieceQueue>();
  const seen = { pushCount: 0 };
  const result = pool!.run({ isQuery: true, signal, timeoutMs: Infinity }, (client) =>
    client.start('stream', { count, dieAt }, [], (taken) => {
      const queue = new PieceQueue(taken);
      const push = queue.push.bind(queue);
      queue.push = (piece) => {
        seen.pushCount++;
        push(piece);
      };
      resolve(queue);
      return queue;
    }),
  );
  result.catch(() => {});
  return { result, opened, seen };
}

async function bytesOf(queue: PieceQueue): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of queue) bytes.push(...piece);
  return bytes;
}

const ping = () =>
  pool!.run({ isQuery: true, signal: NEVER, timeoutMs: Infinity }, (client) =>
    client.start('ping', undefined),
  );

describe('pieces of an answer', () => {
  test('come in their order, before the result, however many there are', async () => {
    await startPool();
    const { result, opened } = stream(50);
    const queue = await opened;
    void result.then(() => queue.complete(Uint8Array.of(99)));
    const expected = Array.from({ length: 50 }, (_, i) => i);
    expect(await bytesOf(queue)).toEqual([...expected, 99]);
  });

  test('are not sent to who wants the whole', async () => {
    const { run } = await startPool().then((started) => ({ run: started.run.bind(started) }));
    const options = { isQuery: true, signal: NEVER, timeoutMs: Infinity };
    expect(await run(options, (client) => client.start('stream', { count: 50 }))).toBe(0);
  });

  test('that nobody takes hold the worker up, until somebody else needs it', async () => {
    await startPool();
    const { result, opened, seen } = stream(50);
    await opened;
    await expect.poll(() => seen.pushCount, POLL).toBe(AHEAD_COUNT);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.pushCount).toBe(AHEAD_COUNT);
    expect(await ping()).toBe('pong');
    expect(seen.pushCount).toBe(50);
    const pausedMs = await result;
    expect(pausedMs).toBeGreaterThan(30);
    expect(pausedMs).toBeLessThan(PATIENCE_MS);
  });

  test('make room for as many others as were taken', async () => {
    await startPool();
    const { opened, seen } = stream(50);
    const pieces = (await opened)[Symbol.asyncIterator]();
    for (let i = 0; i < 6; i++) await pieces.next();
    // The sixth is still in use.
    await expect.poll(() => seen.pushCount, POLL).toBe(AHEAD_COUNT + 5);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen.pushCount).toBe(AHEAD_COUNT + 5);
    await pieces.return(undefined);
    await expect.poll(() => seen.pushCount, POLL).toBe(50);
  });

  test('stop when the work is canceled, also while the worker waits', async () => {
    await startPool();
    const controller = new AbortController();
    const { result, opened, seen } = stream(50, { signal: controller.signal });
    await opened;
    await expect.poll(() => seen.pushCount, POLL).toBe(AHEAD_COUNT);
    controller.abort();
    await expect(result).rejects.toThrow(CanceledError);
    await expect.poll(() => pool!.queryCount, POLL).toBe(0);
    expect(seen.pushCount).toBe(AHEAD_COUNT);
    // By the same worker: it did not have to be ended.
    expect(await ping()).toBe('pong');
    expect(records).toEqual([]);
  });

  test('end with an error when the worker dies', async () => {
    await startPool();
    const { result, opened } = stream(50, { dieAt: 3 });
    const queue = await opened;
    result.catch((error: unknown) => queue.fail(error));
    await expect(bytesOf(queue)).rejects.toThrow('ended with code 3');
    expect(await ping()).toBe('pong');
  });
});

test('a writer waits for a slow taker only so long in all', () => {
  let sentCount = 0;
  const sender = new PieceSender(
    () => sentCount++,
    () => false,
    40,
  );
  let waitedMs = 0;
  for (let i = 0; i < 100; i++) waitedMs += sender.send(new Uint8Array(1));
  expect(sentCount).toBe(100);
  expect(waitedMs).toBeGreaterThanOrEqual(39);
});

test('a failure passes what was not taken yet', async () => {
  const queue = new PieceQueue(new SharedArrayBuffer(4));
  queue.push(Uint8Array.of(1));
  queue.push(Uint8Array.of(2));
  const pieces = queue[Symbol.asyncIterator]();
  expect((await pieces.next()).value).toEqual(Uint8Array.of(1));
  queue.fail(new Error('broken'));
  queue.complete(Uint8Array.of(3));
  await expect(pieces.next()).rejects.toThrow('broken');
});
