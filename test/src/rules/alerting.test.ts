import { afterEach, expect, test } from 'vitest';
import { MINUTE_MS } from '../../../model/index.ts';
import { RuleWorld } from './support/rule-world.ts';

let world = new RuleWorld();
afterEach(async () => {
  await world.manager.stop();
  world = new RuleWorld();
});

const RULES = `groups:
- name: g
  rules:
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, where: "{{ $externalLabels.region }}"}
    annotations: {summary: "{{ $labels.instance }} is {{ $value }}"}
`;
const DOWN = [{ labels: { __name__: 'up', instance: 'a' }, value: 0 }];

/** Past the first two evaluations, from which on series are stored. */
async function settle(): Promise<void> {
  await world.clock.advance(3 * MINUTE_MS);
}

async function stateOf(): Promise<string> {
  const [group] = await world.manager.groups();
  const [rule] = group!.rules;
  return rule!.type === 'alerting' ? rule!.state : 'none';
}

test('an alert waits, fires, ends, and is told so', async () => {
  await world.apply(RULES);
  expect(await stateOf()).toBe('unknown');
  await settle();
  expect(await stateOf()).toBe('inactive');

  world.answers.set('up == 0', DOWN);
  await world.clock.advance(MINUTE_MS);
  expect(await stateOf()).toBe('pending');
  const [alert] = await world.manager.alerts();
  expect(alert).toMatchObject({
    labels: { alertname: 'Down', instance: 'a', severity: 'page', where: 'eu' },
    annotations: { summary: 'a is 0' },
    state: 'pending',
    value: 0,
  });
  expect(world.sent).toEqual([]);
  expect(Object.values(world.newest('ALERTS_FOR_STATE'))).toEqual([
    Math.floor(alert!.activeAtMs! / 1000),
  ]);

  await world.clock.advance(2 * MINUTE_MS);
  expect(await stateOf()).toBe('firing');
  const [pending, firing] = Object.entries(world.newest('ALERTS')).sort(([, a]) => (a ? 1 : -1));
  expect(pending).toEqual([expect.stringContaining('"alertstate":"pending"'), null]);
  expect(firing).toEqual([expect.stringContaining('"alertstate":"firing"'), 1]);
  expect(world.sent).toHaveLength(1);
  const { validUntilMs, firedAtMs } = world.sent[0]!.alert;
  expect(validUntilMs - firedAtMs!).toBe(4 * MINUTE_MS);

  world.answers.set('up == 0', []);
  await world.clock.advance(MINUTE_MS);
  expect(await stateOf()).toBe('inactive');
  expect(Object.values(world.newest('ALERTS'))).toEqual([null, null]);
  expect(Object.values(world.newest('ALERTS_FOR_STATE'))).toEqual([null]);
  expect(world.sent.at(-1)!.alert).toMatchObject({
    state: 'inactive',
    resolvedAtMs: expect.any(Number),
  });
  expect(world.transitions.map(({ from, to }) => `${from} ${to}`)).toEqual([
    'inactive pending',
    'pending firing',
    'firing inactive',
  ]);
  // The end is told again for a quarter of an hour, then never more.
  await world.clock.advance(40 * MINUTE_MS);
  const ends = world.sent.filter(({ alert: { state } }) => state === 'inactive');
  expect(ends.length).toBeGreaterThanOrEqual(7);
  expect(ends.length).toBeLessThanOrEqual(16);
});

test('what ends while it waits is told to nobody', async () => {
  await world.apply(RULES);
  await settle();
  world.answers.set('up == 0', DOWN);
  await world.clock.advance(MINUTE_MS);
  world.answers.set('up == 0', []);
  await world.clock.advance(5 * MINUTE_MS);
  expect(world.sent).toEqual([]);
  expect(await world.manager.alerts()).toEqual([]);
  expect(Object.values(world.newest('ALERTS'))).toEqual([null]);
});

test('a firing alert is sent again after the resend delay, not at every evaluation', async () => {
  world.restart({ resendDelayMs: 3 * MINUTE_MS });
  world.answers.set('up == 0', DOWN);
  await world.apply(RULES.replace('    for: 2m\n', ''));
  await world.clock.advance(21 * MINUTE_MS);
  const gaps = world.sent.slice(1).map(({ atMs }, i) => (atMs - world.sent[i]!.atMs) / MINUTE_MS);
  // It is due when more than the delay has passed.
  expect(new Set(gaps)).toEqual(new Set([4]));
});

test('keep_firing_for holds an alert, and a new match begins it anew', async () => {
  const text = RULES.replace('for: 2m', 'keep_firing_for: 3m');
  world.answers.set('up == 0', DOWN);
  await world.apply(text);
  await settle();
  world.answers.set('up == 0', []);
  await world.clock.advance(2 * MINUTE_MS);
  expect(await stateOf()).toBe('firing');
  expect((await world.manager.alerts())[0]!.keepFiringSinceMs).toEqual(expect.any(Number));
  world.answers.set('up == 0', DOWN);
  await world.clock.advance(MINUTE_MS);
  expect((await world.manager.alerts())[0]!.keepFiringSinceMs).toBeNull();
  world.answers.set('up == 0', []);
  await world.clock.advance(3 * MINUTE_MS);
  expect(await stateOf()).toBe('firing');
  await world.clock.advance(MINUTE_MS);
  expect(await stateOf()).toBe('inactive');
});

