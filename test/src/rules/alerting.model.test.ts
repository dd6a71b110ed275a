/** Alerts of one rule under any sequence of answers, against the states as the manual tells them. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MINUTE_MS } from '../../../model/index.ts';
import { groupOffsetMs, nextSlot, slotBefore } from '../../../src/rules/schedule.ts';
import { RuleWorld } from './support/rule-world.ts';

type State = 'inactive' | 'pending' | 'firing';
const HOSTS = ['a', 'b'] as const;
const RESEND_MS = 3 * MINUTE_MS;

/** One alert, told apart from all others: nothing but its state and two moments. */
class NaiveAlert {
  state: State = 'inactive';
  #activeMs = 0;
  #goneMs: number | null = null;
  readonly #holdMs: number;
  readonly #keepMs: number;

  constructor(holdMs: number, keepMs: number) {
    this.#holdMs = holdMs;
    this.#keepMs = keepMs;
  }

  evaluated(matches: boolean, nowMs: number): void {
    if (matches) {
      if (this.state === 'inactive') this.#activeMs = nowMs;
      this.#goneMs = null;
      const hasHeld = nowMs - this.#activeMs >= this.#holdMs;
      if (this.state !== 'firing') this.state = hasHeld ? 'firing' : 'pending';
      return;
    }
    if (this.state === 'firing' && this.#keepMs > 0) {
      this.#goneMs ??= nowMs;
      if (nowMs - this.#goneMs < this.#keepMs) return;
    }
    this.#goneMs = null;
    this.state = 'inactive';
  }
}

const answer = fc.oneof(
  { weight: 5, arbitrary: fc.subarray([...HOSTS]) },
  { weight: 1, arbitrary: fc.constant('fails' as const) },
);

test('for, keep_firing_for, failures and resending are those of the manual', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(3),
      fc.nat(3),
      fc.array(answer, { maxLength: 20 }),
      async (holdMinutes, keepMinutes, answers) => {
        const world = new RuleWorld();
        world.restart({ resendDelayMs: RESEND_MS });
        world.answers.set('up == 0', []);
        await world.apply(`groups:
- name: g
  rules:
  - {alert: Down, expr: up == 0, for: ${holdMinutes}m, keep_firing_for: ${keepMinutes}m}
`);
        // The first two evaluations are over before states are stored.
        await world.clock.advance(3 * MINUTE_MS);
        const naive = new Map(
          HOSTS.map((host) => [
            host,
            new NaiveAlert(holdMinutes * MINUTE_MS, keepMinutes * MINUTE_MS),
          ]),
        );
        let nowMs = 0;
        let failedCount = 0;
        for (const one of answers) {
          const rows = one === 'fails' ? [] : one.map((host) => ({ labels: { host }, value: 0 }));
          world.answers.set('up == 0', one === 'fails' ? new Error('no') : rows);
          await world.clock.advance(MINUTE_MS);
          nowMs += MINUTE_MS;
          const states: Record<string, State> = {};
          for (const { labels, state } of await world.manager.alerts()) {
            states[labels['host']!] = state as State;
          }
          const expected: Record<string, State> = {};
          for (const [host, alert] of naive) {
            if (one !== 'fails') alert.evaluated(one.includes(host), nowMs);
            if (alert.state !== 'inactive') expected[host] = alert.state;
          }
          expect(states).toEqual(expected);
          if (one !== 'fails') expect(storedStates(world)).toEqual(expected);
          failedCount = one === 'fails' ? failedCount + 1 : 0;
          checkSent(world, expected, failedCount);
        }
        checkTransitions(world);
        const stopped = world.manager.stop();
        await world.clock.advance(0);
        await stopped;
      },
    ),
    { numRuns: 60 },
  );
});

/** What the series ALERTS say: those that have not ended. */
function storedStates(world: RuleWorld): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [text, value] of Object.entries(world.newest('ALERTS'))) {
    const { host, alertstate } = JSON.parse(text) as Record<string, string>;
    if (value === 1) found[host!] = alertstate!;
  }
  return found;
}

/** Whoever listens knows what fires, hears of it in time, and never of what only waits. */
function checkSent(
  world: RuleWorld,
  states: Readonly<Record<string, State>>,
  failedCount: number,
): void {
  // An evaluation that fails tells nobody anything.
  const silentMs = RESEND_MS + (1 + failedCount) * MINUTE_MS;
  for (const host of HOSTS) {
    const about = world.sent.filter(({ alert }) => alert.labels.get('host') === host);
    expect(about.every(({ alert }) => alert.state !== 'pending')).toBe(true);
    const last = about.at(-1);
    const isFiring = states[host] === 'firing';
    if (last === undefined) expect(isFiring).toBe(false);
    else {
      expect(last.alert.state === 'firing').toBe(isFiring);
      if (isFiring) {
        expect(world.clock.nowMs() - last.atMs).toBeLessThanOrEqual(silentMs);
        // Told to be valid for four times as long as it takes to be told again.
        expect(last.alert.validUntilMs - last.atMs).toBeGreaterThanOrEqual(3 * RESEND_MS);
      }
    }
  }
}

/** Of each alert every change begins where the one before ended. */
function checkTransitions(world: RuleWorld): void {
  for (const host of HOSTS) {
    let state = 'inactive';
    for (const { labels, from, to } of world.transitions) {
      if (labels.get('host') !== host) continue;
      expect(from).toBe(state);
      expect(to).not.toBe(from);
      state = to;
    }
  }
}

test('every slot is evaluated or counted as missed, in order', () => {
  const interval = fc.integer({ min: 1, max: 5000 });
  const durations = fc.array(fc.nat(20_000), { maxLength: 30 });
  fc.assert(
    fc.property(
      interval,
      durations,
      fc.string(),
      fc.nat(1e9),
      (intervalMs, took, name, startMs) => {
        const offsetMs = groupOffsetMs('rules.yml', name, intervalMs);
        expect(offsetMs).toBeGreaterThanOrEqual(0);
        expect(offsetMs).toBeLessThan(intervalMs);
        const before = slotBefore(startMs, intervalMs, offsetMs);
        expect(before).toBeLessThanOrEqual(startMs);
        expect(before).toBeGreaterThan(startMs - intervalMs);
        let nowMs = startMs;
        let slotMs = before + intervalMs;
        let count = 0;
        for (const tookMs of took) {
          nowMs = Math.max(nowMs, slotMs) + tookMs;
          count++;
          const next = nextSlot(slotMs, nowMs, intervalMs);
          expect(next.slotMs).toBeGreaterThan(slotMs);
          expect((next.slotMs - slotMs) / intervalMs).toBe(next.missed + 1);
          // What has begun is made up for: the last of it, never more than an interval behind.
          if (nowMs >= slotMs + intervalMs) expect(next.slotMs).toBeLessThanOrEqual(nowMs);
          expect(next.slotMs).toBeGreaterThan(nowMs - intervalMs);
          count += next.missed;
          slotMs = next.slotMs;
          expect(slotMs).toBe(before + (count + 1) * intervalMs);
        }
      },
    ),
  );
});
