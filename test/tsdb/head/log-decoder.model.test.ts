/** A log read into batches holds what the same log has when each of its records is decoded alone. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { ByteWriter, CorruptionError, Labels } from '../../../model/index.ts';
import { ChangedLabels } from '../../../tsdb/head/label-changes.ts';
import { LogDecoder } from '../../../tsdb/head/log-decoder.ts';
import { Head } from '../../../tsdb/head/head.ts';
import {
  type BatchSource,
  failReadAhead,
  FarBatches,
  NearBatches,
} from '../../../tsdb/head/read-ahead.ts';
import { BATCH_SIZE_BYTES, BatchKind, ReplayBatch } from '../../../tsdb/head/replay-batch.ts';
import { PAIR_NAME, PAIR_VALUE } from '../../../tsdb/head/label-pairs.ts';
import { START_TIMESTAMPS_IGNORED } from '../../../tsdb/head/start-timestamps.ts';
import { readSymbol } from '../../../tsdb/head/symbols.ts';
import type { Files } from '../../../tsdb/io/files.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { PAGE_SIZE_BYTES } from '../../../tsdb/wal/fragment.ts';
import { RecordType, recordTypeOf } from '../../../tsdb/record/record-type.ts';
import { SampleBatch } from '../../../tsdb/record/sample-batch.ts';
import { decodeSamples, encodeSamples, encodeSamplesV2 } from '../../../tsdb/record/samples.ts';
import { SeriesCursor } from '../../../tsdb/record/series.ts';
import { listSegments } from '../../../tsdb/wal/segment-name.ts';
import { segmentSources, WalReader } from '../../../tsdb/wal/wal-reader.ts';
import { WalWriter } from '../../../tsdb/wal/wal-writer.ts';

type Series = { readonly ref: number; readonly texts: readonly string[] };
type Record =
  | { readonly series: readonly Series[]; readonly cutBytes: number }
  | { readonly sampleCount: number; readonly withStarts: boolean; readonly cutBytes: number }
  | { readonly type: number; readonly sizeBytes: number };

/** What a log says, in order: each series, each sample, each record of another kind. */
type Found = { readonly entries: string[]; readonly failure: unknown };

// Few of them, so that neighbours share some; one too long to be remembered, one to be in a batch.
const text = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom('a', 'b', 'job', 'pod-1', 'pod-2', 'ü', 'x'.repeat(70)),
  },
  { weight: 1, arbitrary: fc.constantFrom('', 'y'.repeat(300_000)) },
);
const sortedTexts = fc
  .uniqueArray(fc.constantFrom('__name__', 'a', 'b', 'instance', 'job', 'z'.repeat(65)), {
    maxLength: 5,
  })
  .chain((names) => fc.tuple(...names.sort().map((name) => fc.tuple(fc.constant(name), text))))
  .map((pairs) => pairs.flat());
const texts = fc.oneof(
  { weight: 20, arbitrary: sortedTexts },
  { weight: 1, arbitrary: fc.array(fc.tuple(text, text), { maxLength: 3 }).map((p) => p.flat()) },
);
const ref = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 2 ** 32, max: 2 ** 40 }));
const cutBytes = fc.oneof(
  { weight: 40, arbitrary: fc.constant(0) },
  fc.integer({ min: 1, max: 9 }),
);
const record: fc.Arbitrary<Record> = fc.oneof(
  fc.record({ series: fc.array(fc.record({ ref, texts }), { maxLength: 8 }), cutBytes }),
  fc.record({
    sampleCount: fc.oneof(fc.nat(30), fc.nat(30), fc.nat(20_000)),
    withStarts: fc.boolean(),
    cutBytes,
  }),
  fc.record({
    type: fc.constantFrom(0, 3, 4, 5, 6, 7, 99),
    sizeBytes: fc.oneof(fc.nat(40), fc.nat(40), fc.nat(600_000)),
  }),
);

