/** Blocks that Prometheus 2.42 and 3.14 wrote: read completely, and equal to what they say they hold. */
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SampleBuffer } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import { encodeMeta } from '../../../tsdb/block/meta-json.ts';
import { isFloatEncoding } from '../../../tsdb/chunk/encoding.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import { conformancePath, FIXTURES, fixturePaths, readDump } from '../support/conformance.ts';
import { dumpedText, floatText, histogramText } from '../support/sample-text.ts';

const ULIDS = '01M7*';

// The killed server had not written any yet.
const WITH_BLOCKS = FIXTURES.filter((fixture) => fixture !== 'fixture-3.14/killed');

describe.each(WITH_BLOCKS)('the blocks of %s', (fixture) => {
  const directories = fixturePaths(fixture, `data/${ULIDS}`);
  const openAll = () =>
    directories.map((path) => Block.open(NODE_FILES, path, new WindowCache(1 << 20)));

  test.skipIf(directories.length === 0)('hold as much as their descriptions say', () => {
    for (const block of openAll()) {
      const counted = { series: 0, chunks: 0, floats: 0, histograms: 0 };
      for (const { chunks } of block.source().series()) {
        counted.series++;
        counted.chunks += chunks.length;
        for (const { encoding, sampleCount } of chunks) {
          if (isFloatEncoding(encoding)) counted.floats += sampleCount;
          else counted.histograms += sampleCount;
        }
      }
      const { stats } = block.meta;
      expect(counted.series, block.ulid).toBe(stats.seriesCount);
      expect(counted.chunks).toBe(stats.chunkCount);
      const counts = counted.floats + counted.histograms;
      // 2.42 counts samples twice that it merges away, and does not tell the kinds apart.
      if (fixture === 'tsdb-fixture') expect(counts).toBeLessThanOrEqual(stats.sampleCount);
      else expect(counts).toBe(stats.sampleCount);
      if (stats.floatSampleCount > 0) expect(counted.floats).toBe(stats.floatSampleCount);
      expect(block.tombstones.count).toBe(stats.tombstoneCount);
      block.close();
    }
  });

  test.skipIf(directories.length === 0)('have descriptions that come out as they went in', () => {
    for (const block of openAll()) {
      const original = Buffer.from(NODE_FILES.readAll(`${block.directory}/meta.json`));
      expect(JSON.parse(encodeMeta(block.meta))).toEqual(JSON.parse(original.toString()));
      expect(encodeMeta(block.meta)).toBe(original.toString());
      expect(basename(block.directory)).toBe(block.ulid);
      block.close();
    }
  });

  test.skipIf(directories.length === 0)('hold the samples of the dump', () => {
    const dump = new Map<string, Map<number, string>>();
    for (const { series, timestampMs, value } of readDump(conformancePath(fixture)!)) {
      const samples = dump.get(series) ?? new Map<number, string>();
      dump.set(series, samples);
      samples.set(timestampMs, value);
    }
    const hasHistograms = fixture !== 'tsdb-fixture'; // that version does not dump them
    const found = new Map<string, Set<number>>();
    const out = new SampleBuffer();
    let compared = 0;
    let completeUntilMs = 0;
    for (const block of openAll()) {
      const { minMs, endMs, compaction } = block.meta;
      if (!compaction.hints.includes('from-out-of-order')) {
        completeUntilMs = Math.max(completeUntilMs, endMs);
      }
      const rows = new BlockQuerier(block).select([], minMs, endMs - 1);
      rows.labels.forEach((labels, row) => {
        const series = labels.toString();
        const times = found.get(series) ?? new Set<number>();
        found.set(series, times);
        rows.read(row, minMs, endMs - 1, out);
        for (let i = 0; i < out.count; i++) {
          const timestampMs = out.timestampsMs[i]!;
          const histogram = out.histograms?.[i] ?? null;
          if (histogram !== null && !hasHistograms) continue;
          const text = histogram === null ? floatText(out.values[i]!) : histogramText(histogram);
          const dumped = dump.get(series)?.get(timestampMs);
          if (dumped === undefined || dumpedText(dumped) !== text) {
            expect.fail(`${series} at ${timestampMs}: ${text} instead of ${dumped}`);
          }
          times.add(timestampMs);
          compared++;
        }
      });
      block.close();
    }
    // And the other way round: what the dump has from before the head, a block has.
    for (const [series, samples] of dump) {
      for (const timestampMs of samples.keys()) {
        if (timestampMs >= completeUntilMs || found.get(series)?.has(timestampMs)) continue;
        expect.fail(`${series} at ${timestampMs} is in no block`);
      }
    }
    expect(compared).toBeGreaterThan(20_000);
  });
});
