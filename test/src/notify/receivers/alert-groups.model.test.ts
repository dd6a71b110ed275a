/**
 * Whatever alerts do, and whenever the server restarts, a receiver that listens to the messages
 * believes what is true in the end, and never hears the same twice within the repeat interval.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels, MINUTE_MS } from '../../../../model/index.ts';
import type { OutgoingAlert } from '../../../../src/notify/index.ts';
import {
  AlertGroups,
  type GroupStore,
  type StoredGroup,
} from '../../../../src/notify/receivers/alert-groups.ts';
import type { Message } from '../../../../src/notify/receivers/message.ts';
import type { ReceiverConfig } from '../../../../src/notify/receivers/receiver-config.ts';

const CONFIG: ReceiverConfig = {
  name: 'team',
  matchers: [],
  groupBy: ['job'],
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * MINUTE_MS,
  repeatIntervalMs: 60 * MINUTE_MS,
  integrations: [],
};
const RESEND_MS = MINUTE_MS;
const VALID_MS = 4 * MINUTE_MS;
const GRACE_MS = 15 * MINUTE_MS;
const NAMES = ['a', 'b', 'c'] as const;
type Name = (typeof NAMES)[number];

class MemoryStore implements GroupStore {
  readonly groups = new Map<string, string>();
  load = () => [...this.groups.values()].map((text) => JSON.parse(text) as StoredGroup);
  save = (_: string, group: StoredGroup) => void this.groups.set(group.key, JSON.stringify(group));
  remove = (_: string, key: string) => void this.groups.delete(key);
}

function outgoing(name: Name, nowMs: number, isResolved: boolean): OutgoingAlert {
  // Two of three share a group.
  const labels = Labels.fromObject({ alertname: name, job: name === 'c' ? 'y' : 'x' });
  return {
    labels,
    annotations: Labels.EMPTY,
    startsAtMs: 0,
    endsAtMs: isResolved ? nowMs : nowMs + VALID_MS,
    generatorUrl: '',
    isResolved,
    ruleLabels: labels,
  };
}

class World {
  nowMs = 1_800_000_000_000;
  readonly store = new MemoryStore();
  groups = this.#start();
  /** What rules say fires; null while the server is down. */
  readonly firing = new Set<Name>();
  readonly believed = new Set<string>();
  /** Since it was last spoken of. */
  readonly changed = new Set<string>();
  readonly heard: { atMs: number; text: string; firing: string[] }[] = [];
  #sentMs = this.nowMs;

  #start(): AlertGroups {
    const options = { config: CONFIG, store: this.store, externalUrl: '', graceMs: GRACE_MS };
    return new AlertGroups(options, this.nowMs);
  }

  pass(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    while (this.nowMs < endMs) {
      const nextMs = Math.min(
        endMs,
        this.#sentMs + RESEND_MS,
        Math.max(this.nowMs, this.groups.dueMs),
      );
      this.nowMs = nextMs;
      if (this.nowMs >= this.#sentMs + RESEND_MS) this.#resend();
      this.#hear(this.groups.flush(this.nowMs));
    }
  }

  change(name: Name): void {
    this.changed.add(name);
    const isResolved = this.firing.delete(name);
    if (!isResolved) this.firing.add(name);
    this.groups.add([outgoing(name, this.nowMs, isResolved)], this.nowMs);
  }

  /** Rules forget what ends meanwhile: nobody says that it is over. */
  restart(downMs: number, ended: readonly Name[]): void {
    this.nowMs += downMs;
    for (const name of ended) {
      this.firing.delete(name);
      this.changed.add(name);
    }
    this.groups = this.#start();
    this.#sentMs = this.nowMs;
  }

  #resend(): void {
    this.#sentMs = this.nowMs;
    const alerts = [...this.firing].map((name) => outgoing(name, this.nowMs, false));
    this.groups.add(alerts, this.nowMs);
  }

  #hear(messages: readonly Message[]): void {
    for (const { alerts } of messages) {
      const firing: string[] = [];
      for (const { labels, isResolved } of alerts) {
        const name = labels['alertname']!;
        if (isResolved) {
          // Only what was told can end, and only what changed.
          expect(this.believed.delete(name)).toBe(true);
          expect(this.changed.has(name)).toBe(true);
        }
        if (!isResolved) {
          this.believed.add(name);
          firing.push(name);
        }
        // What is not yet known to be over may be spoken of as going on.
        if (isResolved !== this.firing.has(name as Name)) this.changed.delete(name);
      }
      const text = alerts
        .map((one) => `${one.labels['alertname']} ${one.isResolved}`)
        .sort()
        .join();
      this.heard.push({ atMs: this.nowMs, text, firing });
    }
  }
}

const name = fc.constantFrom(...NAMES);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ change: name }) },
  { weight: 4, arbitrary: fc.record({ passMinutes: fc.integer({ min: 1, max: 90 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      downMinutes: fc.integer({ min: 0, max: 60 }),
      ended: fc.subarray([...NAMES]),
    }),
  },
);

test('a receiver believes what is true in the end and hears nothing twice', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const world = new World();
      for (const one of steps) {
        if ('change' in one) world.change(one.change);
        else if ('passMinutes' in one) world.pass(one.passMinutes * MINUTE_MS);
        else world.restart(one.downMinutes * MINUTE_MS, one.ended);
      }
      world.pass(GRACE_MS + VALID_MS + CONFIG.groupIntervalMs);
      expect([...world.believed].sort()).toEqual([...world.firing].sort());
      world.heard.forEach((message, index) => {
        const before = world.heard.slice(0, index).findLast(
          ({ firing, text }) =>
            // Of the same group: c is alone in its own.
            text.includes('c') === message.text.includes('c') && firing.length >= 0,
        );
        if (before === undefined || before.text !== message.text) return;
        const apartMs = message.atMs - before.atMs;
        expect(apartMs).toBeGreaterThanOrEqual(CONFIG.repeatIntervalMs);
      });
    }),
    { numRuns: 300 },
  );
});

test('a lasting alert is told after the wait, then at every repeat interval', () => {
  const world = new World();
  world.pass(MINUTE_MS);
  const startMs = world.nowMs;
  world.change('a');
  world.pass(150 * MINUTE_MS);
  const times = world.heard.map(({ atMs }) => (atMs - startMs) / MINUTE_MS);
  expect(times).toEqual([0.5, 60.5, 120.5]);
});

test('what ends during the wait is told to nobody', () => {
  const world = new World();
  world.change('a');
  world.pass(10_000);
  world.change('a');
  world.pass(60 * MINUTE_MS);
  expect(world.heard).toEqual([]);
});

test('changes within the interval come together', () => {
  const world = new World();
  world.change('a');
  world.pass(MINUTE_MS);
  world.change('b');
  world.pass(MINUTE_MS);
  world.change('a');
  world.pass(10 * MINUTE_MS);
  expect(world.heard.map(({ text }) => text)).toEqual(['a false', 'a true,b false']);
});

test('after a restart nothing is told again, and what ended meanwhile is told', () => {
  const world = new World();
  world.change('a');
  world.change('c');
  world.pass(10 * MINUTE_MS);
  expect(world.heard.map(({ text }) => text)).toEqual(['a false', 'c false']);
  world.restart(20 * MINUTE_MS, ['c']);
  world.pass(25 * MINUTE_MS);
  expect(world.heard.slice(2).map(({ text }) => text)).toEqual(['c true']);
});
