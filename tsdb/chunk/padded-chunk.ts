/**
 * The chunk under the decoder's knife, copied to one place per thread with zeros behind it. Thirty-two
 * bits can then be read anywhere without looking for the end, and the loops that do it only ever see
 * one kind of memory, whether the chunk came from a file or from memory shared between threads.
 */
const PADDING_SIZE_BYTES = 16;

let bytes = new Uint8Array(64 * 1024);
let view = new DataView(bytes.buffer);

export type PaddedChunk = { readonly bytes: Uint8Array; readonly view: DataView };
let padded: PaddedChunk = { bytes, view };

/** The chunk `source[start, end)` from index 0 on; good until the next call. */
export function padChunk(source: Uint8Array, start: number, end: number): PaddedChunk {
  const size = end - start;
  if (size + PADDING_SIZE_BYTES > bytes.length) {
    bytes = new Uint8Array((size + PADDING_SIZE_BYTES) * 2);
    view = new DataView(bytes.buffer);
    padded = { bytes, view };
  }
  bytes.set(source.subarray(start, end));
  bytes.fill(0, size, size + PADDING_SIZE_BYTES);
  return padded;
}
