/**
 * Files that stop at a chosen moment, as a process does that is killed: the n-th change of anything
 * is done in half (a write) or not at all, and nothing works from then on.
 */
import type { FileHandle, Files, FileStat, OpenMode } from '../../../tsdb/io/files.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

export class KilledError extends Error {
  constructor() {
    super('the process was killed');
  }
}

export class MortalFiles implements Files {
  readonly files = new MemoryFiles();
  /** Changes so far. */
  changeCount = 0;
  readonly #lastChange: number;

  /** @param lastChange  number of the change that is not finished any more */
  constructor(lastChange = Infinity) {
    this.#lastChange = lastChange;
  }

  get isDead(): boolean {
    return this.changeCount >= this.#lastChange;
  }

  open(path: string, mode: OpenMode): FileHandle {
    // Opening makes a file where there is none, or empties it.
    const isChange =
      mode.startsWith('create') || (mode === 'append' && this.files.stat(path) === null);
    return isChange
      ? this.#change(() => this.#handle(this.files.open(path, mode)))
      : this.#handle(this.files.open(path, mode));
  }

  stat(path: string): FileStat | null {
    return this.files.stat(path);
  }
  list(directory: string): string[] {
    return this.files.list(directory);
  }
  deviceSizeBytes(path: string): number {
    return this.files.deviceSizeBytes(path);
  }
  readAll(path: string): Uint8Array {
    return this.files.readAll(path);
  }
  makeDirectory(path: string): void {
    if (this.files.stat(path) === null) this.#change(() => this.files.makeDirectory(path));
  }
  remove(path: string): void {
    if (this.files.stat(path) !== null) this.#change(() => this.files.remove(path));
  }
  removeTree(path: string): void {
    // One by one, deepest first, as it happens.
    for (const name of this.files.list(path)) {
      const inner = `${path}/${name}`;
      if (this.files.stat(inner)?.kind === 'directory') this.removeTree(inner);
      else this.remove(inner);
    }
    if (this.files.stat(path) !== null) this.#change(() => this.files.removeTree(path));
  }
  rename(from: string, to: string): void {
    this.#change(() => this.files.rename(from, to));
  }
  link(existing: string, added: string): void {
    this.#change(() => this.files.link(existing, added));
  }
  truncate(path: string, sizeBytes: number): void {
    this.#change(() => this.files.truncate(path, sizeBytes));
  }
  syncDirectory(path: string): void {
    this.#change(() => this.files.syncDirectory(path));
  }

  #change<T>(body: () => T): T {
    if (++this.changeCount >= this.#lastChange) throw new KilledError();
    return body();
  }

  #handle(handle: FileHandle): FileHandle {
    const write = (offset: number | null, bytes: Uint8Array, start: number, end: number) => {
      const isLast = this.changeCount + 1 === this.#lastChange;
      const writtenEnd = isLast ? start + ((end - start) >> 1) : end;
      const done = () =>
        offset === null
          ? handle.append(bytes, start, writtenEnd)
          : handle.write(offset, bytes, start, writtenEnd);
      if (isLast) done();
      this.#change(done);
    };
    return {
      path: handle.path,
      sizeBytes: () => handle.sizeBytes(),
      read: (offset, target, at, length) => handle.read(offset, target, at, length),
      append: (bytes, start = 0, end = bytes.length) => write(null, bytes, start, end),
      write: (offset, bytes, start = 0, end = bytes.length) => write(offset, bytes, start, end),
      truncate: (sizeBytes) => this.#change(() => handle.truncate(sizeBytes)),
      sync: () => this.#change(() => handle.sync()),
      close: () => handle.close(),
      closeSynced: (onError) => this.#change(() => handle.closeSynced(onError)),
    };
  }
}
