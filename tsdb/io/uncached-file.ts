/**
 * A new file whose content does not stay in the page cache: written with O_DIRECT, in whole pages
 * from memory that begins at a page. The last page is written whole, too, and the file then cut.
 * Source: open(2), "O_DIRECT"; Prometheus, "Feature flags", uncached IO.
 */
import fs from 'node:fs';
import { fileErrorCode, type FileHandle } from './files.ts';

/** A multiple of what devices ask for. */
const PAGE_SIZE_BYTES = 4096;
const BUFFER_SIZE_BYTES = 1024 * 1024;

export class UncachedFile implements FileHandle {
  readonly path: string;
  readonly #descriptor: number;
  /** Memory of WebAssembly begins at a page; other memory may not. */
  readonly #buffer = new Uint8Array(
    new WebAssembly.Memory({ initial: BUFFER_SIZE_BYTES / 65_536 }).buffer,
  );
  /** What waits in the buffer belongs behind the pages that are in the file. */
  #writtenBytes = 0;
  #used = 0;

  private constructor(path: string, descriptor: number) {
    this.path = path;
    this.#descriptor = descriptor;
  }

  /** Null where the system or the file system cannot do it. */
  static create(path: string): UncachedFile | null {
    const { O_DIRECT, O_RDWR, O_CREAT, O_TRUNC } = fs.constants as Partial<typeof fs.constants>;
    if (O_DIRECT === undefined) return null;
    try {
      const flags = O_DIRECT | O_RDWR! | O_CREAT! | O_TRUNC!;
      return new UncachedFile(path, fs.openSync(path, flags, 0o666));
    } catch (error) {
      if (fileErrorCode(error) === 'EINVAL') return null;
      throw error;
    }
  }

  sizeBytes(): number {
    return this.#writtenBytes + this.#used;
  }

  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    for (let at = start; at < end; ) {
      const size = Math.min(end - at, BUFFER_SIZE_BYTES - this.#used);
      this.#buffer.set(bytes.subarray(at, at + size), this.#used);
      this.#used += size;
      at += size;
      if (this.#used < BUFFER_SIZE_BYTES) continue;
      this.#writePages(BUFFER_SIZE_BYTES);
      this.#writtenBytes += BUFFER_SIZE_BYTES;
      this.#used = 0;
    }
  }

  /** What was appended can be made durable any number of times; the last page is written again then. */
  sync(): void {
    const wholeBytes = this.#used - (this.#used % PAGE_SIZE_BYTES);
    const pagesEnd = wholeBytes === this.#used ? wholeBytes : wholeBytes + PAGE_SIZE_BYTES;
    if (pagesEnd > 0) {
      this.#buffer.fill(0, this.#used, pagesEnd);
      this.#writePages(pagesEnd);
      fs.ftruncateSync(this.#descriptor, this.sizeBytes());
      this.#buffer.copyWithin(0, wholeBytes, this.#used);
      this.#writtenBytes += wholeBytes;
      this.#used -= wholeBytes;
    }
    fs.fdatasyncSync(this.#descriptor);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  read(): number {
    throw new Error(`${this.path} is open for appending only`);
  }
  write(): void {
    throw new Error(`${this.path} is open for appending only`);
  }
  truncate(): void {
    throw new Error(`${this.path} is open for appending only`);
  }
  closeSynced(): void {
    throw new Error(`${this.path} is synced where it is written`);
  }

  #writePages(sizeBytes: number): void {
    let at = 0;
    while (at < sizeBytes) {
      const done = fs.writeSync(
        this.#descriptor,
        this.#buffer,
        at,
        sizeBytes - at,
        this.#writtenBytes + at,
      );
      // A short write may end within a page, from where O_DIRECT cannot go on.
      at += done - (done % PAGE_SIZE_BYTES);
      if (done < PAGE_SIZE_BYTES)
        throw new Error(`${this.path}: a page could not be written whole`);
    }
  }
}
