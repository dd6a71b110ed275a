/**
 * A clone of the project as it is now, in a folder of its own: its packages are installed (as links
 * to ours, so that no registry is asked), its server is not bundled yet.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../../..');
/** The caller's own settings must not reach the launcher under test. */
const OURS = /^(?:NARTHEX_|NODE_(?:COMPILE_CACHE|ENV)$|VITEST|npm_)/;

export type Result = { readonly status: number | null; readonly out: string; readonly err: string };

export function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return Object.fromEntries(kept);
}

export class Clone {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'narthex-clone-'));

  constructor() {
    const { stdout, status } = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    // Outside of git (a tarball) the folders are taken as they are.
    const files = status === 0 ? stdout.split('\n') : filesBelow('.');
    for (const file of files) {
      if (file === '' || !existsSync(path.join(ROOT, file))) continue;
      mkdirSync(path.dirname(this.path(file)), { recursive: true });
      copyFileSync(path.join(ROOT, file), this.path(file));
    }
    mkdirSync(this.path('data'), { recursive: true });
    mkdirSync(this.path('node_modules'));
    for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
      const source = path.join(ROOT, 'node_modules', name);
      if (name === '.cache') continue;
      if (lstatSync(source).isDirectory()) symlinkSync(source, this.path('node_modules', name));
      else copyFileSync(source, this.path('node_modules', name));
    }
    // What the set-up has noted, but for the code that it made.
    for (const name of ['.cache/narthex/ready', '.cache/narthex/lz4', '.cache/narthex/ui']) {
      if (!existsSync(path.join(ROOT, name))) continue;
      mkdirSync(this.cache, { recursive: true });
      copyFileSync(path.join(ROOT, name), this.path(name));
    }
    const builtUi = path.join(ROOT, 'web/ui/dist');
    if (existsSync(builtUi)) cpSync(builtUi, this.path('web/ui/dist'), { recursive: true });
  }

  path(...names: string[]): string {
    return path.join(this.folder, ...names);
  }

  get cache(): string {
    return this.path('.cache/narthex');
  }

  /** Runs `bin/narthex` (or `program`) from another folder, until it ends. */
  run(args: readonly string[], options: { program?: string; uid?: number } = {}): Promise<Result> {
    const { program = this.path('bin/narthex'), uid } = options;
    return new Promise((resolve) => {
      const child = spawn(program, args, {
        cwd: tmpdir(),
        env: plainEnvironment(),
        ...(uid === undefined ? {} : { uid }),
      });
      let [out, err] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
      child.on('close', (status) => resolve({ status, out, err }));
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function filesBelow(folder: string): string[] {
  const skipped = new Set(['node_modules', '.cache', '.git', 'dist', 'data']);
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (!entry.isDirectory()) return [file];
    return skipped.has(entry.name) ? [] : filesBelow(file);
  });
}
