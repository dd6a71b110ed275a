import { expect, test } from 'vitest';
import { CanceledError } from '../../../model/index.ts';
import { NearWork, OverBudgetError } from '../../../src/threads/near-work.ts';
import { type Call, handOver } from '../../../src/threads/rpc.ts';
import { WorkHistory } from '../../../src/threads/work-history.ts';

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
  /** Of the processor. */
  workClock = clock,
) {
  let loadCount = 0;
  const history = new WorkHistory();
  const near = new NearWork<M>({
    lastMs: (key) => history.lastMs(key),
    measure: () => {
      const beganMs = workClock.nowMs;
      return () => workClock.nowMs - beganMs;
    },
    isOff: () => false,
    isAwaited: () => false,
    load: async () => {
      loadCount++;
      return { methods, practice: practice[Symbol.iterator]() };
    },
    monotonicMs: () => clock.nowMs,
  });
  const took = (key: string, workMs: number, repeat: () => void = IDLE) => {
    history.note(key, workMs);
    near.took(workMs, repeat);
  };
  return { near, took, loadCount: () => loadCount };
}

/** Makes `near` load its code, as a lot of short work does. */
async function loaded<M extends typeof METHODS>(
  methods: M,
  clock?: { nowMs: number },
  workClock?: { nowMs: number },
) {
  const { near, took } = nearWork(methods, clock, [], workClock);
  for (let i = 0; i < 20; i++) took('warm', 0.1);
  await expect.poll(() => near.isFor('warm'), { interval: 1 }).toBe(true);
  return { near, took };
}

test('nothing is done here before enough short work was seen, and the code is loaded once', async () => {
  const { near, took, loadCount } = nearWork(METHODS);
  for (let i = 0; i < 19; i++) took('q', 0.1);
  expect(loadCount()).toBe(0);
  expect(near.isFor('q')).toBe(false);
  for (let i = 0; i < 40; i++) took('q', 0.1);
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
  const { near, took } = nearWork(METHODS, clock, practice);
  for (let i = 0; i < 20; i++) took('q', 0.1);
  await expect.poll(() => madeUpCount, { interval: 1 }).toBeGreaterThan(3);
  expect(near.isFor('q')).toBe(false);
  took('q', 0.1, () => {
    repeatCount++;
    throw new RangeError('no longer');
  });
  await expect.poll(() => near.isFor('q'), { interval: 1, timeout: 5000 }).toBe(true);
  expect(clock.nowMs).toBeGreaterThanOrEqual(100);
  expect(clock.nowMs).toBeLessThan(110);
  expect(repeatCount).toBe(1);
});

test('only what was short the last time is for here', async () => {
  const { near, took } = await loaded(METHODS);
  expect(near.isFor('a')).toBe(false);
  took('a', 0.5);
  expect(near.isFor('a')).toBe(true);
  took('a', 40);
  expect(near.isFor('a')).toBe(false);
});

test('results and errors are those of the method, handed-over bytes as they are', async () => {
  const { near } = await loaded(METHODS);
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
  const { near } = await loaded({ ...METHODS, double: long }, clock);
  await expect(near.start('double', 1).result).rejects.toThrow(OverBudgetError);
  expect(clock.nowMs).toBeLessThan(5);
});

test('waiting for a processor is not held against work', async () => {
  const clock = { nowMs: 0 };
  const workClock = { nowMs: 0 };
  const interrupted = (value: number, call: Call): number => {
    clock.nowMs += 100;
    workClock.nowMs += 1;
    if (call.isCanceled()) throw new CanceledError('query canceled');
    return value;
  };
  const { near } = await loaded({ ...METHODS, double: interrupted }, clock, workClock);
  const begun = near.start('double', 7);
  expect(await begun.result).toBe(7);
  expect(begun.workMs()).toBe(1);
});
