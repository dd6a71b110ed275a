import { expect, test } from 'vitest';
import { Rehearsal, warmUpInGaps } from '../../../src/threads/warm-up.ts';

test('stops at its budget, and lets others have their turn in between', async () => {
  const clock = { nowMs: 0 };
  let turnCount = 0;
  const turns = setInterval(() => turnCount++, 1);
  const steps = function* () {
    for (;;) yield (clock.nowMs += 0.4);
  };
  await warmUpInGaps({ steps, budgetMs: 12, monotonicMs: () => clock.nowMs });
  clearInterval(turns);
  expect(clock.nowMs).toBeGreaterThanOrEqual(12);
  expect(clock.nowMs).toBeLessThan(14);
  expect(turnCount).toBeGreaterThan(3);
});

test('makes no pauses while somebody waits for it, but lets others have their turn', async () => {
  const clock = { nowMs: 0 };
  let turnCount = 0;
  let isOver = false;
  const takeTurn = () => {
    turnCount++;
    if (!isOver) setImmediate(takeTurn);
  };
  takeTurn();
  const steps = function* () {
    for (;;) yield (clock.nowMs += 1);
  };
  const monotonicMs = () => clock.nowMs;
  await warmUpInGaps({ steps, budgetMs: 100, monotonicMs, isUrgent: () => true });
  isOver = true;
  // In pauses others would have thousands.
  expect(turnCount).toBeGreaterThanOrEqual(99);
  expect(turnCount).toBeLessThan(1000);
});

test('ends when there is nothing left to do', async () => {
  const rehearsal = new Rehearsal([1, 2][Symbol.iterator]());
  await warmUpInGaps({ steps: () => rehearsal.steps(), budgetMs: 1e6, monotonicMs: () => 0 });
});

test('alternates between what is made up and what was done last', () => {
  const done: string[] = [];
  const madeUp = (function* () {
    for (;;) yield done.push('made up');
  })();
  const rehearsal = new Rehearsal(madeUp);
  const steps = rehearsal.steps();
  const next = (count: number) => {
    for (let i = 0; i < count; i++) steps.next();
    return done.splice(0);
  };
  expect(next(3)).toEqual(['made up', 'made up']);
  rehearsal.note(() => done.push('a'));
  rehearsal.note(() => done.push('b'));
  expect(next(4)).toEqual(['b', 'made up', 'b', 'made up']);
  rehearsal.note(() => {
    done.push('fails');
    throw new RangeError('too much now');
  });
  expect(next(4)).toEqual(['fails', 'made up', 'made up']);
});
