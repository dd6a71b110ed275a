/** What a block can be written from: the head, another block, several blocks merged. */
import type { Labels } from '../../model/index.ts';
import type { Encoding } from '../chunk/encoding.ts';

export type SourceChunk = {
  /** Times of the first and the last sample. */
  readonly minMs: number;
  readonly maxMs: number;
  readonly encoding: Encoding;
  readonly sampleCount: number;
  /** The encoded samples, which are copied as they are; good until the next series is asked for. */
  readonly bytes: Uint8Array;
};

export type SourceSeries = {
  readonly labels: Labels;
  /** In the order of time, not overlapping, none empty. */
  readonly chunks: readonly SourceChunk[];
};

export interface BlockSource {
  /** All names and values that occur in the labels (more do no harm), sorted, without duplicates. */
  symbols(): Iterable<string>;
  /** Sorted by labels, without duplicates; those without chunks are passed over. */
  series(): Iterable<SourceSeries>;
}
