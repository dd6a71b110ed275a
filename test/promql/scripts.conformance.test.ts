/** Prometheus's own PromQL scripts, every evaluation also pinned by `@` and as a range query. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createScriptEngine, ScriptRunner } from '../../promql/script/index.ts';
import { conformancePath } from '../support/conformance.ts';

const folder = conformancePath('promqltest');

test('scripts of our own give what Prometheus was seen to give', () => {
  const own = path.join(import.meta.dirname, 'scripts');
  for (const name of readdirSync(own)) {
    const runner = new ScriptRunner(createScriptEngine());
    const verdicts = runner.run(readFileSync(path.join(own, name), 'utf8'));
    expect(verdicts.length).toBeGreaterThan(0);
    expect(verdicts.filter(({ problem }) => problem !== null)).toEqual([]);
  }
});

describe.skipIf(folder === null)('promqltest', () => {
  const files = folder === null ? [] : readdirSync(folder).filter((name) => name.endsWith('.test'));

  test.each(files)('%s gives what it expects', (name) => {
    const verdicts = new ScriptRunner(createScriptEngine()).run(
      readFileSync(path.join(folder!, name), 'utf8'),
    );
    expect(verdicts.length).toBeGreaterThan(0);
    expect(verdicts.filter(({ problem }) => problem !== null)).toEqual([]);
  });

  test('no evaluation is lost', () => {
    const index = JSON.parse(readFileSync(path.join(folder!, 'index.json'), 'utf8')) as {
      files: { evals: number }[];
    };
    const wanted = index.files.reduce((sum, { evals }) => sum + evals, 0);
    const runner = new ScriptRunner(createScriptEngine());
    const found = files.reduce(
      (sum, name) => sum + runner.run(readFileSync(path.join(folder!, name), 'utf8')).length,
      0,
    );
    expect(found).toBe(wanted);
  });
});
