/** Logs that Prometheus 2.42 and 3.14 wrote: every record is read, and comes out as the same bytes. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../model/index.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { decodeExemplars, encodeExemplars } from '../../../tsdb/record/exemplars.ts';
import { decodeHistograms, encodeHistograms } from '../../../tsdb/record/histograms.ts';
import { decodeMetadata, encodeMetadata } from '../../../tsdb/record/metadata.ts';
import { decodeMmapMarkers, encodeMmapMarkers } from '../../../tsdb/record/mmap-markers.ts';
import { RECORD_TYPE_NAMES, RecordType, recordTypeOf } from '../../../tsdb/record/record-type.ts';
import { SampleBatch } from '../../../tsdb/record/sample-batch.ts';
import { decodeSamples, encodeSamples, encodeSamplesV2 } from '../../../tsdb/record/samples.ts';
import { beginSeriesRecord, SeriesCursor } from '../../../tsdb/record/series.ts';
import { encodeSeries } from '../support/series-record.ts';
import { decodeTombstones, encodeTombstones } from '../../../tsdb/record/tombstones.ts';
import { checkpointSources } from '../../../tsdb/wal/checkpoint.ts';
import { findSegments, segmentPath } from '../../../tsdb/wal/segment-name.ts';
import { WalReader } from '../../../tsdb/wal/wal-reader.ts';
import { conformancePath, FIXTURES, fixturePaths } from '../support/conformance.ts';

/** Decodes a record and encodes it again. */
function throughUs(reader: WalReader): Uint8Array {
  const { bytes, start, end } = reader;
  const place = { file: reader.path, offsetBytes: reader.recordOffsetBytes };
  const out = new ByteWriter();
  const type = recordTypeOf(bytes, start);
  switch (type) {
    case RecordType.Series: {
      const cursor = new SeriesCursor();
      cursor.reset(bytes, start, end, place);
      beginSeriesRecord(out);
      while (cursor.next()) encodeSeries(out, cursor.ref, cursor.labels());
      break;
    }
    case RecordType.Samples:
    case RecordType.SamplesV2: {
      const batch = new SampleBatch();
      decodeSamples(bytes, start, end, batch, place);
      if (type === RecordType.Samples) encodeSamples(batch, out);
      else encodeSamplesV2(batch, batch.startTimestampsMs, out);
      break;
    }
    case RecordType.Tombstones:
      encodeTombstones(decodeTombstones(bytes, start, end, place), out);
      break;
    case RecordType.Exemplars:
      encodeExemplars(decodeExemplars(bytes, start, end, place), out);
      break;
    case RecordType.MmapMarkers:
      encodeMmapMarkers(decodeMmapMarkers(bytes, start, end, place), out);
      break;
    case RecordType.Metadata:
      encodeMetadata(decodeMetadata(bytes, start, end, place), out);
      break;
    case null:
      throw new Error(`unknown record type ${bytes[start]}`);
    case RecordType.Histograms:
    case RecordType.FloatHistograms:
    case RecordType.CustomBucketsHistograms:
    case RecordType.CustomBucketsFloatHistograms:
    case RecordType.HistogramsV2:
    case RecordType.FloatHistogramsV2:
      encodeHistograms(type, decodeHistograms(bytes, start, end, place), out);
  }
  return out.view();
}

function countRecords(reader: WalReader, counts: Record<string, number>): void {
  while (reader.next()) {
    const original = reader.bytes.subarray(reader.start, reader.end);
    if (Buffer.compare(throughUs(reader), original) !== 0) {
      expect.fail(`${reader.path} @ ${reader.recordOffsetBytes}: type ${original[0]} differs`);
    }
    const name = RECORD_TYPE_NAMES[original[0] as RecordType];
    counts[name] = (counts[name] ?? 0) + 1;
  }
}

describe.each([...FIXTURES, 'recorded-3.14'])('the logs of %s', (fixture) => {
  const directory = fixturePaths(fixture, 'data/wal')[0];

  test.skipIf(directory === undefined)('come out as they went in', () => {
    const data = path.dirname(directory!);
    const counts = { wal: {}, wbl: {}, checkpoint: {} };
    for (const log of ['wal', 'wbl'] as const) {
      const sources = findSegments(NODE_FILES, `${data}/${log}`).map((index) => ({
        path: segmentPath(`${data}/${log}`, index),
        index,
      }));
      countRecords(new WalReader(NODE_FILES, sources), counts[log]);
    }
    for (const checkpoint of fixturePaths(fixture, 'data/wal/checkpoint.*')) {
      const sources = checkpointSources(NODE_FILES, checkpoint);
      countRecords(new WalReader(NODE_FILES, sources), counts.checkpoint);
    }
    if (!fixture.startsWith('fixture-3.14')) {
      expect(Object.keys(counts.wal).length).toBeGreaterThan(3);
      return;
    }
    const listing = path.join(conformancePath(fixture)!, 'blocks.json');
    const { content } = JSON.parse(readFileSync(listing, 'utf8')) as { content: typeof counts };
    expect(counts.wal).toEqual(content.wal);
    expect(counts.wbl).toEqual(content.wbl);
    expect(counts.checkpoint).toEqual(content.checkpoint);
  });
});
