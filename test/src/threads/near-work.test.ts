import { expect, test } from 'vitest';
import { CanceledError } from '../../../model/index.ts';
import { NearWork, OverBudgetError } from '../../../src/threads/near-work.ts';
import { type Call, handOver } from '../../../src/threads/rpc.ts';

const METHODS = {
  double: (value: number, _call: Call) => value * 2,
  bytes: () => handOver(Uint8Array.of(1, 2)),
  fail: (): number => {
    throw new RangeError('no');
  },
};

const IDLE = () => {};

function nearWork<M extends typeof METHODS>(
  methods: M,
  clock = { nowMs: 0 },
  practice: Iterable<unknown> = [],
) {
  let loadCount = 0;
  const near = new NearWork<M>({
    isOff: () => false,
    load: async () => {
      loadCount++;
      return { methods, practice: practice[Symbol.iterator]() };
    },
    monotonicMs: () => clock.nowMs,
  });
  return { near, loadCount: () => loadCount };
}

/** Makes `near` load its code, as a lot of short work does. */
async function loaded<M extends typeof METHODS>(methods: M, clock?: { nowMs: number }) {
  const { near } = nearWork(methods, clock);
  for (let i = 0; i < 20; i++) near.took('warm', 0.1, IDLE);
  await expect.poll(() => near.isFor('warm'), { interval: 1 }).toBe(true);
  return near;
}

test('nothing is done here before enough short work was seen, and the code is loaded once', async () => {
  const { near, loadCount } = nearWork(METHODS);
  for (let i = 0; i < 19; i++) near.took('q', 0.1, IDLE);
  expect(loadCount()).toBe(0);
  expect(near.isFor('q')).toBe(false);
  for (let i = 0; i < 40; i++) near.took('q', 0.1, IDLE);
  await Promise.resolve();
  expect(loadCount()).toBe(1);
  await expect.poll(() => near.isFor('q'), { interval: 1 }).toBe(true);
});

test('the code is practised before it is used, on what is asked meanwhile, too', async () => {
  const clock = { nowMs: 0 };
  let madeUpCount = 0;
  let repeatCount = 0;
  const practice = (function* () {
    for (;;) yield ((clock.nowMs += 1), madeUpCount++);
  })();
  const { near } = nearWork(METHODS, clock, practice);
  for (let i = 0; i < 20; i++) near.took('q', 0.1, IDLE);
  await expect.poll(() => madeUpCount, { interval: 1 }).toBeGreaterThan(3);
  expect(near.isFor('q')).toBe(false);
  near.took('q', 0.1, () => {
    repeatCount++;
    throw new RangeError('no longer');
  });
  await expect.poll(() => near.isFor('q'), { interval: 1, timeout: 5000 }).toBe(true);
  expect(clock.nowMs).toBeGreaterThanOrEqual(100);
  expect(clock.nowMs).toBeLessThan(110);
  expect(repeatCount).toBe(1);
});

test('only what was short the last time is for here', async () => {
  const near = await loaded(METHODS);
  expect(near.isFor('a')).toBe(false);
  near.took('a', 0.5, IDLE);
  expect(near.isFor('a')).toBe(true);
  near.took('a', 40, IDLE);
  expect(near.isFor('a')).toBe(false);
});

test('results and errors are those of the method, handed-over bytes as they are', async () => {
  const near = await loaded(METHODS);
  expect(await near.start('double', 21).result).toBe(42);
  expect(await near.start('bytes', undefined as never).result).toEqual(Uint8Array.of(1, 2));
  await expect(near.start('fail', undefined as never).result).rejects.toThrow(RangeError);
});

test('work that exceeds the budget is dropped', async () => {
  const clock = { nowMs: 0 };
  const long = (_: number, call: Call): number => {
    for (;;) {
      clock.nowMs += 0.5;
      if (call.isCanceled()) throw new CanceledError('query canceled');
    }
  };
  const near = await loaded({ ...METHODS, double: long }, clock);
  await expect(near.start('double', 1).result).rejects.toThrow(OverBudgetError);
  expect(clock.nowMs).toBeLessThan(5);
});

test('a thousand pieces are remembered, those used last', async () => {
  const near = await loaded(METHODS);
  near.took('kept', 0.1, IDLE);
  for (let i = 0; i < 999; i++) {
    near.took(`key ${i}`, 0.1, IDLE);
    if (i === 500) near.took('kept', 0.1, IDLE);
  }
  for (let i = 0; i < 300; i++) near.took(`more ${i}`, 0.1, IDLE);
  expect(near.isFor('kept')).toBe(true);
  expect(near.isFor('key 0')).toBe(false);
});
