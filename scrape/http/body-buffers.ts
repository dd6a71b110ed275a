/**
 * Memory for bodies that are on their way, used again from answer to answer: a server that scrapes
 * 10 MB a second would otherwise leave as much garbage.
 */

/** What is kept for later at most, all buffers together. */
const SPARE_SIZE_MAX_BYTES = 32 * 1024 * 1024;
const SIZE_MIN_BYTES = 16 * 1024;

export class BodyBuffers {
  /** Spare buffers by the exponent of their size, a power of two. */
  readonly #spare: Uint8Array<ArrayBuffer>[][] = [];
  #spareBytes = 0;

  /** A buffer of at least `sizeBytes`, its content undefined. */
  take(sizeBytes: number): Uint8Array<ArrayBuffer> {
    const exponent = Math.ceil(Math.log2(Math.max(SIZE_MIN_BYTES, sizeBytes)));
    const spare = this.#spare[exponent]?.pop();
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
}
