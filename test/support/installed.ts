/**
 * Real programs to compare with, where they are installed. NARTHEX_PROMETHEUS names a server, with
 * its promtool beside it; otherwise those on the PATH are taken. What needs one that is not here is
 * skipped with a printed reason, or fails where NARTHEX_REQUIRE is set.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

/** The version whose behaviour is ours, for comparisons of every byte. */
const EXACT_VERSION = '3.14.';

/** Any version. */
export const PROMETHEUS: string | null = process.env['NARTHEX_PROMETHEUS'] ?? onPath('prometheus');

/** Such as `2.42.0`; empty when there is no server. */
export const PROMETHEUS_VERSION: string = PROMETHEUS === null ? '' : versionOf(PROMETHEUS);

/** The promtool of that server, and the one on the PATH, which may be of another version. */
export const PROMTOOLS: readonly string[] = [
  ...new Set([
    ...(PROMETHEUS === null ? [] : [path.join(path.dirname(PROMETHEUS), 'promtool')]),
    onPath('promtool') ?? '',
  ]),
].filter((tool) => existsSync(tool));

if (PROMETHEUS === null || PROMTOOLS.length === 0) {
  const reason = 'no prometheus or promtool (install them, or set NARTHEX_PROMETHEUS)';
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error(reason);
  console.info(`skipped: ${reason}`);
}

/**
 * The server when it is of the version that we are to equal; null, and a printed reason, otherwise.
 * Older ones answer differently in much that is compared, so there nothing would be learned.
 */
export function exactPrometheus(): string | null {
  if (PROMETHEUS === null || PROMETHEUS_VERSION.startsWith(EXACT_VERSION)) return PROMETHEUS;
  console.info(
    `skipped: compared with Prometheus ${EXACT_VERSION}x only; ${PROMETHEUS} is ${PROMETHEUS_VERSION}`,
  );
  return null;
}

function versionOf(server: string): string {
  const { stdout, stderr } = spawnSync(server, ['--version'], { encoding: 'utf8' });
  const version = /version (\d+\.\d+\.\d+\S*)/.exec(`${stdout}${stderr}`)?.[1];
  if (version === undefined) throw new Error(`${server} does not tell its version`);
  return version.replace(/\+.*/, '');
}

/** Where a program lies, or null. */
export function onPath(name: string): string | null {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : null;
}
