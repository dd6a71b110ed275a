/** The commands that check files; where promtool has the same one, it says the same. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig, checkNotifications, checkRules } from '../../../src/tools/check.ts';
import { findCommand } from '../../../src/tools/main.ts';
import { exactPrometheus, PROMTOOLS } from '../../support/installed.ts';

/** Older ones print other things. */
const tool = exactPrometheus() === null ? null : PROMTOOLS[0]!;

const FILES: Readonly<Record<string, string>> = {
  'good.yml': 'groups: [{name: a, rules: [{record: x, expr: sum(up)}, {alert: y, expr: up == 0}]}]',
  'bad.yml': 'groups:\n- name: a\n  rules:\n  - record: x\n    expr: sum(\n',
  'new.yml': 'groups: [{name: a, rules: [{record: x, expr: "sort_by_label(up, \\"job\\")"}]}]',
  'both.conf': 'rule_files: [good.yml, bad.yml]',
  'fine.conf': 'rule_files: [good.yml]',
  'bare.conf': 'global: {}',
  'wrong.conf': 'global: {scrape_intervall: 1s}',
  'receivers.yml': 'receivers: [{name: a, webhook_configs: [{url: "http://a"}]}]',
  'nobody.yml': 'receivers:\n- nam: a\n',
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-check-'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(path.join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Verdict = { code: number; out: string; err: string };
const COMMANDS = { config: checkConfig, rules: checkRules, notifications: checkNotifications };
type Words = readonly [command: keyof typeof COMMANDS, ...words: string[]];
const placed = (words: readonly string[]) =>
  words.map((word) => (word.startsWith('-') ? word : path.join(folder, word)));

async function ours([command, ...words]: Words): Promise<Verdict> {
  const said = { out: '', err: '' };
  const code = await COMMANDS[command](placed(words), {
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
  });
  return { code, ...said };
}

function theirs([command, ...words]: Words): Promise<Verdict> {
  return new Promise((resolve) => {
    execFile(tool!, ['check', command, ...placed(words)], (error, out, err) => {
      resolve({ code: Number(error?.code ?? 0), out, err });
    });
  });
}

if (tool === null) console.info('skipped: no promtool of our version');
const named = (cases: readonly Words[]) => cases.map((words) => [words.join(' '), words] as const);

describe.skipIf(tool === null)('as promtool', () => {
  test.each(
    named([
      ['rules', 'good.yml'],
      ['config', 'fine.conf'],
      ['config', 'bare.conf'],
      ['config', 'fine.conf', 'bare.conf'],
      ['config', '--syntax-only', 'both.conf'],
      ['config', '--agent', 'bare.conf'],
      ['rules', '--enable-feature=promql-experimental-functions', 'new.yml'],
    ]),
  )('%s', async (_, words) => {
    expect(await ours(words)).toEqual(await theirs(words));
  });

  test.each(
    named([
      ['rules', 'bad.yml'],
      ['rules', 'good.yml', 'bad.yml'],
      ['rules', 'new.yml'],
      ['config', 'both.conf'],
      ['config', 'wrong.conf'],
      ['config', 'wrong.conf', 'fine.conf'],
      ['config', '--agent', 'fine.conf'],
      ['rules', 'none.yml', 'good.yml'],
      ['config'],
    ]),
  )('the same is wrong: %s', async (_, words) => {
    const [mine, other] = [await ours(words), await theirs(words)];
    expect(mine.code).toBe(other.code);
    // In our words, and without an empty line here and there.
    const lines = (text: string) => text.split('\n').filter((line) => line !== '');
    expect(lines(mine.out)).toEqual(lines(other.out));
    const beginning = (text: string) =>
      text.replace('promtool', 'narthex').replace(/(?<=FAILED:).*/s, '');
    expect(beginning(mine.err)).toBe(beginning(other.err));
  });
});

test('a folder is no file', async () => {
  const { code, err } = await ours(['rules', '']);
  expect(code).toBe(1);
  expect(err).toContain('is a directory');
});

test('mistakes are placed', async () => {
  const file = (name: string) => path.join(folder, name);
  expect(await ours(['rules', 'bad.yml', 'good.yml'])).toMatchObject({
    code: 1,
    out: `Checking ${file('bad.yml')}\nChecking ${file('good.yml')}\n  SUCCESS: 2 rules found\n\n`,
    err: expect.stringContaining(`FAILED:\n${file('bad.yml')}:5:5: `),
  });
  const { err } = await ours(['config', 'wrong.conf']);
  expect(err).toContain(`${file('wrong.conf')}:1:10: `);
  expect(err).toContain('did you mean scrape_interval?');
});

test('receivers are checked', async () => {
  expect(await ours(['notifications', 'receivers.yml', 'nobody.yml'])).toEqual({
    code: 1,
    out: [
      `Checking ${path.join(folder, 'receivers.yml')}\n  SUCCESS: 1 receivers found\n\n`,
      `Checking ${path.join(folder, 'nobody.yml')}\n`,
    ].join(''),
    err: expect.stringContaining(
      'nobody.yml:2:3: receivers[0].nam: unknown key; did you mean name?',
    ),
  });
});

test('all three are commands', () => {
  for (const name of Object.keys(COMMANDS)) {
    expect(findCommand(['check', name, '--help'])).toBeDefined();
  }
});
