/** Logs that we wrote, read by Prometheus. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ByteWriter, highBits, type Histogram, Labels, lowBits } from '../../../model/index.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import {
  encodeHistograms,
  type HistogramRow,
  histogramRecordType,
} from '../../../tsdb/record/histograms.ts';
import { SampleBatch } from '../../../tsdb/record/sample-batch.ts';
import { encodeSamples, encodeSamplesV2 } from '../../../tsdb/record/samples.ts';
import { beginSeriesRecord } from '../../../tsdb/record/series.ts';
import { encodeSeries } from '../support/series-record.ts';
import { writeCheckpoint, removeSegmentsBefore } from '../../../tsdb/wal/checkpoint.ts';
import { PAGE_SIZE_BYTES } from '../../../tsdb/wal/fragment.ts';
import { WalWriter, type WalWriterOptions } from '../../../tsdb/wal/wal-writer.ts';
import {
  PROMETHEUS,
  PROMETHEUS_VERSION,
  promtool,
  PROMTOOLS,
  startServer,
} from '../support/tools.ts';

const START_MS = 1_761_955_200_000;
const SERIES_COUNT = 400;
const SCRAPE_COUNT = 60;

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'narthex-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Some scrapes of some hundred series: records of several pages, several segments. */
function writeLog(options: WalWriterOptions, withStarts = false): void {
  const writer = new WalWriter(NODE_FILES, `${directory}/wal`, {
    segmentSizeBytes: 4 * PAGE_SIZE_BYTES,
    ...options,
  });
  const out = new ByteWriter();
  beginSeriesRecord(out);
  for (let ref = 1; ref <= SERIES_COUNT; ref++) {
    const labels = { __name__: 'm', i: String(ref), long: 'x'.repeat(50) };
    encodeSeries(out, ref, Labels.fromObject(labels));
  }
  writer.log(out.view());
  const batch = new SampleBatch();
  for (let scrape = 0; scrape < SCRAPE_COUNT; scrape++) {
    batch.clear();
    for (let ref = 1; ref <= SERIES_COUNT; ref++) {
      const value = ref * scrape + 0.5;
      const timestampMs = START_MS + scrape * 15_000;
      batch.push(ref, timestampMs, highBits(value), lowBits(value), withStarts ? START_MS - 1 : 0);
    }
    out.clear();
    if (withStarts) encodeSamplesV2(batch, batch.startTimestampsMs, out);
    else encodeSamples(batch, out);
    writer.log(out.view());
  }
  writer.close();
}

function expectedDump(): string[] {
  const lines: string[] = [];
  for (let ref = 1; ref <= SERIES_COUNT; ref++) {
    for (let scrape = 0; scrape < SCRAPE_COUNT; scrape++) {
      const labels = Labels.fromObject({ __name__: 'm', i: String(ref), long: 'x'.repeat(50) });
      const timestampMs = START_MS + scrape * 15_000;
      lines.push(`${labels.toString()} ${ref * scrape + 0.5} ${timestampMs}`);
    }
  }
  return lines.sort();
}

const dumpOf = (tool: string) =>
  promtool(tool, 'tsdb', 'dump', directory).trimEnd().split('\n').sort();

describe.skipIf(PROMTOOLS.length === 0).each(PROMTOOLS)('%s', (tool) => {
  const isVersion3 = promtool(tool, '--version').includes('version 3.');

  test.each<WalWriterOptions>([
    { compression: 'none' },
    { compression: 'snappy' },
    ...(isVersion3 ? [{ compression: 'zstd' as const }] : []),
  ])('reads a log with compression $compression', (options) => {
    writeLog(options);
    expect(dumpOf(tool)).toEqual(expectedDump());
  });

  test('reads a checkpoint and what follows', () => {
    writeLog({ compression: 'none' });
    const wal = `${directory}/wal`;
    writeCheckpoint({
      files: NODE_FILES,
      directory: wal,
      firstSegment: 0,
      lastSegment: 2,
      keepsSeries: () => true,
      minMs: 0,
    });
    removeSegmentsBefore(NODE_FILES, wal, 3);
    expect(statSync(`${wal}/checkpoint.00000002`).isDirectory()).toBe(true);
    expect(dumpOf(tool)).toEqual(expectedDump());
  });

  test.runIf(isVersion3)('reads records with start timestamps', () => {
    writeLog({}, true);
    expect(dumpOf(tool)).toEqual(expectedDump());
  });
});

const HISTOGRAM: Histogram = {
  kind: 'integer',
  hint: 'unknown',
  schema: 2,
  zeroThreshold: 0.001,
  zeroCount: 2,
  count: 9,
  sum: 12.5,
  stale: false,
  positiveSpans: [{ offset: -2, length: 2 }],
  negativeSpans: [],
  positiveDeltas: [3, 1],
  negativeDeltas: [],
  customBounds: [],
};

describe.skipIf(!PROMETHEUS_VERSION.startsWith('3.'))('a server of version 3', () => {
  test.each([false, true])('reads histograms of every record type; start times: %s', async (v2) => {
    const custom = {
      schema: -53,
      zeroThreshold: 0,
      zeroCount: 0,
      customBounds: [1, 2.5],
      positiveSpans: [{ offset: 0, length: 3 }],
    };
    const float = { kind: 'float' as const, negativeCounts: [], positiveCounts: [3, 4] };
    const { positiveDeltas: _, negativeDeltas: __, ...shared } = HISTOGRAM;
    const rows: HistogramRow[] = [
      HISTOGRAM,
      { ...HISTOGRAM, ...custom, positiveDeltas: [3, 1, -2] },
      { ...shared, ...float },
      { ...shared, ...custom, ...float, positiveCounts: [3, 4, 2] },
    ].map((histogram, i) => ({
      ref: i + 1,
      timestampMs: START_MS,
      startMs: v2 ? START_MS - 5 : 0,
      histogram,
    }));
    mkdirSync(`${directory}/wal`);
    const writer = new WalWriter(NODE_FILES, `${directory}/wal`);
    const out = new ByteWriter();
    beginSeriesRecord(out);
    rows.forEach(({ ref }) =>
      encodeSeries(out, ref, Labels.fromObject({ __name__: 'h', i: String(ref) })),
    );
    writer.log(out.view());
    for (const row of rows) {
      out.clear();
      encodeHistograms(histogramRecordType(row.histogram, v2), [row], out);
      writer.log(out.view());
    }
    writer.close();
    const server = await startServer(PROMETHEUS!, directory);
    try {
      const time = String(START_MS / 1000);
      const body = new URLSearchParams({ query: 'histogram_count(h)', time });
      const counts = await fetch(`${server.url}/api/v1/query`, { method: 'POST', body });
      const { data } = (await counts.json()) as {
        data: { result: { metric: { i: string }; value: [number, string] }[] };
      };
      const found = data.result.map(({ metric, value }) => `${metric.i}: ${value[1]}`).sort();
      expect(found).toEqual(['1: 9', '2: 9', '3: 9', '4: 9']);
    } finally {
      await server.stop();
    }
  });
});
