/**
 * Names of blocks: ULIDs, 48 bits of time in milliseconds and 80 bits of chance, as 26 characters that
 * sort like the time does.
 * Source: the ULID specification (github.com/ulid/spec).
 */
import { assert } from '../../model/index.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'; // Crockford's base 32
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const TIME_MS_MAX = 2 ** 48 - 1;
const CHANCE_SIZE_BYTES = 10;

export function isUlid(name: string): boolean {
  return ULID.test(name);
}

/** The time part. */
export function ulidTimeMs(ulid: string): number {
  assert(isUlid(ulid), 'not a ULID');
  let timeMs = 0;
  for (let i = 0; i < 10; i++) timeMs = timeMs * 32 + ALPHABET.indexOf(ulid[i]!);
  return timeMs;
}

export function encodeUlid(timeMs: number, chance: Uint8Array): string {
  assert(Number.isInteger(timeMs) && timeMs >= 0 && timeMs <= TIME_MS_MAX, 'time out of range');
  assert(chance.length === CHANCE_SIZE_BYTES, 'ten bytes of chance are needed');
  let text = '';
  for (let i = 0, left = timeMs; i < 10; i++, left = Math.floor(left / 32)) {
    text = ALPHABET[left % 32]! + text;
  }
  // Ten bytes are sixteen digits of five bits exactly.
  let bits = 0;
  let bitCount = 0;
  for (const byte of chance) {
    bits = (bits << 8) | byte;
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      text += ALPHABET[(bits >>> bitCount) & 31]!;
    }
    bits &= 31;
  }
  return text;
}

/** Makes ULIDs that ascend even within one millisecond. */
export class UlidSource {
  readonly #fill: (chance: Uint8Array) => void;
  readonly #chance = new Uint8Array(CHANCE_SIZE_BYTES);
  #lastMs = -1;

  /** @param fill  fills an array with random bytes; replaceable for tests */
  constructor(fill: (chance: Uint8Array) => void = fillAtRandom) {
    this.#fill = fill;
  }

  next(nowMs: number): string {
    if (nowMs <= this.#lastMs) {
      // One up from the one before; a carry out of the top moves on to the next millisecond.
      let i = CHANCE_SIZE_BYTES - 1;
      while (i >= 0 && this.#chance[i] === 0xff) this.#chance[i--] = 0;
      if (i >= 0) this.#chance[i]!++;
      else this.#lastMs++;
    } else {
      this.#fill(this.#chance);
      this.#lastMs = nowMs;
    }
    return encodeUlid(this.#lastMs, this.#chance);
  }
}

/** Asks for the module only now: it takes 1 MB in each thread, and threads that only read need none. */
function fillAtRandom(chance: Uint8Array): void {
  process.getBuiltinModule('node:crypto').randomFillSync(chance);
}
