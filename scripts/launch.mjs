/**
 * `node scripts/launch.mjs <program> [arguments]`: sets up what is missing, then runs the program
 * with the Node.js that fits. npm's scripts go through here. Plain JavaScript for old Node.js.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { programEnvironment, ROOT, setUp } from './set-up.mjs';

const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  process.stderr.write('usage: node scripts/launch.mjs <program> [arguments]\n');
  process.exit(2);
}
const node = setUp(program.endsWith('check.ts') ? 'nothing' : 'all');
const child = spawn(node, [path.resolve(ROOT, program), ...args], {
  cwd: ROOT,
  stdio: 'inherit',
  env: programEnvironment(node),
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code === null ? 1 : code);
  // End as the program did, so that whoever started us sees the same.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
  process.kill(process.pid, signal);
});
