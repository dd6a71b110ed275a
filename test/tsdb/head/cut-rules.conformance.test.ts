/**
 * The samples of blocks that 3.14 cut from its head, given to our head: it must begin new chunks at
 * the same samples and fill them with the same bytes.
 */
import { describe, expect, test } from 'vitest';
import { Block } from '../../../tsdb/block/block.ts';
import { RawSamples } from '../../../tsdb/compaction/raw-samples.ts';
import { estimateCutMs, rangeEndMs } from '../../../tsdb/head/cut-rules.ts';
import { Head } from '../../../tsdb/head/head.ts';
import { HeadChunkReader } from '../../../tsdb/head/head-chunk-files.ts';
import { HeadReader } from '../../../tsdb/head/head-reader.ts';
import { findRecord } from '../../../tsdb/head/series-table.ts';
import { START_TIMESTAMPS_IGNORED } from '../../../tsdb/head/start-timestamps.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { fixturePaths } from '../support/conformance.ts';

const HOUR_MS = 3_600_000;
const PLACE = { file: '', offsetBytes: 0 };

function newHead(): Head {
  return new Head({
    chunkRangeMs: 2 * HOUR_MS,
    samplesPerChunk: 120,
    memoryLimitBytes: 2 ** 31,
    exemplarCountMax: 0,
    outOfOrderCapacity: 32,
    logsMetadata: false,
    startTimestamps: START_TIMESTAMPS_IGNORED,
  });
}

describe('the head cuts chunks', () => {
  // A directory of default settings; the other fixtures changed encodings on the way.
  const directories = fixturePaths('fixture-3.14/xor', 'data/01M7*');

  test.skipIf(directories.length === 0)('where 3.14 cuts them, with the same bytes', () => {
    let chunkCount = 0;
    const wrong: string[] = [];
    for (const directory of directories) {
      const block = Block.open(NODE_FILES, directory, new WindowCache());
      if (block.meta.compaction.hints.length > 0) continue;
      const head = newHead();
      const wanted = new Map<string, string[]>();
      for (const { labels, chunks } of block.source().series()) {
        const appender = head.appender();
        const record = findRecord(head.heap, appender.series(labels));
        appender.commit();
        const samples = new RawSamples();
        for (const { encoding, bytes } of chunks) samples.appendChunk(encoding, bytes, null, PLACE);
        for (let i = 0; i < samples.count; i++) {
          const timestampMs = samples.timestampsMs[i]!;
          const histogram = samples.histograms[i];
          if (histogram) head.writer.appendHistogram(record, timestampMs, histogram);
          else head.writer.appendFloat(record, timestampMs, samples.lows[i]!, samples.highs[i]!);
        }
        const described = chunks.map(({ encoding, bytes }) => `${encoding} ${hex(bytes)}`);
        wanted.set(labels.toString(), described);
        chunkCount += chunks.length;
      }
      const reader = new HeadReader(
        head.heap,
        new HeadChunkReader(NODE_FILES, '/nowhere', new WindowCache()),
        1,
      );
      const rows = reader.query().select([], -Infinity, Infinity, { minMs: 0, maxMs: 0 });
      rows.labels.forEach((labels, row) => {
        // What came out of order was merged into its block since.
        if (labels.get('__name__').startsWith('fixture_ooo')) return;
        const got = rows.chunksOf(row).inOrder.map((c) => `${c.encoding} ${hex(c.bytes)}`);
        const want = wanted.get(labels.toString())!;
        const at = want.findIndex((chunk, i) => chunk !== got[i]);
        if (at >= 0 || got.length !== want.length)
          wrong.push(`${labels.toString()} from chunk ${at} on`);
      });
      block.close();
    }
    expect(wrong).toEqual([]);
    expect(chunkCount).toBeGreaterThan(250);
  });

  test('at borders of the block range, also before 1970', () => {
    expect(rangeEndMs(0, 7200)).toBe(7200);
    expect(rangeEndMs(7199, 7200)).toBe(7200);
    expect(rangeEndMs(7200, 7200)).toBe(14_400);
    // Go divides towards zero, and so must we, to find the same borders.
    expect(rangeEndMs(-1, 7200)).toBe(7200);
    expect(rangeEndMs(-7201, 7200)).toBe(0);
  });

  test('evenly over what is left of the range', () => {
    // A quarter of the samples in 100 of 1000: two and a half chunks, so two of 500.
    expect(estimateCutMs(0, 99, 1000, 4)).toBe(500);
    // Slower than one chunk per range: nothing is cut.
    expect(estimateCutMs(0, 400, 1000, 4)).toBe(1000);
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
