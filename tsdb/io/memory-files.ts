/**
 * The file port in memory, and what a power loss does to it.
 *
 * The model is deliberately unkind, as POSIX allows: a write lasts only after `sync` of its file, a
 * name only after `syncDirectory` of its directory. At a crash, of what was not synced any part may
 * have reached the disk: later writes without earlier ones, and single writes torn between sectors.
 * A killed process (as opposed to a power loss) loses nothing that was written.
 */
import { dirname } from 'node:path';
import type { FileHandle, Files, FileStat, OpenMode } from './files.ts';

const SECTOR_SIZE_BYTES = 512;

/** What a crash leaves of unsynced work. */
export type CrashSurvival = 'everything' | 'synced-only' | 'random';

type ContentChange =
  | { readonly kind: 'write'; readonly offsetBytes: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

/** A file, apart from its names. */
class MemoryFile {
  bytes = new Uint8Array(0);
  size = 0;
  durable = new Uint8Array(0);
  unsynced: ContentChange[] = [];

  apply(change: ContentChange): void {
    if (change.kind === 'truncate') {
      if (change.sizeBytes > this.bytes.length) this.#grow(change.sizeBytes);
      if (change.sizeBytes < this.size) this.bytes.fill(0, change.sizeBytes, this.size);
      this.size = change.sizeBytes;
      return;
    }
    if (change.bytes.length === 0) return; // does not even make a file longer
    const end = change.offsetBytes + change.bytes.length;
    if (end > this.bytes.length) this.#grow(end);
    this.bytes.set(change.bytes, change.offsetBytes);
    this.size = Math.max(this.size, end);
  }

  sync(): void {
    this.durable = this.bytes.slice(0, this.size);
    this.unsynced = [];
  }

  #grow(size: number): void {
    const grown = new Uint8Array(Math.max(size, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.size));
    this.bytes = grown;
  }

  static of(content: Uint8Array): MemoryFile {
    const file = new MemoryFile();
    file.bytes = content.slice();
    file.size = content.length;
    file.durable = content.slice();
    return file;
  }
}

type Node = MemoryFile | 'directory';
type NameChange =
  | { readonly kind: 'set'; readonly path: string; readonly node: Node | null }
  /** One step, as rename promises: both names change or neither. */
  | { readonly kind: 'move'; readonly from: string; readonly to: string; readonly node: Node };

export class MemoryFiles implements Files {
  readonly #nodes = new Map<string, Node>();
  readonly #durableNames = new Map<string, Node>();
  /** By directory, oldest first. */
  readonly #unsyncedNames = new Map<string, NameChange[]>();
  /** Room left on the device; writes beyond it fail with ENOSPC after filling it. */
  freeBytes = Number.POSITIVE_INFINITY;
  /** What the device holds in all; for retention by percentage. */
  deviceBytes = Number.POSITIVE_INFINITY;
  /** How often anything was written, for tests that count system calls. */
  writeCount = 0;

  open(path: string, mode: OpenMode): FileHandle {
    let node = this.#nodes.get(path);
    if (node === 'directory') throw fileError('EISDIR', 'open', path);
    if (node === undefined) {
      if (mode === 'read') throw fileError('ENOENT', 'open', path);
      node = new MemoryFile();
      this.#rename({ kind: 'set', path, node });
    } else if (mode !== 'append' && mode !== 'read') {
      this.#change(node, { kind: 'truncate', sizeBytes: 0 });
    }
    return this.#handle(path, node);
  }

  stat(path: string): FileStat | null {
    const node = this.#nodes.get(path);
    if (node === undefined) return null;
    if (node === 'directory') return { kind: 'directory', sizeBytes: 0, modifiedMs: 0 };
    return { kind: 'file', sizeBytes: node.size, modifiedMs: 0 };
  }

  list(directory: string): string[] {
    const names: string[] = [];
    for (const path of this.#nodes.keys()) {
      if (path !== directory && dirname(path) === directory) {
        names.push(path.slice(directory.length + (directory.endsWith('/') ? 0 : 1)));
      }
    }
    return names.sort();
  }

