/**
 * Of several samples of a series at one time the one that was written last counts: while all are in
 * the head, when some are in blocks, when the blocks were merged, and after each start.
 */
import { expect, test } from 'vitest';
import {
  AppendOutcome,
  floatHistogram,
  Labels,
  Matcher,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { listBlocks } from '../../../tsdb/block/block-directory.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const START_MS = Math.floor(1_700_000_000_000 / (2 * HOUR_MS)) * 2 * HOUR_MS;

type Kind = 'float' | 'histogram';

class Scene {
  readonly files = new MemoryFiles();
  #startCount = 0;
  db: Db = this.#open();

  #open(): Db {
    return openDb({
      directory: '/data',
      // Blocks are named by the time at which they are made, and the newer one counts.
      clock: new SimulatedClock(START_MS + 5 * HOUR_MS + 1000 * this.#startCount++),
      files: this.files,
      usesLockFile: false,
      retentionMs: 0,
      outOfOrderWindowMs: 12 * HOUR_MS,
      outOfOrderCapacity: 4,
    });
  }

  async restart(): Promise<void> {
    await this.db.close();
    this.db = this.#open();
  }

  write(minute: number, value: number, kind: Kind): void {
    const timestampMs = START_MS + minute * MINUTE_MS;
    const appender = this.db.appender();
    const ref = appender.series(Labels.fromObject({ __name__: 'm' }));
    if (kind === 'histogram') {
      const histogram = floatHistogram({ count: value, sum: value, zeroCount: value });
      expect(appender.appendHistogram(ref, timestampMs, histogram)).toBe(AppendOutcome.Ok);
    } else {
      const columns = oneSample(ref, timestampMs, value);
      const outcomes = new Uint8Array(1);
      appender.appendSamples(columns, outcomes);
      expect(outcomes[0]).toBe(AppendOutcome.Ok);
    }
    appender.commit();
  }

  /** What a query finds that is not 1. */
  found(): Record<number, number> {
    const querier = this.db.querier(-Infinity, Infinity);
    const rows = querier.select([new Matcher('__name__', '=', 'm')], {
      minMs: -Infinity,
      maxMs: Infinity,
    });
    const out = new SampleBuffer();
    rows.read(0, -Infinity, Infinity, out);
    const found: Record<number, number> = {};
    for (let i = 0; i < out.count; i++) {
      const value = out.histograms?.[i]?.sum ?? out.values[i]!;
      if (value !== 1) found[(out.timestampsMs[i]! - START_MS) / MINUTE_MS] = value;
    }
    querier.close();
    return found;
  }
}

test.each<{ first: Kind; second: Kind }>([
  { first: 'float', second: 'float' },
  { first: 'float', second: 'histogram' },
  { first: 'histogram', second: 'float' },
  { first: 'histogram', second: 'histogram' },
])('a late $second counts where a $first came in order', async ({ first, second }) => {
  const scene = new Scene();
  for (let minute = 0; minute <= 300; minute++) scene.write(minute, 1, first);
  // In each block to be, and in what stays in the head.
  const late = [10, 40, 119, 120, 150, 151, 152, 290];
  for (const minute of late) scene.write(minute, 2, second);
  let wanted = Object.fromEntries(late.map((minute) => [minute, 2]));
  expect(scene.found()).toEqual(wanted);
  await scene.restart();
  expect(scene.found()).toEqual(wanted);

  await scene.db.compact();
  // The last one is in a block before those in order are.
  expect(listBlocks(scene.files, '/data').length).toBe(3);
  expect(scene.found()).toEqual(wanted);
  await scene.restart();
  expect(scene.found()).toEqual(wanted);

  for (const minute of [40, 41, 151]) scene.write(minute, 3, second);
  wanted = { ...wanted, 40: 3, 41: 3, 151: 3 };
  expect(scene.found()).toEqual(wanted);
  for (let minute = 301; minute <= 600; minute++) scene.write(minute, 1, first);
  await scene.db.compact();
  expect(scene.found()).toEqual(wanted);
  await scene.restart();
  expect(scene.found()).toEqual(wanted);
  await scene.db.close();
});

test('a late sample counts before one that came late earlier', async () => {
  const scene = new Scene();
  for (const minute of [0, 60]) scene.write(minute, 1, 'float');
  for (const minute of [1, 2, 3, 4, 5]) scene.write(minute, 2, 'float');
  // The first four are in a chunk by now.
  for (const minute of [2, 4]) scene.write(minute, 3, 'float');
  const wanted = { 1: 2, 2: 3, 3: 2, 4: 3, 5: 2 };
  expect(scene.found()).toEqual(wanted);
  await scene.restart();
  expect(scene.found()).toEqual(wanted);
  await scene.db.compact();
  scene.write(400, 1, 'float');
  await scene.db.compact();
  expect(scene.found()).toEqual(wanted);
  await scene.db.close();
});