function encode(entry: Record, serial: number): Uint8Array {
  const out = new ByteWriter();
  if ('series' in entry) {
    out.putByte(RecordType.Series);
    for (const { ref: number, texts: labels } of entry.series) {
      out.putUint64(number);
      out.putUvarint(labels.length / 2);
      for (const label of labels) {
        const bytes = Buffer.from(label);
        out.putUvarint(bytes.length);
        for (const byte of bytes) out.putByte(byte);
      }
    }
  } else if ('sampleCount' in entry) {
    const samples = new SampleBatch();
    for (let i = 0; i < entry.sampleCount; i++)
      samples.push(1 + (i % 97), serial * 1000, i, serial);
    const starts = Float64Array.from({ length: entry.sampleCount }, (_, i) => (i % 3) * serial);
    if (entry.withStarts) encodeSamplesV2(samples, starts, out);
    else encodeSamples(samples, out);
  } else {
    out.putByte(entry.type);
    for (let i = 0; i < entry.sizeBytes; i++) out.putByte((i * 31 + serial) & 0xff);
  }
  const bytes = out.view().slice();
  return 'cutBytes' in entry
    ? bytes.subarray(0, Math.max(1, bytes.length - entry.cutBytes))
    : bytes;
}

function write(files: Files, directory: string, records: readonly Record[]): void {
  const writer = new WalWriter(files, directory, {
    compression: 'snappy',
    segmentSizeBytes: 4 * PAGE_SIZE_BYTES,
  });
  records.forEach((entry, serial) => {
    writer.log(encode(entry, serial + 1));
  });
  writer.close();
}

const nameSeries = (number: number, labels: Labels) => `series ${number} ${labels.toString()}`;

function addSamples(entries: string[], samples: SampleBatch, count: number, starts: boolean): void {
  for (let i = 0; i < count; i++) {
    const { refs, timestampsMs, valueHalves, startTimestampsMs } = samples;
    const startMs = starts ? startTimestampsMs[i]! : 0;
    const value = `${valueHalves[i * 2 + 1]!}:${valueHalves[i * 2]!}`;
    entries.push(`sample ${refs[i]!} ${timestampsMs[i]!} ${value} ${startMs}`);
  }
}

const nameRecord = (bytes: Uint8Array) => `record ${Buffer.from(bytes).toString('base64')}`;

/** The definition: record by record. */
function readPlainly(files: Files, directory: string): Found {
  const entries: string[] = [];
  const reader = WalReader.forSegments(files, directory, listSegments(files, directory));
  const cursor = new SeriesCursor();
  const samples = new SampleBatch();
  try {
    while (reader.next()) {
      const { bytes, start, end } = reader;
      const place = { file: reader.path, offsetBytes: reader.recordOffsetBytes };
      const type = recordTypeOf(bytes, start);
      if (type === null || type === RecordType.MmapMarkers) continue;
      if (type === RecordType.Series) {
        cursor.reset(bytes, start, end, place);
        while (cursor.next()) {
          entries.push(nameSeries(cursor.ref, Labels.fromPairs(cursor.labels())));
        }
      } else if (type === RecordType.Samples || type === RecordType.SamplesV2) {
        samples.clear();
        decodeSamples(bytes, start, end, samples, place);
        addSamples(entries, samples, samples.count, true);
      } else {
        entries.push(nameRecord(bytes.subarray(start, end)));
      }
    }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    const { what, place } = error;
    const { segmentIndex: segment, recordOffsetBytes: goodSizeBytes } = reader;
    return { entries, failure: { isCorruption: true, what, ...place, segment, goodSizeBytes } };
  } finally {
    reader.close();
  }
  return { entries, failure: null };
}