  makeDirectory(path: string): void {
    if (this.#nodes.get(path) === 'directory' || path === '/' || path === '.') return;
    const parent = dirname(path);
    if (parent !== path) this.makeDirectory(parent);
    this.#rename({ kind: 'set', path, node: 'directory' });
  }

  remove(path: string): void {
    const node = this.#nodes.get(path);
    if (node === 'directory') throw fileError('EISDIR', 'remove', path);
    if (node !== undefined) this.#rename({ kind: 'set', path, node: null });
  }

  removeTree(path: string): void {
    const inside = [...this.#nodes.keys()].filter((name) => name.startsWith(`${path}/`));
    // Deepest first, as it happens on a real disk: a crash may leave the upper part.
    for (const name of inside.sort().reverse()) {
      this.#rename({ kind: 'set', path: name, node: null });
    }
    if (this.#nodes.has(path)) this.#rename({ kind: 'set', path, node: null });
  }

  rename(from: string, to: string): void {
    const node = this.#nodes.get(from);
    if (node === undefined) throw fileError('ENOENT', 'rename', from);
    if (node === 'directory' && this.list(to).length > 0)
      throw fileError('ENOTEMPTY', 'rename', to);
    if (node === 'directory') this.#moveJournals(from, to);
    this.#rename({ kind: 'move', from, to, node });
  }

  link(existing: string, added: string): void {
    const node = this.#nodes.get(existing);
    if (node === undefined) throw fileError('ENOENT', 'link', existing);
    if (this.#nodes.has(added)) throw fileError('EEXIST', 'link', added);
    this.#rename({ kind: 'set', path: added, node });
  }

  truncate(path: string, sizeBytes: number): void {
    const node = this.#nodes.get(path);
    if (!(node instanceof MemoryFile)) throw fileError('ENOENT', 'truncate', path);
    this.#change(node, { kind: 'truncate', sizeBytes });
  }

  syncDirectory(path: string): void {
    for (const change of this.#unsyncedNames.get(path) ?? []) {
      applyName(this.#durableNames, change);
    }
    this.#unsyncedNames.delete(path);
  }

  deviceSizeBytes(_path: string): number {
    return this.deviceBytes;
  }

  readAll(path: string): Uint8Array {
    const node = this.#nodes.get(path);
    if (!(node instanceof MemoryFile)) throw fileError('ENOENT', 'open', path);
    return node.bytes.slice(0, node.size);
  }

  /** Puts a finished, durable file there; for setting the scene of a test. */
  put(path: string, content: Uint8Array): void {
    this.makeDirectory(dirname(path));
    const file = MemoryFile.of(content);
    this.#nodes.set(path, file);
    this.#durableNames.set(path, file);
  }

  /** The disk as it is found after a crash. `random` gives numbers in [0, 1). */
  crash(survival: CrashSurvival, random: () => number = Math.random): MemoryFiles {
    const after = new MemoryFiles();
    const names = survival === 'everything' ? this.#nodes : this.#survivingNames(survival, random);
    const copies = new Map<MemoryFile, MemoryFile>();
    for (const [path, node] of names) {
      if (!everyParentExists(path, names)) continue;
      let copy: Node = 'directory';
      if (node !== 'directory') {
        const file = copies.get(node) ?? survivingContent(node, survival, random);
        copies.set(node, file);
        copy = file;
      }
      after.#nodes.set(path, copy);
      after.#durableNames.set(path, copy);
    }
    return after;
  }

  #survivingNames(survival: CrashSurvival, random: () => number): Map<string, Node> {
    const names = new Map(this.#durableNames);
    if (survival === 'synced-only') return names;
    for (const changes of this.#unsyncedNames.values()) {
      // A directory's own changes reach the disk in order; how many of them is chance.
      const keptCount = Math.floor(random() * (changes.length + 1));
      for (const change of changes.slice(0, keptCount)) applyName(names, change);
    }
    return names;
  }

  #rename(change: NameChange): void {
    applyName(this.#nodes, change);
    const directory = dirname(change.kind === 'set' ? change.path : change.to);
    const changes = this.#unsyncedNames.get(directory) ?? [];
    changes.push(change);
    this.#unsyncedNames.set(directory, changes);
  }

  /** What a moved directory has not made durable yet is made durable under its new name. */
  #moveJournals(from: string, to: string): void {
    const moved = (path: string) => `${to}${path.slice(from.length)}`;
    for (const [directory, changes] of Array.from(this.#unsyncedNames)) {
      if (directory !== from && !directory.startsWith(`${from}/`)) continue;
      this.#unsyncedNames.delete(directory);
      const renamed = changes.map(
        (change): NameChange =>
          change.kind === 'set'
            ? { ...change, path: moved(change.path) }
            : { ...change, from: moved(change.from), to: moved(change.to) },
      );
      this.#unsyncedNames.set(moved(directory), renamed);
    }
  }

  #change(file: MemoryFile, change: ContentChange): void {
    file.apply(change);
    file.unsynced.push(change);
  }

  #handle(path: string, file: MemoryFile): FileHandle {
    const write = (offsetBytes: number, bytes: Uint8Array, start: number, end: number) => {
      this.writeCount++;
      const grows = Math.max(0, offsetBytes + end - start - file.size);
      const lacking = Math.max(0, grows - this.freeBytes);
      const stored = bytes.slice(start, end - lacking);
      this.freeBytes -= grows - lacking;
      this.#change(file, { kind: 'write', offsetBytes, bytes: stored });
      if (lacking > 0) throw fileError('ENOSPC', 'write', path);
    };
    return {
      path,
      sizeBytes: () => file.size,
      read(offsetBytes, target, targetStart, length) {
        const count = Math.max(0, Math.min(length, file.size - offsetBytes));
        target.set(file.bytes.subarray(offsetBytes, offsetBytes + count), targetStart);
        return count;
      },
      append: (bytes, start = 0, end = bytes.length) => write(file.size, bytes, start, end),
      write: (offsetBytes, bytes, start = 0, end = bytes.length) =>
        write(offsetBytes, bytes, start, end),
      truncate: (sizeBytes) => this.#change(file, { kind: 'truncate', sizeBytes }),
      sync: () => file.sync(),
      close() {},
      closeSynced: (onEnd) => {
        file.sync();
        onEnd(null);
      },
    };
  }
}

function applyName(names: Map<string, Node>, change: NameChange): void {
  if (change.kind === 'set') {
    if (change.node === null) names.delete(change.path);
    else names.set(change.path, change.node);
    return;
  }
  const { from, to, node } = change;
  for (const [path, inner] of Array.from(names)) {
    if (!path.startsWith(`${from}/`)) continue;
    names.delete(path);
    names.set(`${to}${path.slice(from.length)}`, inner);
  }
  names.delete(from);
  names.set(to, node);
}

function everyParentExists(path: string, names: ReadonlyMap<string, Node>): boolean {
  for (let parent = dirname(path); parent !== '/' && parent !== '.'; parent = dirname(parent)) {
    if (names.get(parent) !== 'directory') return false;
  }
  return true;
}

function survivingContent(
  file: MemoryFile,
  survival: CrashSurvival,
  random: () => number,
): MemoryFile {
  if (survival === 'everything') return MemoryFile.of(file.bytes.slice(0, file.size));
  const after = MemoryFile.of(file.durable);
  if (survival === 'synced-only') return after;
  for (const change of file.unsynced) {
    if (change.kind === 'truncate') {
      if (random() < 0.7) after.apply(change);
      continue;
    }
    const luck = random();
    if (luck < 0.5) after.apply(change);
    else if (luck < 0.8) after.apply(torn(change, random));
  }
  return MemoryFile.of(after.bytes.slice(0, after.size));
}

/** Some sectors of a write, from one end. */
function torn(change: ContentChange & { kind: 'write' }, random: () => number): ContentChange {
  const { offsetBytes, bytes } = change;
  const firstSector = Math.floor(offsetBytes / SECTOR_SIZE_BYTES);
  const sectorCount =
    Math.floor((offsetBytes + bytes.length) / SECTOR_SIZE_BYTES) - firstSector + 1;
  const cutBytes = (firstSector + Math.floor(random() * sectorCount)) * SECTOR_SIZE_BYTES;
  const cut = Math.min(bytes.length, Math.max(0, cutBytes - offsetBytes));
  if (random() < 0.5) return { kind: 'write', offsetBytes, bytes: bytes.slice(0, cut) };
  return { kind: 'write', offsetBytes: offsetBytes + cut, bytes: bytes.slice(cut) };
}

function fileError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code });
}
