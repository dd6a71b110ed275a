/**
 * XXH64 with seed 0, in halves of 32 bits, because JavaScript has no fast integers of 64.
 * Source: "xxHash fast digest algorithm", the specification, version 0.1.1, section XXH64.
 */

/** High and low half of each prime of the specification. */
const P1 = [0x9e3779b1, 0x85ebca87] as const;
const P2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const P3 = [0x165667b1, 0x9e3779f9] as const;
const P4 = [0x85ebca77, 0xc2b2ae63] as const;
const P5 = [0x27d4eb2f, 0x165667c5] as const;
type Constant = readonly [high: number, low: number];

const STRIPE_SIZE_BYTES = 32;

/** A number of 64 bits that changes in place. */
class Word64 {
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high >>> 0;
    this.low = low >>> 0;
    return this;
  }

  add(high: number, low: number): this {
    const sum = this.low + low;
    return this.set(this.high + high + (sum > 0xffff_ffff ? 1 : 0), sum);
  }

  xor(high: number, low: number): this {
    return this.set(this.high ^ high, this.low ^ low);
  }

  /** @param bits  1 … 31 */
  rotateLeft(bits: number): this {
    const { high, low } = this;
    return this.set((high << bits) | (low >>> (32 - bits)), (low << bits) | (high >>> (32 - bits)));
  }

  /** Exclusive or with itself, shifted to the right by `bits`, 1 … 63. */
  mixRight(bits: number): this {
    const { high, low } = this;
    if (bits >= 32) return this.xor(0, high >>> (bits - 32));
    return this.xor(high >>> bits, (low >>> bits) | (high << (32 - bits)));
  }

  /** The lower 64 bits of the product, by parts of 16. */
  multiply([high, low]: Constant): this {
    const a0 = this.low & 0xffff;
    const a1 = this.low >>> 16;
    const b0 = low & 0xffff;
    const b1 = low >>> 16;
    const lowest = a0 * b0;
    const middle = a1 * b0 + (lowest >>> 16);
    const crossed = a0 * b1 + (middle % 65_536);
    const carried = a1 * b1 + Math.floor(middle / 65_536) + Math.floor(crossed / 65_536);
    const top = Math.imul(this.high, low) + Math.imul(this.low, high);
    return this.set(carried + top, ((crossed % 65_536) << 16) | (lowest & 0xffff));
  }
}

const accumulators = [new Word64(), new Word64(), new Word64(), new Word64()] as const;
const lane = new Word64();
const hash = new Word64();

function readWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** One step of `accumulator` with the 8 bytes at `at`. */
function round(accumulator: Word64, bytes: Uint8Array, at: number): Word64 {
  lane.set(readWord(bytes, at + 4), readWord(bytes, at)).multiply(P2);
  return accumulator.add(lane.high, lane.low).rotateLeft(31).multiply(P1);
}

/** The hash of `bytes[0, length)` as a number in [0, 1]: divided by 2⁶⁴, rounded to a double. */
export function xxhash64Share(bytes: Uint8Array, length: number): number {
  let at = 0;
  if (length >= STRIPE_SIZE_BYTES) at = hashStripes(bytes, length);
  else hash.set(P5[0], P5[1]);
  hash.add(0, length);
  const merged = accumulators[0];
  for (; at + 8 <= length; at += 8) {
    round(merged.set(0, 0), bytes, at);
    hash.xor(merged.high, merged.low).rotateLeft(27).multiply(P1).add(P4[0], P4[1]);
  }
  if (at + 4 <= length) {
    lane.set(0, readWord(bytes, at)).multiply(P1);
    hash.xor(lane.high, lane.low).rotateLeft(23).multiply(P2).add(P3[0], P3[1]);
    at += 4;
  }
  for (; at < length; at++) {
    lane.set(0, bytes[at]!).multiply(P5);
    hash.xor(lane.high, lane.low).rotateLeft(11).multiply(P1);
  }
  hash.mixRight(33).multiply(P2).mixRight(29).multiply(P3).mixRight(32);
  return (hash.high * 2 ** 32 + hash.low) / 2 ** 64;
}

/** Whole stripes; returns where they end. */
function hashStripes(bytes: Uint8Array, length: number): number {
  const [a, b, c, d] = accumulators;
  a.set(P1[0], P1[1]).add(P2[0], P2[1]);
  b.set(P2[0], P2[1]);
  c.set(0, 0);
  // Minus the first prime, in two's complement.
  d.set(~P1[0], ~P1[1]).add(0, 1);
  let at = 0;
  for (; at + STRIPE_SIZE_BYTES <= length; at += STRIPE_SIZE_BYTES) {
    for (let i = 0; i < 4; i++) round(accumulators[i]!, bytes, at + i * 8);
  }
  hash.set(0, 0);
  for (const [i, bits] of [1, 7, 12, 18].entries()) {
    lane.set(accumulators[i]!.high, accumulators[i]!.low).rotateLeft(bits);
    hash.add(lane.high, lane.low);
  }
  for (const accumulator of accumulators) {
    accumulator.multiply(P2).rotateLeft(31).multiply(P1);
    hash.xor(accumulator.high, accumulator.low).multiply(P1).add(P4[0], P4[1]);
  }
  return at;
}
