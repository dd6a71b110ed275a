/**
 * MD5, which the `hashmod` relabelling action is defined by. Not for security.
 *
 *   message ‖ 0x80 ‖ 0x00… ‖ length in bits (u64 LE)    in blocks of 64 bytes
 *   digest = a ‖ b ‖ c ‖ d                              each u32 LE
 *
 * Source: RFC 1321.
 */
const BLOCK_SIZE_BYTES = 64;

/** How far each of the 64 steps rotates: four values per round, repeated. */
const ROTATIONS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21] as const;
/** floor(2³² · |sin(i + 1)|), as the standard defines them. */
const SINES = Int32Array.from({ length: 64 }, (_, i) =>
  Math.floor(Math.abs(Math.sin(i + 1)) * 0x1_0000_0000),
);

const encoder = new TextEncoder();

/** The 16 bytes of the digest. */
export function md5(message: Uint8Array): Uint8Array {
  const blockCount = Math.floor((message.length + 8) / BLOCK_SIZE_BYTES) + 1;
  const padded = new Uint8Array(blockCount * BLOCK_SIZE_BYTES);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, (message.length << 3) >>> 0, true);
  view.setUint32(padded.length - 4, Math.floor(message.length / 0x2000_0000), true);

  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let start = 0; start < padded.length; start += BLOCK_SIZE_BYTES) {
    mixBlock(state, view, start);
  }
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  state.forEach((word, i) => out.setInt32(i * 4, word, true));
  return digest;
}

function mixBlock(state: Int32Array, view: DataView, start: number): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let step = 0; step < 64; step++) {
    const round = step >>> 4;
    let mixed: number;
    let word: number;
    if (round === 0) {
      mixed = (b & c) | (~b & d);
      word = step;
    } else if (round === 1) {
      mixed = (d & b) | (~d & c);
      word = (5 * step + 1) % 16;
    } else if (round === 2) {
      mixed = b ^ c ^ d;
      word = (3 * step + 5) % 16;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * step) % 16;
    }
    const sum = (a + mixed + SINES[step]! + view.getInt32(start + word * 4, true)) | 0;
    const rotation = ROTATIONS[round * 4 + (step % 4)]!;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << rotation) | (sum >>> (32 - rotation)))) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}

/** The last 8 bytes of the digest of `text`'s UTF-8, as a big-endian number. */
export function md5Low64(text: string): bigint {
  return new DataView(md5(encoder.encode(text)).buffer).getBigUint64(8);
}
