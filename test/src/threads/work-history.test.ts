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
