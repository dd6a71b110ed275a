import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { CanceledError, ConfigError, LimitError } from '../../../model/index.ts';
import { type Call, handOver, RpcClient, serve } from '../../../src/threads/rpc.ts';
import type { SpinMethods } from './spin-worker.ts';

const METHODS = {
  double: (value: number) => value * 2,
  later: async (value: string) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return value;
  },
  refuse: (kind: 'limit' | 'config' | 'foreign' | 'text') => {
    if (kind === 'limit') throw new LimitError('too many', 'query.max-samples');
    if (kind === 'config') throw new ConfigError('wrong', 'a.yml', 3, 4);
    // oxlint-disable-next-line no-throw-literal
    if (kind === 'text') throw 'just text';
    const error = new Error('of another room', { cause: new RangeError('inner') });
    throw Object.assign(error, {
      name: 'StrangeError',
      code: 'STRANGE',
      keep: { a: [1] },
      drop: () => 1,
    });
  },
  bytes: (count: number) => handOver(new Uint8Array(count).fill(7)),
  never: () => new Promise(() => {}),
  count: (to: number, call: Call) =>
    new Promise(() => {
      for (let done = 1; done <= to; done++) call.report(done * 10, done, done * 160);
    }),
};

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

function connect(): RpcClient<typeof METHODS> {
  const { port1, port2 } = new MessageChannel();
  open.push(() => port1.close());
  serve(port1, METHODS);
  return new RpcClient<typeof METHODS>(port2);
}

describe('a call between threads', () => {
  test('gives back what the method returns, also when calls overlap', async () => {
    const client = connect();
    const results = await Promise.all([
      client.call('later', 'a'),
      client.call('double', 21),
      client.call('later', 'b'),
    ]);
    expect(results).toEqual(['a', 42, 'b']);
  });

  test('shows how far it has come, which the next call forgets', async () => {
    const client = connect();
    expect(client.progress).toEqual({ sampleCount: 0, seriesCount: 0, heldSizeBytes: 0 });
    client.start('count', 3);
    await client.call('double', 1).then(() => client.start('count', 5));
    await expect
      .poll(() => client.progress)
      .toEqual({ sampleCount: 50, seriesCount: 5, heldSizeBytes: 800 });
    await client.call('double', 1);
    expect(client.progress.sampleCount).toBe(0);
  });

  test('keeps class and fields of an error', async () => {
    const client = connect();
    const limit: unknown = await client.call('refuse', 'limit').catch((error: unknown) => error);
    expect(limit).toBeInstanceOf(LimitError);
    expect(limit).toMatchObject({ message: 'too many', limit: 'query.max-samples', code: 'LIMIT' });
    const config: unknown = await client.call('refuse', 'config').catch((error: unknown) => error);
    expect(config).toBeInstanceOf(ConfigError);
    expect(config).toMatchObject({ message: 'a.yml:3:4: wrong', line: 3, column: 4 });
  });

  test('keeps name, code and plain fields of an error of an unknown class', async () => {
    const error = (await connect()
      .call('refuse', 'foreign')
      .catch((thrown: unknown) => thrown)) as Error;
    expect(error).toMatchObject({ name: 'StrangeError', code: 'STRANGE', keep: { a: [1] } });
    expect(error).not.toHaveProperty('drop');
    expect(error.cause).toBeInstanceOf(RangeError);
    await expect(connect().call('refuse', 'text')).rejects.toThrow('just text');
  });

  test('hands memory over', async () => {
    const bytes = await connect().call('bytes', 3);
    expect([...bytes]).toEqual([7, 7, 7]);
  });

  test('rejects for a method that does not exist', async () => {
    const client = connect() as unknown as RpcClient<{ toString: () => void }>;
    await expect(client.call('toString', undefined as never)).rejects.toThrow('unknown method');
  });

  test('rejects at once when it is canceled, and when it was before', async () => {
    const client = connect();
    const controller = new AbortController();
    const waiting = client.call('never', undefined, { signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toBeInstanceOf(CanceledError);
    const late = client.call('double', 1, { signal: controller.signal });
    await expect(late).rejects.toBeInstanceOf(CanceledError);
  });

  test('rejects when the other end is gone', async () => {
    const client = connect();
    const waiting = client.call('never', undefined);
    client.fail(new Error('the thread ended'));
    await expect(waiting).rejects.toThrow('the thread ended');
    await expect(client.call('double', 1)).rejects.toThrow('the thread ended');
  });

  test('stops synchronous work in another thread within 50 ms', async () => {
    const worker = new Worker(new URL('spin-worker.ts', import.meta.url));
    open.push(() => void worker.terminate());
    const client = new RpcClient<SpinMethods>(worker);
    expect(await client.call('ping', undefined as never)).toBe('pong');
    const controller = new AbortController();
    const spinning = client.call('spin', 10_000, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(spinning).rejects.toBeInstanceOf(CanceledError);
    // The thread answers again only once the loop has seen the flag.
    const startMs = performance.now();
    expect(await client.call('ping', undefined as never)).toBe('pong');
    expect(performance.now() - startMs).toBeLessThan(50);
  });
});
