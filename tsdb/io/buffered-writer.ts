/** Gathers many small writes to the end of a file into few large ones. */
import type { FileHandle } from './files.ts';

/** Up to here copying byte by byte takes less than the view that a copy in one call needs. */
const LOOP_SIZE_BYTES_MAX = 64;

export class BufferedWriter {
  /** How much was written, including what still waits in the buffer. */
  position: number;
  readonly #file: FileHandle;
  readonly #buffer: Uint8Array;
  #used = 0;

  /** Takes over `file`, which is empty. */
  constructor(file: FileHandle, bufferSizeBytes = 1024 * 1024) {
    this.#file = file;
    this.#buffer = new Uint8Array(bufferSizeBytes);
    this.position = 0;
  }

  append(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const size = end - start;
    if (size > this.#buffer.length - this.#used) this.flush();
    if (size > this.#buffer.length) {
      this.#file.append(bytes, start, end);
    } else {
      this.#copy(bytes, start, end);
    }
    this.position += size;
  }

  /** Zeros until the position is a multiple of `alignment`. */
  pad(alignment: number): void {
    const over = this.position % alignment;
    if (over === 0) return;
    const size = alignment - over;
    if (size > this.#buffer.length - this.#used) this.flush();
    this.#buffer.fill(0, this.#used, this.#used + size);
    this.#used += size;
    this.position += size;
  }

  /** Overwrites bytes that were written before. */
  patch(offsetBytes: number, bytes: Uint8Array): void {
    this.flush();
    this.#file.write(offsetBytes, bytes);
  }

  flush(): void {
    if (this.#used === 0) return;
    this.#file.append(this.#buffer, 0, this.#used);
    this.#used = 0;
  }

  /** Writes what is left, makes it durable and closes the file. */
  finish(): void {
    this.flush();
    this.#file.sync();
    this.#file.close();
  }

  /** Closes without caring for the content. */
  abandon(): void {
    this.#file.close();
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    const buffer = this.#buffer;
    const used = this.#used;
    if (end - start <= LOOP_SIZE_BYTES_MAX) {
      for (let i = start; i < end; i++) buffer[used + i - start] = bytes[i]!;
    } else {
      const whole = start === 0 && end === bytes.length;
      buffer.set(whole ? bytes : bytes.subarray(start, end), used);
    }
    this.#used = used + end - start;
  }
}
