/**
 * The `lock` file of a data directory. Prometheus holds an advisory flock on it; Node has no call
 * for that, but a lock belongs to the open file and is shared with children that inherit it. So the
 * `flock` program (util-linux, busybox) is started for a moment with our descriptor: it takes the
 * lock and ends, and the lock stays ours until we close the file or die, as it does in Prometheus.
 *
 * Where that program is missing, what remains is a weaker promise: our process id in the file,
 * believed while such a process lives, and on Linux a look at the kernel's list of locks, which
 * shows a running Prometheus too.
 *
 * Source: Prometheus storage documentation (`--storage.tsdb.no-lockfile`), flock(2), proc_locks(5).
 */
import { spawnSync, type StdioOptions } from 'node:child_process';
import fs from 'node:fs';
import { LimitError, type Logger, SILENT_LOGGER } from '../../model/index.ts';

/** Exit status that `flock` is told to use when somebody else has the lock. */
const HELD_STATUS = 75;
const REPLACED = 'A lockfile from a previous execution already existed. It was replaced';

export class DirectoryLock {
  readonly path: string;
  /** False when only the process id guards the directory. */
  readonly isKernelLock: boolean;
  /** False when the one before did not release it: it died, or was killed. */
  readonly wasClean: boolean;
  #descriptor: number;

  private constructor(path: string, descriptor: number, isKernelLock: boolean, wasClean: boolean) {
    this.path = path;
    this.#descriptor = descriptor;
    this.isKernelLock = isKernelLock;
    this.wasClean = wasClean;
  }

  /** @throws LimitError when another process uses the directory */
  static acquire(directory: string, logger: Logger = SILENT_LOGGER): DirectoryLock {
    const path = `${directory}/lock`;
    const wasClean = !fs.existsSync(path);
    for (;;) {
      const descriptor = fs.openSync(path, 'a+', 0o666);
      try {
        const isKernelLock = takeKernelLock(descriptor, path) || refuseWhenHeld(descriptor, path);
        // Whoever held it may have removed it between our opening and our locking.
        if (!isFileAt(path, fs.fstatSync(descriptor))) {
          fs.closeSync(descriptor);
          continue;
        }
        if (!wasClean) logger.warn(REPLACED, { file: path });
        fs.ftruncateSync(descriptor, 0);
        fs.writeSync(descriptor, `${process.pid}\n`);
        return new DirectoryLock(path, descriptor, isKernelLock, wasClean);
      } catch (error) {
        fs.closeSync(descriptor);
        throw error;
      }
    }
  }

  release(): void {
    if (this.#descriptor < 0) return;
    // Removed, which says that the end was clean, and while it is held still.
    fs.rmSync(this.path, { force: true });
    fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }
}

function isFileAt(path: string, { dev, ino }: fs.Stats): boolean {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  return found !== undefined && found.dev === dev && found.ino === ino;
}

/** True when the kernel now holds the lock for us, false when there is no program to ask it with. */
function takeKernelLock(descriptor: number, path: string): boolean {
  const status = runFlock(descriptor, '-x', '-n', '-E', String(HELD_STATUS), '3');
  if (status === HELD_STATUS) fail(path);
  if (status === 0 || status === null) return status === 0;
  // Busybox knows no -E, and its 1 may mean anything; whether the lock is held, the caller finds out.
  return runFlock(descriptor, '-x', '-n', '3') === 0;
}

/** Exit status; null when it cannot be run. The child has our file as its descriptor 3. */
function runFlock(descriptor: number, ...options: string[]): number | null {
  const stdio: StdioOptions = ['ignore', 'ignore', 'ignore', descriptor];
  return spawnSync('flock', options, { stdio }).status;
}

/** Always false: whoever passes here holds no kernel lock. */
function refuseWhenHeld(descriptor: number, path: string): false {
  if (isListedByKernel(fs.fstatSync(descriptor))) fail(path);
  const pid = Number.parseInt(fs.readFileSync(path, 'utf8'), 10);
  if (pid > 0 && pid !== process.pid && isAlive(pid)) fail(path, ` by process ${pid}`);
  return false;
}

function isListedByKernel(stat: fs.Stats): boolean {
  try {
    const locks = fs.readFileSync('/proc/locks', 'utf8');
    return locks
      .split('\n')
      .some((line) => line.includes('FLOCK') && line.includes(`:${stat.ino} `));
  } catch {
    return false; // not Linux
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function fail(path: string, by = ''): never {
  throw new LimitError(
    `lock DB directory: ${path} is held${by}: another server uses this data directory`,
    'storage.tsdb.no-lockfile',
  );
}
