/** Following a log: where it begins, what it learns from before, and what it makes of damage. */
import { beforeEach, expect, test } from 'vitest';
import { ByteWriter, Labels } from '../../../model/index.ts';
import { TextBytes } from '../../../tsdb/head/text-bytes.ts';
import { LogFollower, type LogPosition } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { SampleBatch } from '../../../tsdb/record/sample-batch.ts';
import { encodeSamples } from '../../../tsdb/record/samples.ts';
import { beginSeriesRecord, encodeSeries } from '../../../tsdb/record/series.ts';
import { removeSegmentsBefore, writeCheckpoint } from '../../../tsdb/wal/checkpoint.ts';
import { WalWriter } from '../../../tsdb/wal/wal-writer.ts';

const DIRECTORY = '/data/wal';
let files: MemoryFiles;
let wal: WalWriter;
beforeEach(() => {
  files = new MemoryFiles();
  wal = new WalWriter(files, DIRECTORY, { segmentSizeBytes: 32 * 1024 });
});

function logSeries(ref: number, name: string): void {
  const out = new ByteWriter();
  const texts = new TextBytes();
  texts.clear();
  for (const text of Labels.fromObject({ __name__: name }).flat) texts.add(text);
  beginSeriesRecord(out);
  encodeSeries(out, ref, texts);
  wal.log(out.view().slice());
}

function logSample(ref: number, timestampMs: number): void {
  const batch = new SampleBatch();
  batch.push(ref, timestampMs, 0, 0);
  const out = new ByteWriter();
  encodeSamples(batch, out);
  wal.log(out.view().slice());
}

const end = (): LogPosition => ({
  segmentIndex: wal.segmentIndex,
  offsetBytes: wal.segmentOffsetBytes,
});

function follow(start: LogPosition) {
  const seen: string[] = [];
  const follower = new LogFollower({
    directory: DIRECTORY,
    files,
    start,
    sink: {
      series: (ref, labels) => seen.push(`series ${ref} ${labels.get('__name__')}`),
      metadata: () => seen.push('metadata'),
      samples: ({ refs, timestampsMs }) => seen.push(`sample ${refs[0]} ${timestampsMs[0]}`),
      histograms: () => seen.push('histograms'),
      exemplars: () => seen.push('exemplars'),
      damaged: () => seen.push('damaged'),
    },
  });
  return {
    follower,
    read: () => {
      seen.length = 0;
      while (follower.next());
      return [...seen];
    },
  };
}

test('of what lies before the start only the series are handed on', () => {
  logSeries(1, 'a');
  logSample(1, 10);
  const start = end();
  logSample(1, 20);
  logSeries(2, 'b');
  const { read, follower } = follow(start);
  expect(read()).toEqual(['series 1 a', 'sample 1 20', 'series 2 b']);
  expect(follower.position).toEqual(end());
  expect(read()).toEqual([]);
  logSample(2, 30);
  wal.cutSegment();
  logSample(2, 40);
  expect(read()).toEqual(['sample 2 30', 'sample 2 40']);
});

test('a checkpoint tells the series of segments that are gone', () => {
  logSeries(1, 'a');
  logSeries(2, 'gone');
  logSample(1, 10);
  wal.cutSegment();
  logSample(1, 20);
  wal.cutSegment();
  const late = follow({ segmentIndex: 0, offsetBytes: 0 });
  expect(late.read()).toHaveLength(4);
  expect(late.follower.newCheckpoint()).toBeNull();
  writeCheckpoint({
    files,
    directory: DIRECTORY,
    firstSegment: 0,
    lastSegment: 1,
    keepsSeries: (ref) => ref === 1,
    minMs: 0,
  });
  removeSegmentsBefore(files, DIRECTORY, 2);
  const start = end();
  logSample(1, 30);
  expect(follow(start).read()).toEqual(['series 1 a', 'sample 1 30']);
  expect(late.read()).toEqual(['sample 1 30']);
  expect(late.follower.newCheckpoint()).toEqual({ index: 1, refs: new Set([1]) });
  expect(late.follower.newCheckpoint()).toBeNull();
});

test('segments that are removed before they were read are passed over, not their series', () => {
  logSeries(1, 'a');
  logSample(1, 10);
  const { read } = follow({ segmentIndex: 0, offsetBytes: 0 });
  expect(read()).toHaveLength(2);
  wal.cutSegment();
  logSeries(2, 'b');
  wal.cutSegment();
  logSample(2, 20);
  wal.cutSegment();
  writeCheckpoint({
    files,
    directory: DIRECTORY,
    firstSegment: 0,
    lastSegment: 2,
    keepsSeries: () => true,
    minMs: 100,
  });
  removeSegmentsBefore(files, DIRECTORY, 3);
  expect(read()).toEqual([]);
  logSample(2, 30);
  expect(read()).toEqual(['damaged', 'series 1 a', 'series 2 b', 'sample 2 30']);
});

test('a damaged segment is reported and passed over', () => {
  logSeries(1, 'a');
  const damagedAt = end().offsetBytes;
  logSample(1, 10);
  logSample(1, 11);
  wal.cutSegment();
  logSample(1, 20);
  const file = files.open(`${DIRECTORY}/00000000`, 'append');
  file.write(damagedAt + 8, new Uint8Array([0xff, 0xff]));
  file.close();
  const { read } = follow({ segmentIndex: 0, offsetBytes: 0 });
  expect(read()).toEqual(['series 1 a', 'damaged', 'sample 1 20']);
});

test('a record that says nothing sensible costs only itself', () => {
  logSeries(1, 'a');
  wal.log(new Uint8Array([2, 1, 2, 3]));
  logSample(1, 10);
  const { read } = follow({ segmentIndex: 0, offsetBytes: 0 });
  expect(read()).toEqual(['series 1 a', 'damaged', 'sample 1 10']);
});
