/**
 * How the samples of a chunk are encoded: the byte in front of its data, in block chunk files and (with
 * the top bit saying "out of order") in head chunk files.
 *
 *   0 none · 1 XOR floats · 2 histograms · 3 float histograms · 4 XOR2 floats ·
 *   5 histograms with start timestamps · 6 float histograms with start timestamps
 *
 * Source: Prometheus "Chunks Disk Format", "Head Chunks on Disk Format"; 4…6 observed in 3.14's files.
 */
export const Encoding = {
  None: 0,
  Xor: 1,
  Histogram: 2,
  FloatHistogram: 3,
  Xor2: 4,
  HistogramSt: 5,
  FloatHistogramSt: 6,
} as const;
export type Encoding = (typeof Encoding)[keyof typeof Encoding];

/** Marks out-of-order chunks in head chunk files; never set in blocks. */
export const OUT_OF_ORDER_MASK = 0x80;

/** Whether a byte is an encoding that holds samples. */
export function isEncoding(byte: number): byte is Encoding {
  return byte >= Encoding.Xor && byte <= Encoding.FloatHistogramSt;
}

export function isFloatEncoding(encoding: Encoding): boolean {
  return encoding === Encoding.Xor || encoding === Encoding.Xor2;
}

/** A chunk that never grows past this stays readable for everybody: the count is a u16. */
export const CHUNK_SAMPLES_MAX = 0xffff;

/**
 * How many samples a chunk holds, from its first two bytes. The encodings with start timestamps and
 * histograms keep the counter reset flags in the top two bits.
 */
export function chunkSampleCount(encoding: Encoding, bytes: Uint8Array, start = 0): number {
  const count = (bytes[start]! << 8) | bytes[start + 1]!;
  return encoding === Encoding.HistogramSt || encoding === Encoding.FloatHistogramSt
    ? count & 0x3fff
    : count;
}
