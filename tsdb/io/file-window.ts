/**
 * Reading files a window at a time through one bounded cache: what stands in for mapping them into
 * memory. A window that was loaded never changes, so bytes handed out stay good even after the cache
 * dropped them.
 *
 * The least recently used windows go first, by two generations: a hit in the old generation moves
 * the window to the young one, and when the young one is full the old one is dropped as a whole.
 * That costs nothing on a hit, where a linked list would.
 */
import { assert, CorruptionError } from '../../model/index.ts';
import type { FileHandle } from './files.ts';

const WINDOW_SIZE_BYTES = 256 * 1024;

/** Some consecutive bytes of a file: `bytes[i]` is the file's byte `startBytes + i`. */
export type Window = {
  readonly bytes: Uint8Array;
  readonly startBytes: number;
  readonly endBytes: number;
};

/** The budget that all windowed files of a thread share. */
export class WindowCache {
  readonly budgetBytes: number;
  readonly windowSizeBytes: number;
  #young = new Map<number, Window>();
  #old = new Map<number, Window>();
  #youngSizeBytes = 0;
  #nextFileKey = 0;
  /** How many windows were read from files. */
  loadCount = 0;

  constructor(budgetBytes = 64 * 1024 * 1024, windowSizeBytes = WINDOW_SIZE_BYTES) {
    assert(windowSizeBytes > 0 && budgetBytes >= windowSizeBytes, 'budget below one window');
    this.budgetBytes = budgetBytes;
    this.windowSizeBytes = windowSizeBytes;
  }

  /** @internal A number that tells one open file's windows from another's. */
  takeFileKey(): number {
    return this.#nextFileKey++;
  }

  /** @internal */
  find(key: number): Window | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#old.delete(key);
      this.put(key, old);
    }
    return old;
  }

  /** @internal */
  put(key: number, window: Window): void {
    if (this.#youngSizeBytes + window.bytes.length > this.budgetBytes / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSizeBytes = 0;
    }
    this.#young.set(key, window);
    this.#youngSizeBytes += window.bytes.length;
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
    this.#youngSizeBytes = 0;
  }
}

/** At most so many windows in one file: 2²⁰ windows of 256 KiB are 256 GiB. */
const WINDOWS_PER_FILE_MAX = 2 ** 20;

/** A file that is read and does not change while it is open. */
export class WindowedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #file: FileHandle;
  readonly #cache: WindowCache;
  readonly #key: number;
  #last: Window = { bytes: new Uint8Array(0), startBytes: 0, endBytes: 0 };

  /** Takes over `file`: closing this closes it. */
  constructor(file: FileHandle, cache: WindowCache) {
    this.path = file.path;
    this.sizeBytes = file.sizeBytes();
    this.#file = file;
    this.#cache = cache;
    this.#key = cache.takeFileKey() * WINDOWS_PER_FILE_MAX;
  }

  /**
   * A window that holds at least `[offsetBytes, offsetBytes + length)`; usually far more.
   * @throws CorruptionError when the file ends before
   */
  window(offsetBytes: number, length: number): Window {
    const last = this.#last;
    if (offsetBytes >= last.startBytes && offsetBytes + length <= last.endBytes) return last;
    return this.#find(offsetBytes, length);
  }

  /**
   * Like {@link window}, but near the end of the file with as much of `length` as there is.
   * For structures whose size is only known after reading their beginning.
   */
  windowUpTo(offsetBytes: number, length: number): Window {
    if (offsetBytes > this.sizeBytes) this.#failAtEnd(offsetBytes);
    return this.window(offsetBytes, Math.min(length, this.sizeBytes - offsetBytes));
  }

  /** Exactly the bytes `[offsetBytes, offsetBytes + length)`. */
  read(offsetBytes: number, length: number): Uint8Array {
    const { bytes, startBytes } = this.window(offsetBytes, length);
    return bytes.subarray(offsetBytes - startBytes, offsetBytes - startBytes + length);
  }

  close(): void {
    this.#file.close();
  }

  #find(offsetBytes: number, length: number): Window {
    if (offsetBytes < 0 || offsetBytes + length > this.sizeBytes) this.#failAtEnd(offsetBytes);
    const { windowSizeBytes } = this.#cache;
    const first = Math.floor(offsetBytes / windowSizeBytes);
    const end = offsetBytes + length;
    if (end <= (first + 1) * windowSizeBytes) {
      const window = this.#load(first);
      this.#last = window;
      return window;
    }
    if (length > windowSizeBytes) return this.#readApart(offsetBytes, length);
    // Across a border: both sides are probably wanted again, so join them from the cache.
    const left = this.#load(first);
    const right = this.#load(first + 1);
    const bytes = new Uint8Array(length);
    const leftPart = left.bytes.subarray(offsetBytes - left.startBytes);
    bytes.set(leftPart);
    bytes.set(right.bytes.subarray(0, length - leftPart.length), leftPart.length);
    this.#last = right;
    return { bytes, startBytes: offsetBytes, endBytes: end };
  }

  #load(index: number): Window {
    const found = this.#cache.find(this.#key + index);
    if (found !== undefined) return found;
    assert(index < WINDOWS_PER_FILE_MAX, 'file too large for its window keys');
    const startBytes = index * this.#cache.windowSizeBytes;
    const endBytes = Math.min(this.sizeBytes, startBytes + this.#cache.windowSizeBytes);
    const window = this.#readApart(startBytes, endBytes - startBytes);
    this.#cache.loadCount++;
    this.#cache.put(this.#key + index, window);
    return window;
  }

  #readApart(startBytes: number, length: number): Window {
    const bytes = new Uint8Array(length);
    if (this.#file.read(startBytes, bytes, 0, length) !== length) this.#failAtEnd(startBytes);
    return { bytes, startBytes, endBytes: startBytes + length };
  }

  #failAtEnd(offsetBytes: number): never {
    throw new CorruptionError('file ends early', { file: this.path, offsetBytes });
  }
}