function readInBatches(batches: BatchSource, directory: string, segments: number[]): Found {
  const head = new Head({
    chunkRangeMs: 7_200_000,
    samplesPerChunk: 120,
    memoryLimitBytes: 2 ** 31,
    exemplarCountMax: 0,
    outOfOrderCapacity: 32,
    logsMetadata: false,
    startTimestamps: START_TIMESTAMPS_IGNORED,
  });
  const changed = new ChangedLabels(head.pairs);
  const entries: string[] = [];
  let begun = new Uint8Array(0);
  batches.open(segmentSources(directory, segments));
  try {
    for (;;) {
      const batch = batches.next();
      const { bytes, words, sizeBytes, count } = batch;
      if (batch.kind === BatchKind.End) return { entries, failure: null };
      if (batch.kind === BatchKind.Failed) return { entries, failure: batch.failure };
      if (batch.kind === BatchKind.Samples) {
        addSamples(entries, batch.samples, count, batch.hasStartTimestamps);
      } else if (batch.kind === BatchKind.Series) {
        let at = 0;
        for (let i = 0; i < count; i++) {
          at = changed.decode(words, bytes, at);
          entries.push(nameSeries(changed.ref, labelsOf(head, changed)));
        }
        expect(at).toBe(sizeBytes);
      } else {
        begun = Buffer.concat([begun, bytes.slice(0, sizeBytes)]);
        if (batch.goesOn) continue;
        entries.push(oddEntry(begun));
        begun = new Uint8Array(0);
      }
    }
  } finally {
    batches.close();
  }
}

/** A record, or a series that came alone because it is not as usual. */
function oddEntry(bytes: Uint8Array): string {
  if (bytes[0] !== RecordType.Series) return nameRecord(bytes);
  const cursor = new SeriesCursor();
  cursor.reset(bytes, 0, bytes.length, { file: '', offsetBytes: 0 });
  expect(cursor.next()).toBe(true);
  expect(cursor.position).toBe(bytes.length);
  return nameSeries(cursor.ref, Labels.fromPairs(cursor.labels()));
}

function labelsOf({ heap }: Head, { pairs, pairCount }: ChangedLabels): Labels {
  const flat: string[] = [];
  for (const pair of pairs.subarray(0, pairCount)) {
    flat.push(readSymbol(heap, heap.u32[(pair >>> 2) + PAIR_NAME]!));
    flat.push(readSymbol(heap, heap.u32[(pair >>> 2) + PAIR_VALUE]!));
  }
  return Labels.fromSorted(flat);
}

describe('a log read into batches', () => {
  test('says the same as its records', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 12 }),
        fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))),
        (records, damage) => {
          const files = new MemoryFiles();
          files.makeDirectory('/data');
          write(files, '/data/wal', records);
          if (damage !== null) flipBits(files, '/data/wal', ...damage);
          const segments = listSegments(files, '/data/wal');
          const found = readInBatches(new NearBatches(files), '/data/wal', segments);
          expect(found).toEqual(readPlainly(files, '/data/wal'));
        },
      ),
      { numRuns: Number(process.env['NARTHEX_RUNS'] ?? 60) },
    );
  });

  test('holds no more than one batch at a time', () => {
    const files = new MemoryFiles();
    files.makeDirectory('/data');
    const many = { sampleCount: 6000, withStarts: false, cutBytes: 0 };
    write(files, '/data/wal', [many, many]);
    const segments = listSegments(files, '/data/wal');
    const decoder = new LogDecoder(files, segmentSources('/data/wal', segments));
    const batch = new ReplayBatch(new ArrayBuffer(BATCH_SIZE_BYTES), 0);
    decoder.decodeInto(batch);
    expect([batch.kind, batch.count]).toEqual([BatchKind.Samples, 6000]);
    decoder.decodeInto(batch);
    expect([batch.kind, batch.count]).toEqual([BatchKind.Samples, 6000]);
    decoder.decodeInto(batch);
    expect(batch.kind).toBe(BatchKind.End);
    decoder.close();
  });
});

