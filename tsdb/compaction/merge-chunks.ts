/**
 * The chunks of one series from several blocks as one clean sequence. A chunk that overlaps no other and
 * has no deletions inside is passed on as it is, byte for byte; only the others are decoded.
 */
import type { SourceChunk } from '../block/block-source.ts';
import type { ChunkPlace } from '../chunk/decoder.ts';
import { Encoding } from '../chunk/encoding.ts';
import { covers, type Intervals, overlaps } from '../chunk/intervals.ts';
import { encodeRawSamples, mergeRawSamples, RawSamples } from './raw-samples.ts';

/** What one source has of a series. */
export type ChunksToMerge = {
  /** In the order of time. */
  readonly chunks: readonly SourceChunk[];
  readonly deleted: Intervals | null;
  /** For messages. */
  readonly place: ChunkPlace;
};

type Item = { readonly chunk: SourceChunk; readonly source: number };

/**
 * Of samples with equal times that of the earliest source counts.
 * @throws CorruptionError when a chunk that must be decoded cannot be
 */
export function mergeChunks(sources: readonly ChunksToMerge[]): readonly SourceChunk[] {
  const [first] = sources;
  if (sources.length === 1 && isClean(first!)) return first!.chunks;
  const items: Item[] = [];
  sources.forEach(({ chunks, deleted }, source) => {
    for (const chunk of chunks) {
      const isGone = deleted !== null && covers(deleted, chunk.minMs, chunk.maxMs);
      if (!isGone) items.push({ chunk, source });
    }
  });
  if (sources.length > 1) {
    items.sort((a, b) => a.chunk.minMs - b.chunk.minMs || a.source - b.source);
  }
  const out: SourceChunk[] = [];
  let group: Item[] = [];
  let groupMaxMs = Number.NEGATIVE_INFINITY;
  for (const item of items) {
    if (item.chunk.minMs > groupMaxMs) {
      finishGroup(group, sources, out);
      group = [];
    }
    group.push(item);
    groupMaxMs = Math.max(groupMaxMs, item.chunk.maxMs);
  }
  finishGroup(group, sources, out);
  return out;
}

/** Whether nothing has to be done: the usual case. */
function isClean({ chunks, deleted }: ChunksToMerge): boolean {
  let previousMaxMs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < chunks.length; i++) {
    const { minMs, maxMs } = chunks[i]!;
    if (minMs <= previousMaxMs) return false;
    if (deleted !== null && overlaps(deleted, minMs, maxMs)) return false;
    previousMaxMs = maxMs;
  }
  return true;
}

/** Chunks that hang together by overlapping. */
function finishGroup(
  group: readonly Item[],
  sources: readonly ChunksToMerge[],
  out: SourceChunk[],
): void {
  const [only, ...others] = group;
  if (only === undefined) return;
  const { chunk } = only;
  if (others.every((other) => isSameChunk(other.chunk, chunk)) && !isTouched(group, sources)) {
    out.push(chunk);
    return;
  }
  const bySource = new Map<number, RawSamples>();
  for (const item of [...group].sort((a, b) => a.source - b.source)) {
    const samples = bySource.get(item.source) ?? new RawSamples();
    bySource.set(item.source, samples);
    const { deleted, place } = sources[item.source]!;
    samples.appendChunk(item.chunk.encoding, item.chunk.bytes, deleted, place);
  }
  const usesXor2 = group.some((item) => item.chunk.encoding === Encoding.Xor2);
  out.push(...encodeRawSamples(mergeRawSamples([...bySource.values()]), usesXor2));
}

function isTouched(group: readonly Item[], sources: readonly ChunksToMerge[]): boolean {
  return group.some(({ chunk, source }) => {
    const { deleted } = sources[source]!;
    return deleted !== null && overlaps(deleted, chunk.minMs, chunk.maxMs);
  });
}

function isSameChunk(a: SourceChunk, b: SourceChunk): boolean {
  return (
    a.encoding === b.encoding &&
    a.minMs === b.minMs &&
    a.maxMs === b.maxMs &&
    Buffer.compare(a.bytes, b.bytes) === 0
  );
}
