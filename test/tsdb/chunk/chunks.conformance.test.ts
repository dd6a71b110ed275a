/** Chunks that Prometheus wrote: what is decoded, encoded again, gives the same bytes. */
import { describe, expect, test } from 'vitest';
import { SampleBuffer } from '../../../model/index.ts';
import { Block } from '../../../tsdb/block/block.ts';
import type { SourceChunk } from '../../../tsdb/block/block-source.ts';
import { decodeChunk } from '../../../tsdb/chunk/decoder.ts';
import { Encoding, isFloatEncoding } from '../../../tsdb/chunk/encoding.ts';
import { HistogramChunkReader } from '../../../tsdb/chunk/histogram-decoder.ts';
import { HistogramFit } from '../../../tsdb/chunk/histogram-buckets.ts';
import { HistogramEncoder } from '../../../tsdb/chunk/histogram-encoder.ts';
import { Xor2Encoder } from '../../../tsdb/chunk/xor2-encoder.ts';
import { XorEncoder } from '../../../tsdb/chunk/xor-encoder.ts';
import { WindowCache } from '../../../tsdb/io/file-window.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { BlockQuerier } from '../../../tsdb/query/block-querier.ts';
import { Matcher } from '../../../model/index.ts';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { conformancePath, fixturePaths } from '../support/conformance.ts';

const PLACE = { file: 'chunk', offsetBytes: 0 };

function throughUs({ encoding, bytes }: SourceChunk): Uint8Array {
  if (!isFloatEncoding(encoding)) {
    const reader = new HistogramChunkReader(encoding, bytes, 0, bytes.length, PLACE);
    const withStarts = encoding === Encoding.HistogramSt || encoding === Encoding.FloatHistogramSt;
    const encoder = new HistogramEncoder(reader.isFloat, withStarts);
    encoder.reset(reader.resetFlag);
    while (reader.next()) {
      const histogram = reader.histogram();
      expect(encoder.fit(histogram)).toBe(HistogramFit.Fits);
      encoder.append(reader.timestampMs, histogram, reader.startMs);
    }
    return encoder.finish();
  }
  const out = new SampleBuffer();
  decodeChunk(encoding, bytes, 0, bytes.length, -Infinity, Infinity, out, PLACE);
  const xor = new XorEncoder();
  const xor2 = new Xor2Encoder();
  for (let i = 0; i < out.count; i++) {
    const high = out.valueHalves[i * 2 + 1]!;
    const low = out.valueHalves[i * 2]!;
    if (encoding === Encoding.Xor) xor.append(out.timestampsMs[i]!, high, low);
    else xor2.append(out.timestampsMs[i]!, high, low, out.startTimestampsMs?.[i] ?? 0);
  }
  return encoding === Encoding.Xor ? xor.finish() : xor2.finish();
}

describe.each(['fixture-3.14/xor', 'fixture-3.14/xor2'])('the chunks of %s', (fixture) => {
  const directories = fixturePaths(fixture, 'data/01M7*');

  test.skipIf(directories.length === 0)('come out as they went in', () => {
    const counts = new Map<Encoding, number>();
    for (const directory of directories) {
      const block = Block.open(NODE_FILES, directory, new WindowCache());
      for (const { labels, chunks } of block.source().series()) {
        for (const chunk of chunks) {
          if (Buffer.compare(throughUs(chunk), chunk.bytes) !== 0) {
            expect.fail(`encoding ${chunk.encoding} of ${labels.toString()} @ ${chunk.minMs}`);
          }
          counts.set(chunk.encoding, (counts.get(chunk.encoding) ?? 0) + 1);
        }
      }
      block.close();
    }
    const listing = path.join(conformancePath(fixture)!, 'blocks.json');
    const { content } = JSON.parse(readFileSync(listing, 'utf8')) as {
      content: { chunks: Record<string, number> };
    };
    const total = Object.values(content.chunks).reduce((sum, count) => sum + count, 0);
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(total);
  });
});

type StartCase = {
  readonly path: string;
  readonly params: readonly (readonly [string, string])[];
  readonly response: {
    readonly data: {
      readonly result: readonly {
        readonly metric: Record<string, string>;
        readonly values: readonly (readonly [number, string])[];
      }[];
    };
  };
};

describe('start timestamps in the blocks of fixture-3.14/xor2', () => {
  const folder = conformancePath('fixture-3.14/xor2');

  test
    .skipIf(folder === null)
    .each(['otlp_counter_total', 'otlp_latency_seconds', 'otlp_size_bytes'])(
    'of %s are those that the server answers',
    (name) => {
      const { cases } = JSON.parse(
        readFileSync(path.join(folder!, 'expected-st.json'), 'utf8'),
      ) as {
        cases: StartCase[];
      };
      const query = `start_timestamp(${name})`;
      const asked = cases.filter(
        ({ path: route, params }) =>
          route.includes('query_range') && params.some(([, value]) => value === query),
      );
      let compared = 0;
      const out = new SampleBuffer();
      const blocks = fixturePaths('fixture-3.14/xor2', 'data/01M7*').map((directory) =>
        Block.open(NODE_FILES, directory, new WindowCache()),
      );
      for (const { response } of asked) {
        for (const { metric, values } of response.data.result) {
          const matchers = Object.entries(metric).map(
            ([key, value]) => new Matcher(key, '=', value),
          );
          for (const [seconds, start] of values) {
            const timeMs = seconds * 1000;
            const block = blocks.find(
              ({ meta }) =>
                meta.minMs < timeMs && timeMs < meta.endMs && meta.compaction.hints.length === 0,
            );
            if (block === undefined) continue; // in the head
            const all = [new Matcher('__name__', '=', name), ...matchers];
            const rows = new BlockQuerier(block).select(all, timeMs - 300_000, timeMs);
            if (rows.labels.length === 0) continue;
            rows.read(0, timeMs - 300_000, timeMs, out);
            const startMs = out.startTimestampsMs?.[out.count - 1] ?? 0;
            expect(startMs, `${name} ${seconds}`).toBeCloseTo(Number(start) * 1000, 3);
            compared++;
          }
        }
      }
      for (const block of blocks) block.close();
      expect(compared).toBeGreaterThan(50);
    },
  );
});
