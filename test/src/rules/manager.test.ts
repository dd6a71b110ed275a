import { afterEach, describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../../model/index.ts';
import { WorkLimit } from '../../../src/rules/index.ts';
import { groupOffsetMs, nextSlot, slotBefore } from '../../../src/rules/schedule.ts';
import { RuleWorld } from './support/rule-world.ts';

let world = new RuleWorld();
afterEach(async () => {
  await world.manager.stop();
  world = new RuleWorld();
});

const ONE = [{ labels: { __name__: 'a', x: '1' }, value: 1 }];
const TWO = [...ONE, { labels: { __name__: 'a', x: '2' }, value: 2 }];
const RULES = `groups:
- name: g
  rules:
  - {record: r, expr: a, labels: {job: j}}
`;

test('a recording rule stores its result under another name and ends what is gone', async () => {
  world.answers.set('a', TWO);
  await world.apply(RULES);
  await world.clock.advance(MINUTE_MS);
  expect(world.newest('r')).toEqual({ '{"job":"j","x":"1"}': 1, '{"job":"j","x":"2"}': 2 });
  world.answers.set('a', ONE);
  await world.clock.advance(MINUTE_MS);
  expect(world.newest('r')).toEqual({ '{"job":"j","x":"1"}': 1, '{"job":"j","x":"2"}': null });
  const markers = world.written.filter(({ value }) => value === null);
  await world.clock.advance(MINUTE_MS);
  expect(markers).toHaveLength(1);
  expect(world.written.filter(({ value }) => value === null)).toHaveLength(1);
});

test('every sample of an evaluation has the time of its slot', async () => {
  world.answers.set('a', TWO);
  await world.apply(RULES);
  await world.clock.advance(10 * MINUTE_MS);
  const offsetMs = groupOffsetMs('rules.yml', 'g', MINUTE_MS);
  const times = [...new Set(world.written.map(({ timestampMs }) => timestampMs))];
  expect(times).toHaveLength(10);
  for (const time of times) expect(time % MINUTE_MS).toBe(offsetMs);
});

test('a group that is too slow misses slots, and says so', async () => {
  world.queryMs = 2.5 * MINUTE_MS;
  await world.apply(RULES);
  await world.clock.advance(11 * MINUTE_MS);
  expect(world.metric('prometheus_rule_group_iterations_missed_total')).toBeGreaterThanOrEqual(3);
  const times = world.asked.map(({ timeMs }) => timeMs);
  const steps = times.slice(1).map((time, i) => (time - times[i]!) / MINUTE_MS);
  expect(new Set(steps)).toEqual(new Set([2, 3]));
  expect(world.metric('prometheus_rule_group_iterations_total')).toBe(11);
});

describe('another configuration', () => {
  test('leaves groups alone that did not change', async () => {
    world.answers.set('a', ONE);
    await world.apply(RULES);
    await world.clock.advance(90_000);
    const [before] = await world.manager.groups();
    await world.apply(`${RULES}- {name: h, rules: [{record: q, expr: a}]}\n`);
    const [after] = await world.manager.groups();
    expect(after!.lastEvaluationMs).toBe(before!.lastEvaluationMs);
    await world.clock.advance(5 * MINUTE_MS);
    const times = world.written.filter(({ series }) => series.includes('"r"'));
    expect(new Set(times.map(({ timestampMs }) => timestampMs)).size).toBe(times.length);
  });

  test('ends the series of a rule that is gone', async () => {
    world.answers.set('a', ONE);
    await world.apply(RULES);
    await world.clock.advance(MINUTE_MS);
    await world.apply(RULES.replace('record: r', 'record: s'));
    await world.clock.advance(MINUTE_MS);
    expect(world.newest('r')).toEqual({ '{"job":"j","x":"1"}': null });
    expect(world.newest('s')).toEqual({ '{"job":"j","x":"1"}': 1 });
  });

  test('ends the series of a group that is gone, unless another group goes on with them', async () => {
    world.answers.set('a', TWO);
    await world.apply(RULES);
    await world.clock.advance(MINUTE_MS);
    await world.apply(RULES.replace('name: g', 'name: renamed'));
    await world.clock.advance(10 * MINUTE_MS);
    expect(Object.values(world.newest('r'))).toEqual([1, 2]);
    await world.apply('groups: []');
    await world.clock.advance(10 * MINUTE_MS);
    expect(Object.values(world.newest('r'))).toEqual([null, null]);
    expect(await world.manager.groups()).toEqual([]);
    const left = world.registry
      .snapshot()
      .flatMap(({ labelNames, samples }) => (labelNames.includes('rule_group') ? samples : []));
    expect(left).toEqual([]);
  });

  test('keeps the alerts of a rule whose text changed around it', async () => {
    const rule = (note: string) => `groups:
- name: g
  rules:
  - {alert: A, expr: a, for: 3m, annotations: {note: ${note}}}
`;
    world.answers.set('a', ONE);
    await world.apply(rule('one'));
    await world.clock.advance(3 * MINUTE_MS);
    const [before] = await world.manager.alerts();
    await world.apply(rule('two'));
    await world.clock.advance(2 * MINUTE_MS);
    const [after] = await world.manager.alerts();
    expect(after).toMatchObject({
      activeAtMs: before!.activeAtMs,
      state: 'firing',
      annotations: { note: 'two' },
    });
  });

  test('groups are listed by file and name', async () => {
    await world.apply('groups: [{name: b}, {name: a}, {name: C}]');
    expect((await world.manager.groups()).map(({ name }) => name)).toEqual(['C', 'a', 'b']);
  });
});

test('stopping writes nothing: after a restart series go on', async () => {
  world.answers.set('a', TWO);
  await world.apply(RULES);
  await world.clock.advance(MINUTE_MS);
  const { length } = world.written;
  await world.manager.stop();
  await world.clock.advance(10 * MINUTE_MS);
  expect(world.written).toHaveLength(length);
});

describe('with concurrency', () => {
  const text = `groups:
- name: g
  rules:
  - {record: one, expr: a}
  - {record: two, expr: b}
  - {record: three, expr: one + two}
  - {record: four, expr: c}
  - {record: five, expr: '{x="1"}'}
  - {record: six, expr: d}
  - {alert: A, expr: e}
  - {record: seven, expr: count(ALERTS)}
`;
  /** Names by when their queries began. */
  function rounds(): string[] {
    const byTime = new Map<number, string[]>();
    for (const { query, atMs } of world.asked) {
      byTime.set(atMs, [...(byTime.get(atMs) ?? []), query]);
    }
    return [...byTime.values()].map((queries) => queries.join());
  }

  test('rules wait for what they read, and for nothing else', async () => {
    world.queryMs = 1000;
    world.restart({ concurrency: new WorkLimit(4) });
    await world.apply(text);
    await world.clock.advance(90_000);
    expect(rounds().slice(0, 6)).toEqual(['a,b', 'one + two,c', '{x="1"}', 'd,e', 'count(ALERTS)']);
  });

  test('no more are under way than may be', async () => {
    world.queryMs = 1000;
    world.restart({ concurrency: new WorkLimit(2) });
    const rules = ['a', 'b', 'c', 'd', 'e'].map((name) => `{record: r${name}, expr: ${name}}`);
    await world.apply(`groups: [{name: g, rules: [${rules.join()}]}]`);
    await world.clock.advance(90_000);
    expect(rounds().slice(0, 3)).toEqual(['a,b', 'c,d', 'e']);
  });

  test('without it they come one after the other', async () => {
    world.queryMs = 1000;
    await world.apply(text);
    await world.clock.advance(90_000);
    expect(rounds().slice(0, 3)).toEqual(['a', 'b', 'one + two']);
  });
});

test('slots', () => {
  expect(slotBefore(1_000_007, 100, 5)).toBe(1_000_005);
  expect(slotBefore(1_000_005, 100, 5)).toBe(1_000_005);
  expect(slotBefore(1_000_004, 100, 5)).toBe(999_905);
  expect(nextSlot(1000, 1010, 100)).toEqual({ slotMs: 1100, missed: 0 });
  expect(nextSlot(1000, 1150, 100)).toEqual({ slotMs: 1100, missed: 0 });
  expect(nextSlot(1000, 1250, 100)).toEqual({ slotMs: 1200, missed: 1 });
});
