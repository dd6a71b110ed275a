/** `test promql`: runs PromQL test scripts against the engine, with a storage in memory. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
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
  if (!statSync(given).isDirectory()) return [given];
  return readdirSync(given)
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
