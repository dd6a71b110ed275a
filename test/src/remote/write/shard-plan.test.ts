import { expect, test } from 'vitest';
import { ShardPlan, type Traffic } from '../../../../src/remote/write/shard-plan.ts';

/** 1000 samples per second that take `secondsPerSample` each. */
const traffic = (secondsPerSample: number, changes: Partial<Traffic> = {}): Traffic => ({
  elapsedSeconds: 10,
  samplesIn: 10_000,
  samplesOut: 10_000,
  sendSeconds: 10_000 * secondsPerSample,
  behindSeconds: 0,
  ...changes,
});

test('as many shards as are busy', () => {
  expect(new ShardPlan(1, 50).look(1, traffic(0.0001))).toEqual({ desired: 0.1, shards: 1 });
  expect(new ShardPlan(1, 50).look(1, traffic(0.004))).toEqual({ desired: 4, shards: 4 });
  expect(new ShardPlan(1, 50).look(8, traffic(0.0035)).shards).toBe(4);
});

test('within the bounds', () => {
  expect(new ShardPlan(2, 3).look(2, traffic(0.1)).shards).toBe(3);
  expect(new ShardPlan(2, 3).look(3, traffic(0.0001)).shards).toBe(2);
});

test('small differences change nothing', () => {
  expect(new ShardPlan(1, 50).look(4, traffic(0.005)).shards).toBe(4);
  expect(new ShardPlan(1, 50).look(4, traffic(0.003)).shards).toBe(4);
  expect(new ShardPlan(1, 50).look(4, traffic(0.0053)).shards).toBe(6);
});

test('a backlog asks for more', () => {
  const behind = new ShardPlan(1, 50).look(1, traffic(0.001, { behindSeconds: 60 }));
  expect(behind.desired).toBeCloseTo(4);
});

test('nothing changes while nothing gets through', () => {
  const plan = new ShardPlan(1, 50);
  plan.look(4, traffic(0.004));
  const failing = traffic(1, { samplesOut: 0, sendSeconds: 40, behindSeconds: 1000 });
  expect(plan.look(4, failing).shards).toBe(4);
});
