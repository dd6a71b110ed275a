/** Which program this is, and which Prometheus it behaves like. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './root.ts';

/** What clients are told that switch features by version, such as Grafana. */
export const PROMETHEUS_VERSION = '3.14.0';

const GO_ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };

/** As Prometheus names it, such as `linux/amd64`. */
export function platformName(): string {
  const { platform, arch } = process;
  return `${platform === 'win32' ? 'windows' : platform}/${GO_ARCHITECTURES[arch] ?? arch}`;
}

export function narthexVersion(): string {
  const manifest = readFileSync(path.join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Branch and commit of the clone that this runs from; `unknown` outside of one. */
export function sourceRevision(): { branch: string; revision: string } {
  try {
    const git = path.join(ROOT, '.git');
    const head = readFileSync(path.join(git, 'HEAD'), 'utf8').trim();
    if (!head.startsWith('ref: ')) return { branch: 'HEAD', revision: head };
    const ref = head.slice('ref: '.length);
    return { branch: ref.replace('refs/heads/', ''), revision: readRef(git, ref) };
  } catch {
    return { branch: 'unknown', revision: 'unknown' };
  }
}

function readRef(git: string, ref: string): string {
  try {
    return readFileSync(path.join(git, ref), 'utf8').trim();
  } catch {
    const packed = readFileSync(path.join(git, 'packed-refs'), 'utf8').split('\n');
    return packed.find((line) => line.endsWith(` ${ref}`))?.split(' ')[0] ?? 'unknown';
  }
}

/** `--version`, in the form of Prometheus's. */
export function versionText(): string {
  const { branch, revision } = sourceRevision();
  return [
    `narthex, version ${narthexVersion()} (branch: ${branch}, revision: ${revision})`,
    '  build user:       ',
    '  build date:       ',
    `  node version:     ${process.version}`,
    `  platform:         ${platformName()}`,
    `  compatible with:  Prometheus ${PROMETHEUS_VERSION}`,
    '',
  ].join('\n');
}
