/** The commands that look into a data directory, against promtool on the same directories. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCommand } from '../../../src/tools/main.ts';
import { tsdbAnalyze } from '../../../src/tools/tsdb-analyze.ts';
import { tsdbDump, tsdbDumpOpenMetrics } from '../../../src/tools/tsdb-dump.ts';
import { tsdbList } from '../../../src/tools/tsdb-list.ts';
import { exactPrometheus, PROMTOOLS } from '../../support/installed.ts';
import { conformancePath, FIXTURES } from '../../tsdb/support/conformance.ts';
import { promtool } from '../../tsdb/support/tools.ts';

type Command = typeof tsdbList;

/** Older ones print other things. */
const tool = exactPrometheus() === null ? null : PROMTOOLS[0]!;
const fixtures = FIXTURES.filter((fixture) => conformancePath(fixture) !== null);

let scratch = '';
beforeAll(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'narthex-tools-'));
  for (const fixture of fixtures) {
    cpSync(path.join(conformancePath(fixture)!, 'data'), directoryOf(fixture), {
      recursive: true,
    });
  }
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const directoryOf = (fixture: string) => path.join(scratch, fixture);

async function run(command: Command, ...words: string[]) {
  let out = '';
  let err = '';
  const code = await command(words, {
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

/** Where figures are equal promtool's order is by chance. */
const sorted = (text: string) => text.split('\n').sort();

describe.runIf(tool !== null).each(fixtures)('%s', (fixture) => {
  test.each([[], ['-r']])('is listed alike %j', async (...flags: string[]) => {
    const { out } = await run(tsdbList, ...flags, directoryOf(fixture));
    expect(out).toBe(promtool(tool!, 'tsdb', 'list', ...flags, directoryOf(fixture)));
  });

  const blocks = readdirSync(path.join(conformancePath(fixture)!, 'data')).filter((name) =>
    name.startsWith('01'),
  );
  test
    .runIf(blocks.length > 0)
    .each([
      ['--limit=100000'],
      ['--match={job="api"}', '--limit=100000', '--extended'],
      ['--match={job="nobody"}', '--extended'],
      ...blocks.map((block) => ['--extended', '--limit', '100000', block]),
    ])('is analyzed alike %j', async (...words: string[]) => {
    const [flags, block] = [words.filter((w) => !w.startsWith('01')), words.at(-1)!];
    const args = [...flags, directoryOf(fixture), ...(block.startsWith('01') ? [block] : [])];
    const { out, code } = await run(tsdbAnalyze, ...args);
    expect(code).toBe(0);
    expect(sorted(out)).toEqual(sorted(promtool(tool!, 'tsdb', 'analyze', ...args)));
  });

  test('has the series and samples of the dump', async () => {
    const json = ['--format=seriesjson', directoryOf(fixture)];
    const series = await run(tsdbDump, ...json);
    expect(sorted(series.out)).toEqual(sorted(promtool(tool!, 'tsdb', 'dump', ...json)));

    const ours = new Set((await run(tsdbDump, directoryOf(fixture))).out.split('\n').map(plain));
    const theirs = promtool(tool!, 'tsdb', 'dump', directoryOf(fixture)).split('\n').map(plain);
    // It does not see the chunks of the head that are in files.
    expect(theirs.filter((line) => !ours.has(line)).slice(0, 3)).toEqual([]);
    expect(ours.size).toBeGreaterThanOrEqual(theirs.length);
  });

  test('has the samples of the OpenMetrics dump', async () => {
    const words = ['--match={job="api"}', '--match={job=~"a.*"}', '--min-time=1761955260000'];
    const { out } = await run(tsdbDumpOpenMetrics, ...words, directoryOf(fixture));
    const ours = new Set(out.split('\n'));
    const theirs = promtool(tool!, 'tsdb', 'dump-openmetrics', ...words, directoryOf(fixture));
    // It prints staleness markers, although it says that it does not.
    const missing = theirs.split('\n').filter((l) => !ours.has(l) && !/ NaN [\d.]+$/.test(l));
    expect(missing.slice(0, 3)).toEqual([]);
  });
});

/** Float histograms with whole counts have other digits: `1e+06` where we print `1000000`. */
function plain(line: string): string {
  return line.includes('{count:')
    ? line.replace(/\d\.?\d*e\+\d+/g, (number) => String(Number(number)))
    : line;
}

test.runIf(tool !== null)('texts that need escapes are printed alike', async () => {
  const input = path.join(scratch, 'input.om');
  const directory = path.join(scratch, 'escapes');
  writeFileSync(
    input,
    `a 1 1700000000
b{x="q\\"u\\\\o\\nte"} NaN 1700000000
b{x="z1"} 0.0000001 1700000001
b{x="z2"} 123456789 1700000001
b{x="z3"} -1e21 1700000001
b{x="z4"} +Inf 1700000001.5
{"a b","c <d>"="<&\u2028>"} 0.0001 1700000001
b{x="tab\tx\u0001é"} 0.0001 1700000001
# EOF
`,
  );
  promtool(tool!, 'tsdb', 'create-blocks-from', 'openmetrics', '-q', input, directory);
  // Without it promtool does not look further.
  mkdirSync(path.join(directory, 'wal'));
  for (const [name, command, ...words] of [
    ['dump', tsdbDump],
    ['dump', tsdbDump, '--format', 'seriesjson'],
    ['dump', tsdbDump, '--min-time=1700000001000', '--max-time=1700000001000'],
    ['dump-openmetrics', tsdbDumpOpenMetrics],
  ] as const) {
    const { out } = await run(command, ...words, directory);
    expect(sorted(out)).toEqual(sorted(promtool(tool!, 'tsdb', name, ...words, directory)));
  }
});

describe('the command line', () => {
  const empty = () => {
    const directory = path.join(scratch, 'empty');
    mkdirSync(directory, { recursive: true });
    return directory;
  };

  test.each<[Command, string[], string]>([
    [tsdbList, ['--nope'], "narthex: error: unknown long flag '--nope', try --help\n"],
    [tsdbList, ['-x'], "narthex: error: unknown short flag '-x', try --help\n"],
    [tsdbList, ['a', 'b'], 'narthex: error: unexpected b, try --help\n'],
    [
      tsdbDump,
      ['--min-time=x'],
      'narthex: error: strconv.ParseInt: parsing "x": invalid syntax, try --help\n',
    ],
    [
      tsdbDump,
      ['--format=x'],
      "narthex: error: enum value must be one of prom,seriesjson, got 'x', try --help\n",
    ],
    [
      tsdbAnalyze,
      ['--match=a', '--match=b'],
      "narthex: error: flag 'match' cannot be repeated, try --help\n",
    ],
    [tsdbAnalyze, ['--match=b{'], '1:3: parse error: unexpected end of input inside braces\n'],
    [
      tsdbList,
      ['/does/not/exist'],
      'opening the db dir: stat /does/not/exist: no such file or directory\n',
    ],
  ])('%# tells what is wrong with it', async (command, words, message) => {
    expect(await run(command, ...words)).toEqual({ code: 1, out: '', err: message });
  });

  test('an empty directory has nothing to analyze', async () => {
    const { code, err } = await run(tsdbAnalyze, empty());
    expect([code, err]).toEqual([1, 'no blocks found\n']);
    expect(await run(tsdbDump, empty())).toEqual({ code: 0, out: '', err: '' });
    expect((await run(tsdbDumpOpenMetrics, empty())).out).toBe('# EOF\n');
    expect(readdirSync(empty())).toEqual([]);
  });

  test.each(['list', 'analyze', 'dump', 'dump-openmetrics'])('knows tsdb %s', (name) => {
    expect(findCommand(['tsdb', name, '--help'])).toBeDefined();
  });

  test.each([tsdbList, tsdbAnalyze, tsdbDump, tsdbDumpOpenMetrics])(
    '%# explains itself',
    async (command) => {
      const { code, out } = await run(command, '--help');
      expect(code).toBe(0);
      expect(out).toMatch(/^usage: narthex tsdb /);
    },
  );
});
