/** Runs one tool of a script, its output passed on, and says how it went. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

export const ROOT = path.dirname(import.meta.dirname);

/** @returns whether it succeeded */
export function runStep(title: string, program: string, args: readonly string[]): boolean {
  const startMs = performance.now();
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: 'inherit' });
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  const isGood = status === 0;
  process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${title} (${seconds} s)\n`);
  if (error !== undefined) process.stdout.write(`     ${error.message}\n`);
  return isGood;
}

/** A tool of node_modules. */
export function tool(name: string): string {
  return path.join(ROOT, 'node_modules', '.bin', name);
}