test('a failed evaluation changes nothing but the health', async () => {
  await world.apply(RULES.replace('    for: 2m\n', ''));
  world.answers.set('up == 0', DOWN);
  await settle();
  world.answers.set('up == 0', new Error('no such thing'));
  world.written = [];
  await world.clock.advance(MINUTE_MS);
  const [group] = await world.manager.groups();
  expect(group!.rules[0]).toMatchObject({
    health: 'err',
    lastError: 'no such thing',
    state: 'firing',
  });
  expect(world.written).toEqual([]);
  expect(world.metric('prometheus_rule_evaluation_failures_total')).toBe(1);
});

test('more alerts than the limit are none', async () => {
  world.answers.set('up == 0', [...DOWN, { labels: { instance: 'b' }, value: 0 }]);
  await world.apply(RULES.replace('- name: g', '- name: g\n  limit: 1'));
  await settle();
  const [group] = await world.manager.groups();
  expect(group!.rules[0]).toMatchObject({ lastError: 'exceeded limit of 1 with 2 alerts' });
  expect(await world.manager.alerts()).toEqual([]);
});

test('two results that become one alert are an error', async () => {
  const twice = [
    { labels: { __name__: 'x', instance: 'a' }, value: 0 },
    { labels: { __name__: 'y', instance: 'a' }, value: 0 },
  ];
  world.answers.set('up == 0', twice);
  await world.apply(RULES);
  await settle();
  const [group] = await world.manager.groups();
  expect(group!.rules[0]!.lastError).toBe(
    'vector contains metrics with the same labelset after applying alert labels',
  );
});

test('a template that fails leaves the reason in its place', async () => {
  world.answers.set('up == 0', DOWN);
  await world.apply(RULES.replace('{{ $value }}', '{{ toUpper $value }}'));
  await settle();
  const [alert] = await world.manager.alerts();
  expect(alert!.annotations['summary']).toMatch(
    /^<error expanding template: .*wrong type for value/,
  );
  expect(world.metric('prometheus_template_text_expansion_failures_total')).toBeGreaterThan(0);
});

test('the query offset moves queries and series, not the beginning of an alert', async () => {
  world.answers.set('up == 0', DOWN);
  await world.apply(RULES, { intervalMs: MINUTE_MS, queryOffsetMs: 15_000 });
  await settle();
  const [alert] = await world.manager.alerts();
  const first = world.asked[0]!.timeMs;
  expect(alert!.activeAtMs! - first).toBe(15_000);
  const times = new Set(world.asked.map(({ timeMs }) => timeMs));
  for (const { timestampMs } of world.written) expect(times).toContain(timestampMs);
});

// --- Restart ---

const LONG = RULES.replace('for: 2m', 'for: 30m');

/** Lets an alert wait for `beforeMs`, stops for `outageMs`, and runs two evaluations. */
async function restarted(beforeMs: number, outageMs: number): Promise<void> {
  await world.apply(LONG);
  await settle();
  world.answers.set('up == 0', DOWN);
  await world.clock.advance(beforeMs);
  await world.manager.stop();
  await world.clock.advance(outageMs);
  world.restart();
  world.sent = [];
  await world.apply(LONG);
  await world.clock.advance(2 * MINUTE_MS);
}

/** Minutes from now until the alert fires. */
async function minutesToFire(): Promise<number> {
  for (let minutes = 0; minutes < 100; minutes++) {
    if ((await stateOf()) === 'firing') return minutes;
    await world.clock.advance(MINUTE_MS);
  }
  return Infinity;
}

test('an outage does not count as waiting, and what was waited before does', async () => {
  await restarted(10 * MINUTE_MS, 20 * MINUTE_MS);
  // 30 minutes in all, about 10 before and 2 after.
  const minutes = await minutesToFire();
  expect(minutes).toBeGreaterThanOrEqual(18);
  expect(minutes).toBeLessThanOrEqual(21);
});

test('what fired before fires at once again, without waiting', async () => {
  await restarted(45 * MINUTE_MS, 5 * MINUTE_MS);
  expect(await minutesToFire()).toBeLessThanOrEqual(1);
  expect(world.sent).toHaveLength(1);
});

test('what was about to fire waits for the grace period', async () => {
  await restarted(28 * MINUTE_MS, 5 * MINUTE_MS);
  const minutes = await minutesToFire();
  expect(minutes).toBeGreaterThanOrEqual(9);
  expect(minutes).toBeLessThanOrEqual(11);
});

test('an outage beyond the tolerance begins everything anew', async () => {
  await restarted(25 * MINUTE_MS, 90 * MINUTE_MS);
  const minutes = await minutesToFire();
  expect(minutes).toBeGreaterThanOrEqual(28);
});

test('an alert that ended during the outage resolves by itself and is not told', async () => {
  await world.apply(LONG);
  await settle();
  world.answers.set('up == 0', DOWN);
  await world.clock.advance(45 * MINUTE_MS);
  await world.manager.stop();
  world.answers.set('up == 0', []);
  world.restart();
  world.sent = [];
  await world.apply(LONG);
  await world.clock.advance(10 * MINUTE_MS);
  expect(world.sent).toEqual([]);
});

test('nothing is stored before what was is known', async () => {
  world.answers.set('up == 0', DOWN);
  await world.apply(RULES);
  await world.clock.advance(MINUTE_MS);
  expect(await stateOf()).toBe('pending');
  expect(world.written).toEqual([]);
});
