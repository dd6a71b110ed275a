/** `test promql`: runs PromQL test scripts against the engine, with a storage in memory. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../model/index.ts';
import { loadScripts } from '../../promql/index.ts';

const SCRIPT_EXTENSION = '.test';

export type PromqlTestOptions = {
  /** Print one JSON document in place of lines for people. */
  readonly json?: boolean;
};

type FileReport = {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly {
    readonly line: number;
    readonly query: string;
    readonly problem: string;
  }[];
};

const USAGE = `usage: narthex test promql [--json] <file or folder>...

Runs PromQL test scripts and says which evaluations fail. Of a folder it takes every file that ends
in ${SCRIPT_EXTENSION}, also in the folders below. Exit code: 0 when all passed, 1 when one failed or there
was none, 2 when the command line is wrong.`;

/** @param args  the words after the command's name */
export async function testPromql(
  args: readonly string[],
  out: (line: string) => void,
): Promise<number> {
  let options: { json?: boolean; help?: boolean };
  let paths: string[];
  try {
    ({ values: options, positionals: paths } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    }));
  } catch (error) {
    out(`${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help || paths.length === 0) {
    out(USAGE);
    return options.help ? 0 : 2;
  }
  return runPromqlScripts(paths, out, options);
}

/**
 * Runs the scripts in `paths`, which are files or folders of `.test` files, and prints what fails,
 * a line per file and a summary. Returns the exit code: 0 when everything passed.
 */
export async function runPromqlScripts(
  paths: readonly string[],
  out: (line: string) => void,
  options: PromqlTestOptions = {},
): Promise<number> {
  const { createScriptEngine, ScriptRunner } = await loadScripts();
  const reports: FileReport[] = [];
  for (const file of paths.flatMap(scriptFiles)) {
    const report = runFile(file, (text) => new ScriptRunner(createScriptEngine()).run(text));
    reports.push(report);
    if (!options.json) printFile(report, out);
  }
  const total = (key: 'passed' | 'failed' | 'skipped'): number =>
    reports.reduce((sum, report) => sum + report[key], 0);
  const summary = { passed: total('passed'), failed: total('failed'), skipped: total('skipped') };
  if (options.json) out(JSON.stringify({ ...summary, files: reports }));
  else out(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
  return summary.failed === 0 && summary.passed > 0 ? 0 : 1;
}

function scriptFiles(given: string): string[] {
  if (!statSync(given, { throwIfNoEntry: false })?.isDirectory()) return [given];
  return readdirSync(given, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith(SCRIPT_EXTENSION))
    .sort()
    .map((name) => path.join(given, name));
}

type Verdicts = readonly { line: number; query: string; problem: string | null }[];

/** A script that cannot be read counts as one failure. */
function runFile(file: string, run: (text: string) => Verdicts): FileReport {
  try {
    const verdicts = run(readFileSync(file, 'utf8'));
    const failures = verdicts.flatMap(({ line, query, problem }) =>
      problem === null ? [] : [{ line, query, problem }],
    );
    const passed = verdicts.length - failures.length;
    return { file, passed, failed: failures.length, skipped: 0, failures };
  } catch (error) {
    const failures = [{ line: 0, query: '', problem: messageOf(error) }];
    return { file, passed: 0, failed: 1, skipped: 0, failures };
  }
}

function printFile(report: FileReport, out: (line: string) => void): void {
  const { file, passed, failed, skipped, failures } = report;
  out(`${file}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  for (const { line, query, problem } of failures) {
    out(`  ${file}:${line}: ${query === '' ? problem : `${query}: ${problem}`}`);
  }
}