function flipBits(files: Files, directory: string, at: number, bits: number): void {
  const segments = listSegments(files, directory);
  const file = `${directory}/${String(segments[at % segments.length]).padStart(8, '0')}`;
  const bytes = files.readAll(file);
  if (bytes.length === 0) return;
  bytes[at % bytes.length]! ^= bits;
  files.remove(file);
  const handle = files.open(file, 'append');
  handle.write(0, bytes);
  handle.close();
}

describe('another thread that reads ahead', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-read-ahead-'));
  const directory = path.join(folder, 'wal');
  // Two batches: the reader is soon as far ahead as it may be.
  const memory = new SharedArrayBuffer(64 + 2 * BATCH_SIZE_BYTES);
  const worker = new Worker(path.join(import.meta.dirname, 'read-ahead-worker.ts'), {
    workerData: { memory },
  });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  afterAll(async () => {
    await worker.terminate();
    rmSync(folder, { recursive: true });
  });
  mkdirSync(directory);
  const odd = { ref: 7, texts: ['b', '1', 'a', '2', 'c', ''] };
  const records = Array.from({ length: 40 }, (_, i): Record[] => [
    { series: [{ ref: i + 1, texts: ['__name__', 'n', 'i', `${i}`] }, odd], cutBytes: 0 },
    { sampleCount: 500 * i, withStarts: i % 2 === 0, cutBytes: 0 },
    { type: RecordType.Exemplars, sizeBytes: i * 20_000 },
  ]);
  write(NODE_FILES, directory, records.flat());
  const segments = listSegments(NODE_FILES, directory);
  const batches = new FarBatches(memory, NODE_FILES);

  test('gives the same as one that reads itself', () => {
    const found = readInBatches(batches, directory, segments);
    expect(found.entries.length).toBe(80 + 500 * 39 * 20 + 40);
    expect(found).toEqual(readPlainly(NODE_FILES, directory));
  });

  test('can be left early and asked again', () => {
    batches.open(segmentSources(directory, segments));
    expect(batches.next().kind).toBe(BatchKind.Series);
    batches.close();
    expect(readInBatches(batches, directory, segments).failure).toBeNull();
  });

  test('tells what is corrupt, and that a file cannot be read', () => {
    const second = path.join(directory, '00000001');
    const good = readFileSync(second);
    const bad = Uint8Array.from(good);
    bad[100]! ^= 1;
    writeFileSync(second, bad);
    const found = readInBatches(batches, directory, segments);
    expect(found.failure).toMatchObject({ isCorruption: true, segment: 1, file: second });
    expect(found).toEqual(readPlainly(NODE_FILES, directory));
    rmSync(second);
    const { failure } = readInBatches(batches, directory, segments);
    expect(failure).toMatchObject({ isCorruption: false, what: expect.stringMatching(/ENOENT/) });
    writeFileSync(second, good);
  });

  test('can die, and the rest is read without it', async () => {
    const lonely = new SharedArrayBuffer(memory.byteLength);
    const mortal = new Worker(path.join(import.meta.dirname, 'read-ahead-worker.ts'), {
      workerData: { memory: lonely },
    });
    const source = new FarBatches(lonely, NODE_FILES);
    let batchCount = 0;
    const dying: BatchSource = {
      open: (sources) => source.open(sources),
      next: () => {
        // What it has filled by then is used, too.
        if (++batchCount === 20) failReadAhead(lonely);
        return source.next();
      },
      close: () => source.close(),
    };
    const found = readInBatches(dying, directory, segments);
    await mortal.terminate();
    expect(batchCount).toBeGreaterThan(40);
    expect(found).toEqual(readPlainly(NODE_FILES, directory));
    // And so are later logs.
    expect(readInBatches(source, directory, segments)).toEqual(found);
  });

  test('ends when nobody has more to ask', async () => {
    batches.end();
    expect(await ended).toBe(0);
  });
});
