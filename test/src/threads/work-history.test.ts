import { expect, test } from 'vitest';
import { WorkHistory } from '../../../src/threads/work-history.ts';

test('what was done last counts', () => {
  const history = new WorkHistory();
  expect(history.lastMs('a')).toBeUndefined();
  history.note('a', 3);
  history.note('a', 0.5);
  expect(history.lastMs('a')).toBe(0.5);
});

test('a thousand pieces are remembered, those done last', () => {
  const history = new WorkHistory();
  history.note('kept', 1);
  for (let i = 0; i < 999; i++) {
    history.note(`key ${i}`, 1);
    if (i === 500) history.note('kept', 2);
  }
  for (let i = 0; i < 300; i++) history.note(`more ${i}`, 1);
  expect(history.lastMs('kept')).toBe(2);
  expect(history.lastMs('key 0')).toBeUndefined();
  expect(history.lastMs('key 998')).toBe(1);
});

test('new work is expected to take what work of its shape took', () => {
  const history = new WorkHistory();
  const key = (instance: string) => `instant rate(cpu0_total{instance="${instance}"}[5m])`;
  const expected = history.expectation(key('b'));
  expect(expected()).toBeUndefined();
  history.note(key('a'), 7);
  expect(expected()).toBe(7);
  expect(history.lastMs(key('b'))).toBeUndefined();
  history.note(key('b'), 3);
  expect(expected()).toBe(3);
  // What is known of itself says nothing new about others.
  history.note(key('a'), 9);
  expect(history.expectation(key('c'))()).toBe(3);
});

test.each([
  ['instant cpu1_total', 'instant cpu22_total'],
  [`instant up{a="x\\"y",b='1',c=\`z\`}`, `instant up{a="",b='22',c=\`\`}`],
])('%s and %s have one shape', (one, other) => {
  const history = new WorkHistory();
  history.note(one, 5);
  expect(history.expectation(other)()).toBe(5);
});

test.each([
  ['range 5 up', 'range 6 up'],
  ['instant rate(up[5m])', 'instant rate(up[30m])'],
  ['instant sum(up)', 'instant max(up)'],
])('%s and %s do not', (one, other) => {
  const history = new WorkHistory();
  history.note(one, 5);
  expect(history.expectation(other)()).toBeUndefined();
});
