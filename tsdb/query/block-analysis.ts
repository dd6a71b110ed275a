/**
 * What a block consists of: how many series each label, value and metric has, which of them come and
 * go, and how full the chunks are. Figures as promtool's `tsdb analyze` gives them; compared with it.
 */
import { type Matcher, SampleBuffer } from '../../model/index.ts';
import { decodeChunk } from '../chunk/decoder.ts';
import { chunkSampleCount, isFloatEncoding } from '../chunk/encoding.ts';
import { SeriesEntry } from '../index-file/series-entry.ts';
import { matchPostings } from './match-postings.ts';
import type { Block } from '../block/block.ts';

/** A figure per name, label pair or metric; the largest first. */
export type Ranking = readonly { readonly name: string; readonly value: number }[];

export type BlockAnalysis = {
  /** Of the block, whatever the matchers. */
  readonly seriesCount: number;
  readonly matchedSeriesCount: number;
  readonly labelNameCount: number;
  readonly labelPairCount: number;
  /** Labels of all series. */
  readonly postingCount: number;
  /** How many series' worth of the block's time the series with them were not there. */
  readonly churnByPair: Ranking;
  readonly churnByName: Ranking;
  readonly seriesCountByPair: Ranking;
  /** Bytes of all different values. */
  readonly valueBytesByName: Ranking;
  readonly valueCountByName: Ranking;
  readonly seriesCountByMetric: Ranking;
};

/** Figures of all chunks of some kind, one of each chunk. */
export type ChunkAnalysis = {
  readonly floatSamples: readonly number[];
  readonly floatBytes: readonly number[];
  readonly histogramSamples: readonly number[];
  readonly histogramBytes: readonly number[];
  /** Buckets of all samples. */
  readonly histogramBuckets: readonly number[];
};

/** Figures of the series that satisfy all matchers. @throws CorruptionError */
export function analyzeBlock(block: Block, matchers: readonly Matcher[]): BlockAnalysis {
  const { index, meta } = block;
  const { symbols } = index;
  const churnMs = new PairSums();
  const seriesCount = new PairSums();
  const entry = new SeriesEntry();
  const rangeMs = meta.endMs - meta.minMs;
  const refs = matchPostings(index, matchers);
  let postingCount = 0;
  for (const ref of refs) {
    index.readSeries(ref, entry);
    const { chunkCount, labelCount, labelSymbols } = entry;
    const coveredMs =
      chunkCount === 0 ? 0 : entry.chunkMaxMs[chunkCount - 1]! - entry.chunkMinMs[0]!;
    postingCount += labelCount;
    for (let i = 0; i < labelCount; i++) {
      const name = labelSymbols[i * 2]!;
      const value = labelSymbols[i * 2 + 1]!;
      churnMs.add(name, value, rangeMs - coveredMs);
      seriesCount.add(name, value, 1);
    }
  }

  const churnByName = new Map<string, number>();
  const valueBytesByName = new Map<string, number>();
  const valueCountByName = new Map<string, number>();
  const churnByPair: [string, number][] = [];
  const seriesCountByPair: [string, number][] = [];
  const seriesCountByMetric: [string, number][] = [];
  for (const [nameSymbol, values] of seriesCount.byName) {
    const name = symbols.text(nameSymbol);
    let nameChurnMs = 0;
    let bytes = 0;
    for (const [valueSymbol, count] of values) {
      const value = symbols.text(valueSymbol);
      const pairChurnMs = churnMs.byName.get(nameSymbol)!.get(valueSymbol)!;
      nameChurnMs += pairChurnMs;
      bytes += Buffer.byteLength(value);
      churnByPair.push([`${name}=${value}`, Math.trunc(pairChurnMs / rangeMs)]);
      seriesCountByPair.push([`${name}=${value}`, count]);
      if (name === '__name__') seriesCountByMetric.push([value, count]);
    }
    churnByName.set(name, Math.trunc(nameChurnMs / rangeMs));
    valueBytesByName.set(name, bytes);
    valueCountByName.set(name, values.size);
  }
  return {
    seriesCount: meta.stats.seriesCount,
    matchedSeriesCount: refs.length,
    labelNameCount: valueCountByName.size,
    labelPairCount: seriesCountByPair.length,
    postingCount,
    churnByPair: ranked(churnByPair),
    churnByName: ranked(churnByName),
    seriesCountByPair: ranked(seriesCountByPair),
    valueBytesByName: ranked(valueBytesByName),
    valueCountByName: ranked(valueCountByName),
    seriesCountByMetric: ranked(seriesCountByMetric),
  };
}

/** Reads all chunks of the series that satisfy all matchers. @throws CorruptionError */
export function analyzeChunks(block: Block, matchers: readonly Matcher[]): ChunkAnalysis {
  const floatSamples: number[] = [];
  const floatBytes: number[] = [];
  const histogramSamples: number[] = [];
  const histogramBytes: number[] = [];
  const histogramBuckets: number[] = [];
  const { index, chunks } = block;
  const entry = new SeriesEntry();
  const samples = new SampleBuffer();
  for (const ref of matchPostings(index, matchers)) {
    index.readSeries(ref, entry);
    for (let i = 0; i < entry.chunkCount; i++) {
      chunks.read(entry.chunkRefs[i]!, entry.chunkRefs[entry.chunkCount - 1]);
      const { encoding, bytes, start, end } = chunks;
      const sampleCount = chunkSampleCount(encoding, bytes, start);
      if (isFloatEncoding(encoding)) {
        floatSamples.push(sampleCount);
        floatBytes.push(end - start);
        continue;
      }
      histogramSamples.push(sampleCount);
      histogramBytes.push(end - start);
      samples.clear();
      decodeChunk(
        encoding,
        bytes,
        start,
        end,
        -Infinity,
        Infinity,
        samples,
        chunks.place(entry.chunkRefs[i]!),
      );
      let bucketCount = 0;
      for (const histogram of samples.histograms ?? []) {
        bucketCount += histogram!.positiveCounts.length + histogram!.negativeCounts.length;
      }
      histogramBuckets.push(bucketCount);
    }
  }
  return { floatSamples, floatBytes, histogramSamples, histogramBytes, histogramBuckets };
}

/** Sums by name and value, both given as symbols. */
class PairSums {
  readonly byName = new Map<number, Map<number, number>>();

  add(name: number, value: number, amount: number): void {
    let values = this.byName.get(name);
    if (values === undefined) {
      values = new Map();
      this.byName.set(name, values);
    }
    values.set(value, (values.get(value) ?? 0) + amount);
  }
}

/** Of equal figures the first by name comes first. */
function ranked(figures: Iterable<readonly [string, number]>): Ranking {
  return Array.from(figures, ([name, value]) => ({ name, value })).sort(
    (a, b) => b.value - a.value || (a.name < b.name ? -1 : 1),
  );
}
