/**
 * The UTF-8 bytes and the hash of texts, without allocating: several texts at a time lie one
 * behind the other in a scratch buffer.
 */
const encoder = new TextEncoder();

/** FNV-1a. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export class TextBytes {
  bytes: Uint8Array = new Uint8Array(4096);
  /** Text `i` is `bytes[starts[i], starts[i + 1])`. */
  starts = new Uint32Array(130);
  hashes = new Uint32Array(129);
  count = 0;

  clear(): void {
    this.count = 0;
    this.starts[0] = 0;
  }

  /** Adds a text and returns its index. */
  add(text: string): number {
    const index = this.count++;
    if (index + 1 >= this.starts.length) this.#growIndexes();
    let at = this.starts[index]!;
    if (at + text.length * 3 > this.bytes.length) this.#growBytes(at + text.length * 3);
    const { bytes } = this;
    let hash = HASH_START;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return this.#addUnicode(text, index);
      bytes[at++] = code;
      hash = Math.imul(hash ^ code, HASH_PRIME);
    }
    this.starts[index + 1] = at;
    this.hashes[index] = finish(hash);
    return index;
  }

  /** Adds a text that is UTF-8 already and returns its index. */
  addBytes(source: Uint8Array, start: number, end: number): number {
    const index = this.count++;
    if (index + 1 >= this.starts.length) this.#growIndexes();
    let at = this.starts[index]!;
    if (at + end - start > this.bytes.length) this.#growBytes(at + end - start);
    const { bytes } = this;
    let hash = HASH_START;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      bytes[at++] = byte;
      hash = Math.imul(hash ^ byte, HASH_PRIME);
    }
    this.starts[index + 1] = at;
    this.hashes[index] = finish(hash);
    return index;
  }

  /**
   * Texts that lie one behind the other in `bytes` from `start` on, and whose hashes are known: they
   * are not copied. To be followed by {@link adoptNext} for each; nothing else may be added then.
   */
  adopt(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.count = 0;
    this.starts[0] = start;
  }

  adoptNext(sizeBytes: number, hash: number): void {
    const index = this.count++;
    this.starts[index + 1] = this.starts[index]! + sizeBytes;
    this.hashes[index] = hash;
  }

  #addUnicode(text: string, index: number): number {
    const start = this.starts[index]!;
    const { written } = encoder.encodeInto(text, this.bytes.subarray(start));
    this.starts[index + 1] = start + written;
    this.hashes[index] = hashBytes(this.bytes, start, start + written);
    return index;
  }

  #growBytes(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
  }

  #growIndexes(): void {
    const starts = new Uint32Array(this.starts.length * 2);
    starts.set(this.starts);
    this.starts = starts;
    const hashes = new Uint32Array(this.hashes.length * 2);
    hashes.set(this.hashes);
    this.hashes = hashes;
  }
}

/** FNV-1a with a final mix, because tables use its low bits. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = HASH_START;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, HASH_PRIME);
  return finish(hash);
}

function finish(hash: number): number {
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return hash >>> 0;
}

/** The hash of a sequence out of the hashes of its parts. */
export function combineHashes(hash: number, next: number): number {
  hash = Math.imul(hash ^ next, 0x9e3779b1);
  return (hash ^ (hash >>> 15)) >>> 0;
}
