/** One door to all chunk encodings: bytes in, columns out. */
import { CorruptionError, type SampleBuffer } from '../../model/index.ts';
import { Encoding } from './encoding.ts';
import { decodeHistogramChunk } from './histogram-decoder.ts';
import { decodeXor } from './xor-decoder.ts';
import { decodeXor2 } from './xor2-decoder.ts';

/** Where a chunk came from; only for messages. */
export type ChunkPlace = { readonly file: string; readonly offsetBytes: number };

/**
 * Appends the samples of `chunk[start, end)` with minMs ≤ t ≤ maxMs to `out`; integer histograms come
 * out in float form.
 * @throws CorruptionError when the chunk ends before its samples do, or the encoding is unknown
 */
export function decodeChunk(
  encoding: Encoding,
  chunk: Uint8Array,
  start: number,
  end: number,
  minMs: number,
  maxMs: number,
  out: SampleBuffer,
  place: ChunkPlace,
): void {
  switch (encoding) {
    case Encoding.Xor:
      decodeXor(chunk, start, end, minMs, maxMs, out, place);
      return;
    case Encoding.Xor2:
      decodeXor2(chunk, start, end, minMs, maxMs, out, place);
      return;
    case Encoding.Histogram:
    case Encoding.FloatHistogram:
    case Encoding.HistogramSt:
    case Encoding.FloatHistogramSt:
      decodeHistogramChunk(encoding, chunk, start, end, minMs, maxMs, out, place);
      return;
    case Encoding.None:
      throw new CorruptionError(`unknown chunk encoding ${encoding}`, place);
  }
}
