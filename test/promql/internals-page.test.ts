/** The page that walks a query through the files shows a real plan, and files that exist. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createEngine } from '../../promql/index.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(`${ROOT}/docs/internals/a-day-in-the-life-of-a-query.md`, 'utf8');

test('the plan on the page is what the engine says', () => {
  const query = /query=\n(.*)\n```/.exec(page)![1]!;
  const [startMs, endMs, stepMs] = ['start', 'end', 'step'].map(
    (name) => Number(new RegExp(`${name}=(\\d+)`).exec(page)![1]) * 1000,
  ) as [number, number, number];
  const stepCount = (endMs - startMs) / stepMs + 1;
  const plan = createEngine().explain(query, { startMs, endMs, stepMs, stepCount }, false);
  expect(/```plan\n([\s\S]*?)\n```/.exec(page)![1]).toBe(plan.trimEnd());
});

test('every file that the page names exists', () => {
  const named = [...page.matchAll(/`([a-z][\w/-]*(?:\.ts|\/))`/g)].map(([, name]) => name!);
  expect(named.length).toBeGreaterThan(20);
  // Inside promql/engine and promql/json the page leaves out what leads there.
  const missing = named.filter(
    (name) =>
      !existsSync(path.join(ROOT, name)) &&
      globSync(`promql/**/${name}`, { cwd: ROOT }).length === 0,
  );
  expect(missing).toEqual([]);
});
