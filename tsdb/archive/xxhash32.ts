/**
 * xxHash with 32 bits and seed 0: the checksum inside lz4 frames. Four lanes take four bytes each of
 * every stripe; what is left at the end goes in by words, then by bytes.
 * Page: docs/format/snapshot-archive.md. Source: xxHash fast digest algorithm, specification 0.1.1.
 */
import { assert } from '../../model/index.ts';

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;
const STRIPE_SIZE_BYTES = 16;

export class XxHash32 {
  #lane1 = (PRIME_1 + PRIME_2) | 0;
  #lane2 = PRIME_2 | 0;
  #lane3 = 0;
  #lane4 = -PRIME_1 | 0;
  #totalBytes = 0;
  /** Of the last piece, shorter than a stripe. */
  #rest: Uint8Array = new Uint8Array(0);

  /** Only the last piece may have a length that is no multiple of 16. */
  update(piece: Uint8Array): void {
    assert(this.#rest.length === 0, 'a piece after the last one');
    const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
    const end = piece.length - (piece.length % STRIPE_SIZE_BYTES);
    let [lane1, lane2, lane3, lane4] = [this.#lane1, this.#lane2, this.#lane3, this.#lane4];
    for (let at = 0; at < end; at += STRIPE_SIZE_BYTES) {
      lane1 = round(lane1, view.getUint32(at, true));
      lane2 = round(lane2, view.getUint32(at + 4, true));
      lane3 = round(lane3, view.getUint32(at + 8, true));
      lane4 = round(lane4, view.getUint32(at + 12, true));
    }
    this.#lane1 = lane1;
    this.#lane2 = lane2;
    this.#lane3 = lane3;
    this.#lane4 = lane4;
    this.#totalBytes += piece.length;
    this.#rest = piece.slice(end);
  }

  digest(): number {
    let hash =
      this.#totalBytes < STRIPE_SIZE_BYTES
        ? PRIME_5
        : (rotate(this.#lane1, 1) +
            rotate(this.#lane2, 7) +
            rotate(this.#lane3, 12) +
            rotate(this.#lane4, 18)) |
          0;
    hash = (hash + this.#totalBytes) | 0;
    const rest = this.#rest;
    const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
    let at = 0;
    for (; at + 4 <= rest.length; at += 4) {
      hash = (hash + Math.imul(view.getUint32(at, true), PRIME_3)) | 0;
      hash = Math.imul(rotate(hash, 17), PRIME_4);
    }
    for (; at < rest.length; at++) {
      hash = (hash + Math.imul(rest[at]!, PRIME_5)) | 0;
      hash = Math.imul(rotate(hash, 11), PRIME_1);
    }
    hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
    hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
    return (hash ^ (hash >>> 16)) >>> 0;
  }
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
