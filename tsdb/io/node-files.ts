/** The file port on node:fs. */
import fs from 'node:fs';
import {
  fileErrorCode,
  type FileHandle,
  type Files,
  type FileStat,
  type OpenMode,
} from './files.ts';
import { UncachedFile } from './uncached-file.ts';

const FLAGS: Record<OpenMode, string> = {
  read: 'r',
  create: 'w+',
  'create-uncached': 'w+',
  append: 'a+',
};

class NodeFile implements FileHandle {
  readonly path: string;
  #descriptor: number;
  /** Opened for appending, Linux ignores positions: every write goes to the end. */
  readonly #appends: boolean;
  /** Otherwise we must know where the end is. */
  #endBytes = 0;

  constructor(path: string, mode: OpenMode) {
    this.path = path;
    this.#descriptor = fs.openSync(path, FLAGS[mode], 0o666);
    this.#appends = mode === 'append';
  }

  sizeBytes(): number {
    return fs.fstatSync(this.#descriptor).size;
  }

  read(offsetBytes: number, target: Uint8Array, targetStart: number, length: number): number {
    let done = 0;
    while (done < length) {
      const count = fs.readSync(
        this.#descriptor,
        target,
        targetStart + done,
        length - done,
        offsetBytes + done,
      );
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (!this.#appends) {
      this.write(this.#endBytes, bytes, start, end);
      return;
    }
    let at = start;
    while (at < end) at += fs.writeSync(this.#descriptor, bytes, at, end - at, null);
  }

  write(offsetBytes: number, bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.#appends) throw new Error(`${this.path} is open for appending only`);
    let at = start;
    while (at < end) {
      at += fs.writeSync(this.#descriptor, bytes, at, end - at, offsetBytes + at - start);
      this.#endBytes = Math.max(this.#endBytes, offsetBytes + at - start);
    }
  }

  truncate(sizeBytes: number): void {
    fs.ftruncateSync(this.#descriptor, sizeBytes);
    this.#endBytes = sizeBytes;
  }

  sync(): void {
    fs.fdatasyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor < 0) return;
    fs.closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  closeSynced(onEnd: (error: unknown) => void): void {
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    fs.fdatasync(descriptor, (error) => {
      fs.closeSync(descriptor);
      onEnd(error);
    });
  }
}

class NodeFiles implements Files {
  deviceSizeBytes(path: string): number {
    const { blocks, bsize } = fs.statfsSync(path);
    return blocks * bsize;
  }

  open(path: string, mode: OpenMode): FileHandle {
    const uncached = mode === 'create-uncached' ? UncachedFile.create(path) : null;
    return uncached ?? new NodeFile(path, mode);
  }

  stat(path: string): FileStat | null {
    const stat = fs.statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return null;
    const kind = stat.isFile() ? 'file' : stat.isDirectory() ? 'directory' : 'other';
    return { kind, sizeBytes: stat.size, modifiedMs: stat.mtimeMs };
  }

  list(directory: string): string[] {
    try {
      return fs.readdirSync(directory).sort();
    } catch (error) {
      if (fileErrorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  makeDirectory(path: string): void {
    fs.mkdirSync(path, { recursive: true, mode: 0o777 });
  }

  remove(path: string): void {
    fs.rmSync(path, { force: true });
  }

  removeTree(path: string): void {
    fs.rmSync(path, { force: true, recursive: true });
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  link(existing: string, added: string): void {
    fs.linkSync(existing, added);
  }

  truncate(path: string, sizeBytes: number): void {
    fs.truncateSync(path, sizeBytes);
  }

  syncDirectory(path: string): void {
    const descriptor = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  }

  readAll(path: string): Uint8Array {
    return fs.readFileSync(path);
  }
}

/** The real file system. */
export const NODE_FILES: Files = new NodeFiles();
