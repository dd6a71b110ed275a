/** A checkpoint holds what still matters of the segments it replaces, and only that. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter, CorruptionError, type Histogram, Labels } from '../../../model/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { decodeExemplars, encodeExemplars } from '../../../tsdb/record/exemplars.ts';
import { decodeHistograms, encodeHistograms } from '../../../tsdb/record/histograms.ts';
import { decodeMetadata, encodeMetadata } from '../../../tsdb/record/metadata.ts';
import { SampleBatch } from '../../../tsdb/record/sample-batch.ts';
import { decodeSamples, encodeSamples, encodeSamplesV2 } from '../../../tsdb/record/samples.ts';
import { beginSeriesRecord, SeriesCursor } from '../../../tsdb/record/series.ts';
import { encodeSeries } from '../support/series-record.ts';
import { decodeTombstones, encodeTombstones } from '../../../tsdb/record/tombstones.ts';
import {
  checkpointSources,
  findLastCheckpoint,
  removeCheckpointsBefore,
  removeSegmentsBefore,
  writeCheckpoint,
} from '../../../tsdb/wal/checkpoint.ts';
import {
  findSegments,
  listCheckpoints,
  removeCheckpointLeftovers,
} from '../../../tsdb/wal/segment-name.ts';
import { WalReader } from '../../../tsdb/wal/wal-reader.ts';
import { WalWriter } from '../../../tsdb/wal/wal-writer.ts';

const DIRECTORY = '/data/wal';

function record(encode: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter();
  encode(out);
  return out.view().slice();
}

const seriesRecord = (...refs: number[]) =>
  record((out) => {
    beginSeriesRecord(out);
    for (const ref of refs) encodeSeries(out, ref, Labels.fromObject({ ref: String(ref) }));
  });

function samplesRecord(withStarts: boolean, ...rows: (readonly [ref: number, time: number])[]) {
  const batch = new SampleBatch();
  for (const [ref, time] of rows) batch.push(ref, time, 0x7ff00000, 2, withStarts ? 5 : 0);
  return record((out) =>
    withStarts ? encodeSamplesV2(batch, batch.startTimestampsMs, out) : encodeSamples(batch, out),
  );
}

const HISTOGRAM: Histogram = {
  kind: 'integer',
  hint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 1,
  sum: 1,
  stale: false,
  positiveSpans: [{ offset: 0, length: 1 }],
  negativeSpans: [],
  positiveDeltas: [1],
  negativeDeltas: [],
  customBounds: [],
};

const histogramsRecord = (...times: number[]) =>
  record((out) =>
    encodeHistograms(
      7,
      times.map((timestampMs) => ({ ref: 1, timestampMs, startMs: 0, histogram: HISTOGRAM })),
      out,
    ),
  );

/** What a log says, as one list of texts. */
function contentOf(files: MemoryFiles, path: string): string[] {
  const reader = new WalReader(files, checkpointSources(files, path));
  const content: string[] = [];
  const place = { file: path, offsetBytes: 0 };
  while (reader.next()) {
    const { bytes, start, end } = reader;
    switch (bytes[start]!) {
      case 1: {
        const cursor = new SeriesCursor();
        cursor.reset(bytes, start, end, place);
        while (cursor.next()) content.push(`series ${cursor.ref} ${cursor.labels().toString()}`);
        break;
      }
      case 2:
      case 11: {
        const batch = new SampleBatch();
        decodeSamples(bytes, start, end, batch, place);
        for (let i = 0; i < batch.count; i++) {
          const low = batch.valueHalves[i * 2];
          const startMs = batch.startTimestampsMs[i];
          content.push(`sample ${batch.refs[i]} @${batch.timestampsMs[i]} ${low} ${startMs}`);
        }
        break;
      }
      case 3:
        for (const row of decodeTombstones(bytes, start, end, place)) {
          content.push(`tombstone ${row.ref} ${row.minMs}-${row.maxMs}`);
        }
        break;
      case 4:
        for (const row of decodeExemplars(bytes, start, end, place)) {
          content.push(`exemplar @${row.timestampMs}`);
        }
        break;
      case 6:
        for (const row of decodeMetadata(bytes, start, end, place)) {
          content.push(`metadata ${row.ref} ${row.metadata.help}`);
        }
        break;
      case 7:
        for (const row of decodeHistograms(bytes, start, end, place)) {
          content.push(`histogram @${row.timestampMs}`);
        }
        break;
      default:
        content.push(`unknown ${bytes[start]}`);
    }
  }
  return content;
}

function metadataRecord(ref: number, help: string): Uint8Array {
  return record((out) =>
    encodeMetadata([{ ref, metadata: { type: 'gauge', unit: '', help } }], out),
  );
}

