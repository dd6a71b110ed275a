/**
 * Memory for bodies that are on their way, used again from answer to answer: a server that scrapes
 * 10 MB a second would otherwise leave as much garbage.
 *
 * After a start all targets answer at the same time, and never again: buffers that nobody has
 * needed for a while are given back.
 */

/** What is kept for later at most, all buffers together. */
const SPARE_SIZE_MAX_BYTES = 32 * 1024 * 1024;
const SIZE_MIN_BYTES = 16 * 1024;
/** Spare buffers that were not needed during so many answers are too many. */
const ANSWERS_PER_SWEEP = 256;

export class BodyBuffers {
  /** Spare buffers by the exponent of their size, a power of two. */
  readonly #spare: Uint8Array<ArrayBuffer>[][] = [];
  #spareBytes = 0;
  /** The fewest spare buffers there were since the last sweep, by exponent. */
  readonly #unused: number[] = [];
  #answers = 0;

  /** A buffer of at least `sizeBytes`, its content undefined. */
  take(sizeBytes: number): Uint8Array<ArrayBuffer> {
    const exponent = Math.ceil(Math.log2(Math.max(SIZE_MIN_BYTES, sizeBytes)));
    if (++this.#answers >= ANSWERS_PER_SWEEP) this.#sweep();
    const spares = this.#spare[exponent];
    const spare = spares?.pop();
    this.#unused[exponent] = Math.min(this.#unused[exponent] ?? 0, spares?.length ?? 0);
    if (spare === undefined) return new Uint8Array(2 ** exponent);
    this.#spareBytes -= spare.length;
    return spare;
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spareBytes + buffer.length > SPARE_SIZE_MAX_BYTES) return;
    const exponent = Math.log2(buffer.length);
    (this.#spare[exponent] ??= []).push(buffer);
    this.#spareBytes += buffer.length;
  }

  /** Bytes in buffers that wait to be used again. */
  get spareBytes(): number {
    return this.#spareBytes;
  }

  #sweep(): void {
    this.#answers = 0;
    this.#spare.forEach((spares, exponent) => {
      for (const buffer of spares.splice(0, this.#unused[exponent] ?? 0)) {
        this.#spareBytes -= buffer.length;
        // Frees the memory now; the garbage collector may come much later.
        buffer.buffer.transfer(0);
      }
      this.#unused[exponent] = spares.length;
    });
  }
}
