/**
 * 96 bits that stand for a text, or for a sequence of texts. They replace the text where a table of
 * all series would otherwise have to keep it: a million series meet by chance with a probability of
 * 10⁻¹⁷. The seeds differ from process to process, so that nobody can prepare a meeting.
 */
const [SEED_A = 0, SEED_B = 0, SEED_C = 0] = crypto.getRandomValues(new Uint32Array(3));

export class Fingerprint {
  a = 0;
  b = 0;
  c = 0;

  /** Of `bytes[start, end)`; `view` is on the same bytes. */
  ofBytes(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    let a = SEED_A | 0;
    let b = SEED_B | 0;
    let c = SEED_C ^ (end - start);
    let at = start;
    // Written out: called, the mixing costs twice as much. A pair of words goes into (a, b) in a
    // way that can be undone, so nothing is lost of it; c sees both once more.
    for (const last = end - 8; at <= last; at += 8) {
      const first = view.getInt32(at, true);
      const second = view.getInt32(at + 4, true);
      a = Math.imul(a ^ first, 0x1b873593);
      b = Math.imul(b ^ second, 0x2c1b3c6d);
      c = Math.imul(c ^ (first + ((second << 7) | (second >>> 25))), 0x9e3779b1);
      b = (b << 13) | (b >>> 19);
      a = (((a << 15) | (a >>> 17)) + b) | 0;
      c ^= c >>> 15;
    }
    let first = 0;
    let second = 0;
    for (let shift = 0; at < end; at++, shift += 8) {
      if (shift < 32) first |= bytes[at]! << shift;
      else second |= bytes[at]! << (shift - 32);
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.add(first, second, 0);
    this.finish();
  }

  /** Begins that of a sequence of `count` members. */
  begin(count: number): void {
    this.a = SEED_A | 0;
    this.b = SEED_B | 0;
    this.c = SEED_C ^ ~count;
  }

  /** Adds a member of a sequence, given by its own fingerprint. */
  add(a: number, b: number, c: number): void {
    const mixedB = Math.imul(this.b ^ b, 0x2c1b3c6d);
    const mixedC = Math.imul(this.c ^ (a + ((b << 7) | (b >>> 25))) ^ c, 0x9e3779b1);
    const mixedA = Math.imul(this.a ^ a, 0x1b873593);
    this.b = (mixedB << 13) | (mixedB >>> 19);
    this.a = (((mixedA << 15) | (mixedA >>> 17)) + this.b) | 0;
    this.c = mixedC ^ (mixedC >>> 15);
  }

  finish(): void {
    this.a = finish(this.a);
    this.b = finish(this.b);
    this.c = finish(this.c);
  }
}

function finish(state: number): number {
  let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
