/**
 * The narrow, synchronous file port the storage room stands on. Everything that touches a disk goes
 * through it, so that a test can swap in a file system in memory that loses power.
 *
 * Failures are Node's own: an Error whose `code` is ENOENT, ENOSPC, EEXIST, …
 */
export interface Files {
  /**
   * `read`: must exist. `create`: truncates what is there. `create-uncached`: the same for a file that
   * can only be appended to, and that leaves the page cache alone where the system can do that.
   * `append`: goes on at its end.
   */
  open(path: string, mode: OpenMode): FileHandle;
  /** Null when nothing is there. */
  stat(path: string): FileStat | null;
  /** Sorted names in a directory; none when it does not exist. */
  list(directory: string): string[];
  /** Makes a directory and those above it; fine when it exists. */
  makeDirectory(path: string): void;
  /** Removes a file; fine when it is absent. */
  remove(path: string): void;
  /** Removes a directory and all below it; fine when it is absent. */
  removeTree(path: string): void;
  /** Replaces a file at `to`; a directory at `to` must be empty or absent. */
  rename(from: string, to: string): void;
  /** A second name for the same file. */
  link(existing: string, added: string): void;
  truncate(path: string, sizeBytes: number): void;
  /** Makes creations, renames and removals in a directory survive a power loss. */
  syncDirectory(path: string): void;
  /** Bytes that the device of a path holds when it is empty. */
  deviceSizeBytes(path: string): number;
  /** The whole file. */
  readAll(path: string): Uint8Array;
}

export type OpenMode = 'read' | 'create' | 'create-uncached' | 'append';

export type FileStat = {
  readonly kind: 'file' | 'directory' | 'other';
  readonly sizeBytes: number;
  readonly modifiedMs: number;
};

export interface FileHandle {
  readonly path: string;
  /** The size now, whoever changed it. */
  sizeBytes(): number;
  /**
   * Reads up to `length` bytes from `offsetBytes` into `target` at `targetStart`;
   * returns how many there were, less only at the end of the file.
   */
  read(offsetBytes: number, target: Uint8Array, targetStart: number, length: number): number;
  /** Writes all of `bytes[start, end)` at the end, or throws after some of it. */
  append(bytes: Uint8Array, start?: number, end?: number): void;
  /** Writes all of `bytes[start, end)` at `offsetBytes`, or throws after some of it. */
  write(offsetBytes: number, bytes: Uint8Array, start?: number, end?: number): void;
  truncate(sizeBytes: number): void;
  /** Makes the content survive a power loss. */
  sync(): void;
  close(): void;
  /** Syncs and closes without making the caller wait; `onEnd` hears why it failed, or null. */
  closeSynced(onEnd: (error: unknown) => void): void;
}

/** The `code` of a file error, such as ENOENT; empty for any other value. */
export function fileErrorCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** Bytes of all files below a directory, or of a file; 0 when absent. */
export function treeSizeBytes(files: Files, path: string): number {
  const stat = files.stat(path);
  if (stat === null) return 0;
  if (stat.kind !== 'directory') return stat.sizeBytes;
  let sizeBytes = 0;
  for (const name of files.list(path)) sizeBytes += treeSizeBytes(files, `${path}/${name}`);
  return sizeBytes;
}
