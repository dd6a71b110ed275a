/**
 * The file port with changes kept in memory: what is below is only read. For looking at a directory
 * that belongs to somebody else, with code that repairs what it finds broken.
 */
import path from 'node:path';
import { assert } from '../../model/index.ts';
import type { FileHandle, Files, FileStat, OpenMode } from './files.ts';

/** A changed file; null stands for one that was removed. */
type Change = { bytes: Uint8Array } | null;

export class OverlayFiles implements Files {
  readonly #base: Files;
  readonly #changes = new Map<string, Change>();

  constructor(base: Files) {
    this.#base = base;
  }

  open(file: string, mode: OpenMode): FileHandle {
    const change = this.#changes.get(file);
    if (mode === 'read' && change === undefined) return this.#base.open(file, 'read');
    if (mode === 'read' && change === null) throw notFound(file);
    return new ChangedFile(file, this.#changed(file, mode === 'create'));
  }

  stat(file: string): FileStat | null {
    const change = this.#changes.get(file);
    if (change === undefined) return this.#base.stat(file);
    return change && { kind: 'file', sizeBytes: change.bytes.length, modifiedMs: 0 };
  }

  list(directory: string): string[] {
    const names = new Set(this.#base.list(directory));
    for (const [file, change] of this.#changes) {
      if (path.dirname(file) !== directory) continue;
      if (change === null) names.delete(path.basename(file));
      else names.add(path.basename(file));
    }
    return [...names].sort();
  }

  readAll(file: string): Uint8Array {
    const change = this.#changes.get(file);
    if (change === null) throw notFound(file);
    return change === undefined ? this.#base.readAll(file) : change.bytes.slice();
  }

  remove(file: string): void {
    this.#changes.set(file, null);
  }

  truncate(file: string, sizeBytes: number): void {
    const change = this.#changed(file, false);
    change.bytes = resized(change.bytes, sizeBytes);
  }

  deviceSizeBytes(file: string): number {
    return this.#base.deviceSizeBytes(file);
  }

  /** Nothing here survives the process anyway. */
  syncDirectory(): void {}

  /** Files in it are found by their paths. */
  makeDirectory(): void {}

  removeTree(directory: string): void {
    assert(false, `nothing that repairs removes a directory: ${directory}`);
  }

  rename(from: string): void {
    assert(false, `nothing that repairs renames: ${from}`);
  }

  link(existing: string): void {
    assert(false, `nothing that repairs links: ${existing}`);
  }

  /** The file's own copy, made when there is none yet. */
  #changed(file: string, isEmptied: boolean): { bytes: Uint8Array } {
    const known = this.#changes.get(file);
    if (known !== undefined && known !== null) {
      if (isEmptied) known.bytes = new Uint8Array(0);
      return known;
    }
    const isNew = isEmptied || known === null || this.#base.stat(file) === null;
    const change = { bytes: isNew ? new Uint8Array(0) : this.#base.readAll(file) };
    this.#changes.set(file, change);
    return change;
  }
}

class ChangedFile implements FileHandle {
  readonly path: string;
  readonly #change: { bytes: Uint8Array };

  constructor(file: string, change: { bytes: Uint8Array }) {
    this.path = file;
    this.#change = change;
  }

  sizeBytes(): number {
    return this.#change.bytes.length;
  }

  read(offsetBytes: number, target: Uint8Array, targetStart: number, length: number): number {
    const found = this.#change.bytes.subarray(offsetBytes, offsetBytes + length);
    target.set(found, targetStart);
    return found.length;
  }

  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.write(this.#change.bytes.length, bytes, start, end);
  }

  write(offsetBytes: number, bytes: Uint8Array, start = 0, end = bytes.length): void {
    const sizeBytes = Math.max(this.#change.bytes.length, offsetBytes + end - start);
    this.#change.bytes = resized(this.#change.bytes, sizeBytes);
    this.#change.bytes.set(bytes.subarray(start, end), offsetBytes);
  }

  truncate(sizeBytes: number): void {
    this.#change.bytes = resized(this.#change.bytes, sizeBytes);
  }

  sync(): void {}

  close(): void {}

  closeSynced(onEnd: (error: unknown) => void): void {
    onEnd(null);
  }
}

function resized(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  if (sizeBytes <= bytes.length) return bytes.slice(0, sizeBytes);
  const longer = new Uint8Array(sizeBytes);
  longer.set(bytes);
  return longer;
}

function notFound(file: string): Error {
  return Object.assign(new Error(`ENOENT: no such file or directory, open '${file}'`), {
    code: 'ENOENT',
  });
}