describe('a checkpoint', () => {
  test('keeps living series, late samples, and the newest metadata', () => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY);
    writer.log(seriesRecord(1, 2, 3));
    writer.log(samplesRecord(false, [1, 90], [1, 100], [2, 110]));
    writer.log(metadataRecord(1, 'old'));
    writer.cutSegment();
    writer.log(samplesRecord(true, [1, 99], [3, 101]));
    writer.log(samplesRecord(false, [1, 50]));
    writer.log(histogramsRecord(98, 105));
    writer.log(histogramsRecord(100));
    writer.log(metadataRecord(1, 'new'));
    writer.log(metadataRecord(2, 'dead'));
    const tombstones = [
      { ref: 1, minMs: 0, maxMs: 99 },
      { ref: 1, minMs: 0, maxMs: 100 },
    ];
    writer.log(record((out) => encodeTombstones(tombstones, out)));
    const exemplars = [99, 100].map((timestampMs) => ({
      ref: 1,
      timestampMs,
      value: 1,
      labels: Labels.EMPTY,
    }));
    writer.log(record((out) => encodeExemplars(exemplars, out)));
    writer.log(Uint8Array.of(200, 1, 2)); // from a newer version
    writer.cutSegment();
    const result = writeCheckpoint({
      files,
      directory: DIRECTORY,
      firstSegment: 0,
      lastSegment: 1,
      keepsSeries: (ref) => ref !== 2,
      minMs: 100,
    });
    expect(result).toMatchObject({
      path: `${DIRECTORY}/checkpoint.00000001`,
      seriesCount: 2,
      droppedSeriesCount: 1,
      sampleCount: 5,
      droppedSampleCount: 4,
    });
    expect(contentOf(files, result.path)).toEqual([
      'series 1 {ref="1"}',
      'series 3 {ref="3"}',
      'sample 1 @100 2 0',
      'sample 2 @110 2 0',
      'sample 3 @101 2 5',
      'histogram @105',
      'histogram @100',
      'tombstone 1 0-100',
      'exemplar @100',
      'unknown 200',
      'metadata 1 new',
    ]);
  });

  test('replaces the one before and the segments', () => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY);
    const keepsSeries = (ref: number) => ref !== 1;
    for (let ref = 1; ref <= 4; ref++) {
      writer.log(seriesRecord(ref));
      writer.cutSegment();
    }
    const options = { files, directory: DIRECTORY, minMs: 0 };
    writeCheckpoint({ ...options, firstSegment: 0, lastSegment: 1, keepsSeries: () => true });
    removeSegmentsBefore(files, DIRECTORY, 2);
    const { path } = writeCheckpoint({ ...options, firstSegment: 2, lastSegment: 3, keepsSeries });
    removeSegmentsBefore(files, DIRECTORY, 4);
    removeCheckpointsBefore(files, DIRECTORY, 3);
    expect(files.list(DIRECTORY)).toEqual(['00000004', 'checkpoint.00000003']);
    expect(findLastCheckpoint(files, DIRECTORY)).toEqual({ path, index: 3 });
    expect(contentOf(files, path)).toEqual([2, 3, 4].map((ref) => `series ${ref} {ref="${ref}"}`));
  });

  test('of a broken segment is not made', () => {
    const files = new MemoryFiles();
    const writer = new WalWriter(files, DIRECTORY);
    writer.log(seriesRecord(1));
    writer.cutSegment();
    files.put(`${DIRECTORY}/00000000`, files.readAll(`${DIRECTORY}/00000000`).with(12, 7));
    const options = { files, directory: DIRECTORY, minMs: 0, keepsSeries: () => true };
    expect(() => writeCheckpoint({ ...options, firstSegment: 0, lastSegment: 0 })).toThrow(
      CorruptionError,
    );
    expect(files.list(DIRECTORY)).toEqual(['00000000', '00000001']);
  });

  test('is there as a whole or not at all, wherever writing it stops', () => {
    fc.assert(
      fc.property(
        fc.nat(40_000),
        fc.array(fc.double({ min: 0, max: 0.999 }), { minLength: 1 }),
        (freeBytes, chance) => {
          const files = new MemoryFiles();
          files.makeDirectory('/data');
          files.syncDirectory('/');
          const writer = new WalWriter(files, DIRECTORY);
          writer.log(seriesRecord(1, 2));
          writer.cutSegment();
          files.freeBytes = freeBytes;
          const options = { files, directory: DIRECTORY, minMs: 0, keepsSeries: () => true };
          let isWritten = false;
          try {
            writeCheckpoint({ ...options, firstSegment: 0, lastSegment: 0 });
            isWritten = true;
          } catch (error) {
            expect(error).toMatchObject({ code: 'ENOSPC' });
          }
          let next = 0;
          const after = files.crash('random', () => chance[next++ % chance.length]!);
          removeCheckpointLeftovers(after, DIRECTORY);
          expect(listCheckpoints(after, DIRECTORY)).toEqual(isWritten ? [0] : []);
          expect(findSegments(after, DIRECTORY)).toEqual([0, 1]);
          const last = findLastCheckpoint(after, DIRECTORY);
          if (last !== null) expect(contentOf(after, last.path)).toHaveLength(2);
        },
      ),
      { numRuns: 100 },
    );
  });
});
