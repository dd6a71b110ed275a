/** What an agent's log says of start timestamps, and the samples of zero that it makes of them. */
import { expect, test } from 'vitest';
import { floatHistogram, Labels, SimulatedClock } from '../../../model/index.ts';
import { LogFollower, openAgentDb, type StartTimestampUse } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { oneSample } from '../support/one-sample.ts';

const BASE_MS = Date.UTC(2026, 0, 1);
const NEITHER: StartTimestampUse = {
  isStored: false,
  isInHistogramChunks: false,
  isZeroSample: false,
};

/** Scrapes of a float and a histogram: when, and since when they count. */
async function logOf(
  use: StartTimestampUse,
  scrapes: readonly (readonly [timestampMs: number, startMs: number])[],
): Promise<string[]> {
  const files = new MemoryFiles();
  const clock = new SimulatedClock(BASE_MS);
  const db = openAgentDb({
    directory: '/data',
    files,
    clock,
    usesLockFile: false,
    startTimestamps: use,
  });
  for (const [timestampMs, startMs] of scrapes) {
    const appender = db.appender();
    const float = appender.series(Labels.fromObject({ __name__: 'float' }));
    const native = appender.series(Labels.fromObject({ __name__: 'native' }));
    const columns = {
      ...oneSample(float, BASE_MS + timestampMs, 5),
      startTimestampsMs: Float64Array.of(BASE_MS + startMs),
    };
    appender.appendSamples(columns, new Uint8Array(1));
    const histogram = floatHistogram({ count: 5 });
    appender.appendHistogram(native, BASE_MS + timestampMs, histogram, BASE_MS + startMs);
    appender.commit();
  }
  await db.close();

  const found: string[] = [];
  const note = (kind: string, timestampMs: number, value: number, startMs: number) => {
    const start = startMs === 0 ? '-' : startMs - BASE_MS;
    found.push(`${kind} ${value} at ${timestampMs - BASE_MS} since ${start}`);
  };
  const follower = new LogFollower({
    directory: '/data/wal',
    files,
    start: { segmentIndex: 0, offsetBytes: 0 },
    sink: {
      series: () => {},
      metadata: () => {},
      samples: ({ count, timestampsMs, values, startTimestampsMs, hasStartTimestamps }) => {
        for (let i = 0; i < count; i++) {
          const startMs = hasStartTimestamps ? startTimestampsMs[i]! : 0;
          note('float', timestampsMs[i]!, values[i]!, startMs);
        }
      },
      histograms: (rows) => {
        for (const { timestampMs, histogram, startMs } of rows) {
          note('native', timestampMs, histogram.count, startMs);
        }
      },
      exemplars: () => {},
      damaged: (error) => {
        throw error;
      },
    },
  });
  while (follower.next());
  follower.close();
  return found;
}

const SCRAPES = [
  [10, 3],
  [20, 3],
  [30, 25],
  [40, 50],
] as const;

test('where nobody wants them they are left out', async () => {
  expect(await logOf(NEITHER, SCRAPES.slice(0, 1))).toEqual([
    'float 5 at 10 since -',
    'native 5 at 10 since -',
  ]);
});

test('stored, as they came', async () => {
  expect(await logOf({ ...NEITHER, isStored: true }, SCRAPES)).toEqual(
    SCRAPES.flatMap(([at, since]) => [
      `float 5 at ${at} since ${since}`,
      `native 5 at ${at} since ${since}`,
    ]),
  );
});

test('as zeros, once for each start that is new', async () => {
  const zeros = await logOf({ ...NEITHER, isZeroSample: true }, SCRAPES);
  expect(zeros.filter((line) => line.includes(' 0 at '))).toEqual([
    'float 0 at 3 since -',
    'native 0 at 3 since -',
    'float 0 at 25 since -',
    'native 0 at 25 since -',
  ]);
  expect(zeros).toHaveLength(4 + 2 * SCRAPES.length);
});
