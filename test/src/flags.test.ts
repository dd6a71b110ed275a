import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  checkFlags,
  chooseFeatures,
  type FlagName,
  type FlagValues,
  flagsPage,
  helpText,
  parseCommandLine,
  statusFlags,
  withRetention,
  UsageError,
} from '../../src/flags.ts';
import { FLAGS } from '../../src/flags/flag-table.ts';
import { parseSize, formatSize } from '../../src/flags/values.ts';
import { conformanceFile } from './support/conformance.ts';

const WEB = '';

function run(...args: string[]): { values: FlagValues; given: ReadonlySet<FlagName> } {
  const line = parseCommandLine(args);
  if (line.action !== 'run') throw new Error(`not run but ${line.action}`);
  checkFlags(line.values, line.given);
  return line;
}

function refusal(...args: string[]): { exitCode: number; message: string } {
  try {
    run(...args);
  } catch (error) {
    if (error instanceof UsageError) return { exitCode: error.exitCode, message: error.message };
    throw error;
  }
  throw new Error('not refused');
}

describe('flags', () => {
  const listed = conformanceFile('cli/server-flags.json');
  const statusFile = conformanceFile('cli/status-flags.json');

  test.skipIf(listed === null)('are those of Prometheus 3.14: names, forms, defaults', () => {
    type Entry = {
      name: string;
      boolean?: boolean;
      repeatable?: boolean;
      status_flags?: string;
    };
    const { flags, features } = JSON.parse(readFileSync(listed!, 'utf8')) as {
      flags: Entry[];
      features: string[];
    };
    const { values, given } = run();
    const status = statusFlags(values, given, WEB);
    // `web.external-url.` is the end of a sentence that ended up in the list.
    const builtIn = new Set(['help', 'help-long', 'version', 'web.external-url.']);
    for (const entry of flags.filter(({ name }) => !builtIn.has(name))) {
      const flag = FLAGS[entry.name as keyof typeof FLAGS];
      expect(flag, entry.name).toBeDefined();
      expect(flag.type === 'switch', entry.name).toBe(entry.boolean === true);
      expect(flag.type === 'list', entry.name).toBe(entry.repeatable === true);
      if (entry.status_flags !== undefined) {
        expect(status[entry.name], entry.name).toBe(entry.status_flags);
      }
    }
    // Two of them exclude each other.
    const exclusive = 'otlp-native-delta-ingestion';
    const others = features.filter((name) => name !== exclusive);
    expect(() => chooseFeatures(features)).toThrow('at the same time');
    const { names, warnings } = chooseFeatures([others.join(',')]);
    expect([...names]).toEqual(others);
    expect(warnings).toEqual([]);
  });

  test.skipIf(statusFile === null)('show the values that /api/v1/status/flags shows', () => {
    const expected = JSON.parse(readFileSync(statusFile!, 'utf8')) as Record<string, string>;
    const { values, given } = run();
    const shown = statusFlags(values, given, WEB);
    // Left out of the file because they differ from machine to machine.
    for (const name of ['config.file', 'web.listen-address', 'storage.tsdb.path']) {
      delete shown[name];
    }
    expect(shown).toEqual(expected);
  });

  test('take = and a separate word, and --no- for switches', () => {
    const { values } = run(
      '--query.timeout=5m',
      '--query.max-samples',
      '5e7',
      '--web.listen-address=:1',
      '--web.listen-address=:2',
      '--no-storage.tsdb.wal-compression',
      '--web.enable-lifecycle',
    );
    expect(values['query.timeout']).toBe(300_000);
    expect(values['query.max-samples']).toBe(50_000_000);
    expect(values['web.listen-address']).toEqual([':1', ':2']);
    expect(values['storage.tsdb.wal-compression']).toBe(false);
    expect(values['web.enable-lifecycle']).toBe(true);
  });

  // Message and code as a running Prometheus 3.14 gave them; the suggestion is ours.
  test.each([
    [['--foo'], 1, "unknown long flag '--foo'"],
    [['--config.fil=x'], 1, "unknown long flag '--config.fil', did you mean '--config.file'?"],
    [
      ['--no-config.file'],
      1,
      "unknown long flag '--no-config.file', did you mean '--config.file'?",
    ],
    [['-x'], 1, "unknown short flag '-x'"],
    [['positional'], 1, 'unexpected positional'],
    [['--agent=x'], 1, 'unexpected x'],
    [['--config.file'], 1, "expected argument for flag '--config.file'"],
    [['--config.file=a', '--config.file=b'], 2, "flag 'config.file' cannot be repeated"],
    [['--query.timeout=abc'], 2, 'not a valid duration string: "abc"'],
    [['--query.timeout=1.5m'], 2, 'unknown unit "." in duration "1.5m"'],
    [['--storage.tsdb.retention.time=1x'], 2, 'unknown unit "x" in duration "1x"'],
    [['--scrape.timestamp-tolerance=2'], 2, 'time: missing unit in duration "2"'],
    [['--log.level=foo'], 2, 'unrecognized log level foo'],
    [['--log.format=Json'], 2, 'unrecognized log format Json'],
    [['--web.max-connections=x'], 2, 'strconv.ParseFloat: parsing "x": invalid syntax'],
    [['--storage.tsdb.retention.size=5XB'], 2, 'units: unknown unit XB in 5XB'],
    [
      ['--rules.max-concurrent-evals=99999999999999999999'],
      2,
      'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    [
      ['--agent', '--storage.tsdb.path=x'],
      3,
      'The following flag(s) can not be used in agent mode: ["--storage.tsdb.path"]',
    ],
    [
      ['--storage.agent.path=x'],
      3,
      'The following flag(s) can only be used in agent mode: ["--storage.agent.path"]',
    ],
    [
      ['--auto-gomemlimit.ratio=2'],
      1,
      '--auto-gomemlimit.ratio must be greater than 0 and less than or equal to 1.',
    ],
  ])('%j is refused with code %i: %s', (args, exitCode, message) => {
    expect(refusal(...args)).toEqual({ exitCode, message });
  });

  test('derive the longest block from the retention', () => {
    const of = (...args: string[]) => {
      const { values, given } = run(...args);
      return statusFlags(values, given, WEB)['storage.tsdb.max-block-duration'];
    };
    expect(of()).toBe('1d12h');
    expect(of('--storage.tsdb.retention.time=10d')).toBe('1d');
    expect(of('--storage.tsdb.retention.time=10y')).toBe('31d');
    expect(of('--storage.tsdb.retention.size=1GB')).toBe('31d');
  });

  // As 3.14 shows them.
  test.each([
    [12 * 3_600_000, 0, ['12h', '0B', '1h12m']],
    [0, 2 ** 30, ['0s', '1GiB', '31d']],
    [0, 0, ['0s', '0B', '31d']],
  ])(
    'give way to a retention in the configuration of %i ms, %i bytes',
    (timeMs, sizeBytes, all) => {
      const { values, given } = run('--storage.tsdb.retention.time=30d');
      const status = statusFlags(withRetention(values, { timeMs, sizeBytes }), given, WEB);
      const names = ['retention.time', 'retention.size', 'max-block-duration'];
      expect(names.map((name) => status[`storage.tsdb.${name}`])).toEqual(all);
      expect(withRetention(values, null)).toBe(values);
    },
  );

  test('of our own appear in the status only when they were given', () => {
    const absent = run();
    expect(statusFlags(absent.values, absent.given, WEB)).not.toHaveProperty([
      'storage.tsdb.head-memory-limit',
    ]);
    const { values, given } = run('--storage.tsdb.head-memory-limit=1GB');
    expect(statusFlags(values, given, WEB)['storage.tsdb.head-memory-limit']).toBe('1GiB');
  });

  test('are all in the help, which marks what has no effect yet', () => {
    const help = helpText(true);
    for (const name of Object.keys(FLAGS)) expect(help).toContain(name);
    expect(help).toContain('[not yet effective');
    expect(help).toContain('[Narthex only]');
    const wrapped = help.split('\n').filter((line) => line.startsWith(' '.repeat(33)));
    expect(wrapped.filter((line) => line.length > 80)).toEqual([]);
    expect(helpText(false)).not.toContain('storage.tsdb.wal-segment-size');
  });

  test('are on the page that the guide has', () => {
    const page = readFileSync(new URL('../../docs/guide/flags.md', import.meta.url), 'utf8');
    const hint = 'bin/narthex --write-documentation > docs/guide/flags.md';
    expect(flagsPage(), hint).toBe(page);
  });

  test('unknown features are warned about, former ones accepted', () => {
    const { names, warnings, autoReload } = chooseFeatures([
      'nope,exemplar-storage',
      'auto-reload-config',
    ]);
    expect([...names]).toEqual(['exemplar-storage']);
    expect(autoReload).toBe(true);
    expect(warnings.map(({ option }) => option)).toEqual(['nope', 'auto-reload-config']);
    expect(warnings[0]!.message).toBe('Unknown option for --enable-feature');
  });
});

describe('sizes', () => {
  // As a running Prometheus 3.14 showed them in /api/v1/status/flags.
  test.each([
    ['1.5GB', '1GiB512MiB'],
    ['512MiB', '512MiB'],
    ['1GB512MB', '1GiB512MiB'],
    ['-5MB', '-5MiB'],
    ['0', '0B'],
    ['1500B', '1KiB476B'],
    ['1.5B', '1B'],
  ])('%s is shown as %s', (written, shown) => {
    expect(formatSize(parseSize(written))).toBe(shown);
  });

  test.each([
    ['5', 'units: unknown unit  in 5'],
    ['1k', 'units: unknown unit k in 1k'],
    ['1kB', 'units: unknown unit kB in 1kB'],
    ['1Mi', 'units: unknown unit Mi in 1Mi'],
    ['abc', 'units: invalid abc'],
  ])('%s is refused: %s', (written, message) => {
    expect(() => parseSize(written)).toThrow(message);
  });
});
