/** A runner that never fails proves nothing: every kind of expectation must be able to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../promql/index.ts';
import { createScriptEngine, ScriptError, ScriptRunner } from '../../promql/script/index.ts';
import { findCommand } from '../../src/tools/main.ts';
import { runPromqlScripts, testPromql } from '../../src/tools/test-promql.ts';

const LOAD = `
load 1m
  up{job="a"} 1 2 3
  up{job="b"} 5 _ stale
  hist {{schema:0 sum:5 count:4 buckets:[1 2 1]}}x2
`;

function problemsOf(script: string): (string | null)[] {
  const runner = new ScriptRunner(createScriptEngine());
  return runner.run(`${LOAD}\n${script}`).map(({ problem }) => problem);
}

describe('script runner', () => {
  test.each([
    ['eval instant at 1m up{job="a"}\n  up{job="a"} 2'],
    ['eval instant at 1m 1 + 1\n  2'],
    ['eval instant at 0 "x"\n  expect string "x"'],
    ['eval range from 0 to 2m step 1m up\n  up{job="a"} 1 2 3\n  up{job="b"} 5 5 _'],
    ['eval instant at 1m sort_desc(up)\n  expect ordered\n  up{job="b"} 5\n  up{job="a"} 2'],
    ['eval instant at 1m up / on() up\n  expect fail'],
    ['eval_fail instant at 1m up / on() up\n  expected_fail_regexp duplicate series'],
    ['eval instant at 1m quantile(2, up)\n  expect warn regex: between 0 and 1\n  {} Inf'],
    [
      'eval instant at 1m up[2m]\n  expect range vector from 0 to 1m step 1m\n  up{job="a"} 1 2\n  up{job="b"} 5',
    ],
    ['eval instant at 1m hist\n  hist {{schema:0 sum:5 count:4 buckets:[1 2 1]}}'],
  ])('accepts what is right: %s', (script) => {
    expect(problemsOf(script)).toEqual([null]);
  });

  test.each([
    ['a wrong value', 'eval instant at 1m up{job="a"}\n  up{job="a"} 7', /expected 7, got 2/],
    ['a missing series', 'eval instant at 1m up{job="a"}', /unexpected series/],
    ['a series too many', 'eval instant at 1m nope\n  nope 1', /no series/],
    ['a wrong scalar', 'eval instant at 1m 1 + 1\n  3', /expected 3, got 2/],
    ['a wrong string', 'eval instant at 0 "x"\n  expect string "y"', /expected the string/],
    [
      'a sample too many',
      'eval range from 0 to 2m step 1m up{job="a"}\n  up{job="a"} 1 2',
      /steps 2/,
    ],
    [
      'a wrong order',
      'eval instant at 1m sort(up)\n  expect ordered\n  up{job="b"} 5\n  up{job="a"} 2',
      /not at place/,
    ],
    [
      'success where failure is expected',
      'eval instant at 1m up\n  expect fail',
      /expected to fail/,
    ],
    ['failure where success is expected', 'eval instant at 1m up / on() up', /unexpected error/],
    [
      'another error text',
      'eval instant at 1m up / on() up\n  expect fail msg: no',
      /expected fail no/,
    ],
    [
      'a warning that does not come',
      'eval instant at 1m up\n  expect warn\n  up{job="a"} 2\n  up{job="b"} 5',
      /expected warn/,
    ],
    [
      'a warning that is forbidden',
      'eval instant at 1m quantile(2, up)\n  expect no_warn\n  {} Inf',
      /unexpected warn/,
    ],
    [
      'a warning of another text',
      'eval instant at 1m quantile(2, up)\n  expect warn msg: x\n  {} Inf',
      /expected warn x/,
    ],
    [
      'another histogram',
      'eval instant at 1m hist\n  hist {{schema:0 sum:5 count:4 buckets:[1 3]}}',
      /at step 0/,
    ],
    [
      'another hint',
      'eval instant at 1m hist\n  hist {{schema:0 sum:5 count:4 buckets:[1 2 1] counter_reset_hint:gauge}}',
      /at step 0/,
    ],
    ['a float for a histogram', 'eval instant at 1m hist\n  hist 4', /expected 4/],
  ])('finds %s', (_what, script, problem) => {
    const [found] = problemsOf(script);
    expect(found).toMatch(problem);
  });

  test('asks again with pinned selectors, and as a range query', () => {
    const engine = createScriptEngine();
    const script = `${LOAD}\neval instant at 1m up{job="a"}\n  up{job="a"} 2`;
    const problemWith = (faulty: Partial<Engine>) =>
      new ScriptRunner({ ...engine, ...faulty }).run(script)[0]!.problem;
    expect(problemWith({})).toBeNull();
    const lostRange: Partial<Engine> = {
      range: (request) => engine.range({ ...request, query: 'up{job="nobody"}' }),
    };
    expect(problemWith(lostRange)).toMatch(/as a range query: no series/);
    const deafToAt: Partial<Engine> = {
      instant: (request) =>
        engine.instant({ ...request, query: request.query.replace(/ @ [\d.]+/, '') }),
    };
    expect(problemWith(deafToAt)).toMatch(/pinned as up\{job="a"\} @ 60/);
  });

  test.each([
    ['frobnicate 1m', /unknown command/],
    ['load', /expected: load/],
    ['load 1m\n  up{', /line 2/],
    ['eval instant at 1m', /malformed eval/],
    ['eval instant at 1m up\n  expect the_unexpected', /unknown expectation/],
  ])('refuses a script that is malformed: %s', (script, message) => {
    const run = () => new ScriptRunner(createScriptEngine()).run(script);
    expect(run).toThrow(ScriptError);
    expect(run).toThrow(message);
  });
});

describe('test promql', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-scripts-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const good = path.join(folder, 'good.test');
  const bad = path.join(folder, 'bad.test');
  const broken = path.join(folder, 'broken.test');
  writeFileSync(good, 'eval instant at 0 1 + 1\n  2\n');
  writeFileSync(bad, 'eval instant at 0 1 + 1\n  2\n\neval instant at 0 1 + 1\n  3\n');
  writeFileSync(broken, 'frobnicate\n');

  async function run(paths: string[], json = false): Promise<{ code: number; lines: string[] }> {
    const lines: string[] = [];
    const code = await runPromqlScripts(paths, (line) => lines.push(line), { json });
    return { code, lines };
  }

  test('prints counts per file and a summary, and succeeds', async () => {
    expect(await run([good])).toEqual({
      code: 0,
      lines: [`${good}: 1 passed, 0 failed, 0 skipped`, '1 passed, 0 failed, 0 skipped'],
    });
  });

  test('takes folders, says where it failed, and fails', async () => {
    const { code, lines } = await run([folder]);
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe('2 passed, 2 failed, 0 skipped');
    expect(lines.join('\n')).toContain(`${bad}:4: 1 + 1: expected 3, got 2`);
    expect(lines.join('\n')).toContain('unknown command "frobnicate"');
  });

  test('prints JSON', async () => {
    const { code, lines } = await run([bad], true);
    expect(code).toBe(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      passed: 1,
      failed: 1,
      skipped: 0,
      files: [{ file: bad, failures: [{ line: 4, query: '1 + 1' }] }],
    });
  });

  test('counts a file that is not there as a failure', async () => {
    const { code, lines } = await run([good, path.join(folder, 'nowhere.test')]);
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/nowhere\.test:0: ENOENT/);
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
  });

  test('finds scripts in folders below', async () => {
    const below = path.join(mkdtempSync(path.join(folder, 'outer-')), 'inner');
    mkdirSync(below);
    writeFileSync(path.join(below, 'deep.test'), 'eval instant at 0 1 + 1\n  2\n');
    expect((await run([path.dirname(below)])).lines.at(-1)).toBe('1 passed, 0 failed, 0 skipped');
  });

  test.each([
    { words: [good], code: 0 },
    { words: ['--json', bad], code: 1 },
    { words: [], code: 2 },
    { words: ['--frobnicate', good], code: 2 },
    { words: ['--help'], code: 0 },
  ])('answers the command line $words with exit code $code', async ({ words, code }) => {
    const lines: string[] = [];
    expect(await testPromql(words, (line) => lines.push(line))).toBe(code);
    if (code === 2 || words[0] === '--help') expect(lines.join('\n')).toContain('usage:');
  });

  test('is found by its name and by nothing else', () => {
    expect(findCommand(['test', 'promql', good])).toBeDefined();
    for (const words of [[], ['test'], ['promql'], ['--test', 'promql']]) {
      expect(findCommand(words)).toBeUndefined();
    }
  });

  test('does not call nothing a success', async () => {
    const empty = path.join(folder, 'empty.test');
    writeFileSync(empty, '# nothing\n');
    expect((await run([empty])).code).toBe(1);
  });
});
