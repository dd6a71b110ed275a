/** Selecting some labels only, against selecting all and dropping the others. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Labels,
  Matcher,
  type Querier,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { openDb, runCompactionJob } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const NAMES = ['A', '__name__', 'job', 'pod', 'zone'];
const VALUES = ['', 'a', 'b', 'ab'];
const START_MS = 1_700_000_000_000;
const BLOCK_MS = 60_000;

const labelSets = fc
  .array(fc.tuple(...NAMES.map(() => fc.constantFrom(...VALUES))), { minLength: 1, maxLength: 30 })
  .map((list) =>
    list.map((values) =>
      Labels.fromPairs(values.map((value, i) => [NAMES[i]!, value] as const)).with('id', 'x'),
    ),
  );
const someNames = fc.subarray([...NAMES, 'absent']);
const matcher = fc.constantFrom(new Matcher('job', '!=', 'b'), new Matcher('pod', '=~', 'a.*|'));

/** Every series has a sample in each of `times`. */
async function databaseWith(labelsOfSeries: readonly Labels[], timesMs: readonly number[]) {
  const files = new MemoryFiles();
  const db = openDb({
    directory: '/data',
    clock: new SimulatedClock(START_MS),
    files,
    usesLockFile: false,
    minBlockMs: BLOCK_MS,
    maxBlockMs: BLOCK_MS,
    retentionMs: 0,
    runJob: (job, shared) => Promise.resolve(runCompactionJob(job, shared, files)),
  });
  for (const timestampMs of timesMs) {
    const appender = db.appender();
    const refs = labelsOfSeries.map((labels) => appender.series(labels));
    appender.appendSamples(
      {
        count: refs.length,
        refs: Float64Array.from(refs),
        timestampsMs: new Float64Array(refs.length).fill(timestampMs),
        values: Float64Array.from(refs.keys()),
      },
      new Uint8Array(refs.length),
    );
    appender.commit();
  }
  await db.compact();
  return db;
}

function checkProjection(querier: Querier, names: readonly string[], matchers: readonly Matcher[]) {
  const hints = { minMs: 0, maxMs: Infinity };
  const whole = querier.select(matchers, hints);
  const some = querier.select(matchers, { ...hints, labelNames: names });
  const kept = whole.labels.map((labels) => labels.keep(new Set(names)).toString());
  expect(some.labels.map((labels) => labels.keep(new Set(names)).toString())).toEqual(kept);
  const [a, b] = [new SampleBuffer(), new SampleBuffer()];
  for (let row = 0; row < kept.length; row++) {
    whole.read(row, 0, Infinity, a);
    some.read(row, 0, Infinity, b);
    expect(b.values.subarray(0, b.count)).toEqual(a.values.subarray(0, a.count));
  }
  return some.labels.every((labels) => labels.equals(labels.keep(new Set(names))));
}

describe('rows with some of their labels', () => {
  test.each([
    { where: 'the head', timesMs: [START_MS], isAlone: true },
    {
      where: 'a block',
      timesMs: [START_MS, START_MS + 10 * BLOCK_MS],
      maxMs: START_MS + BLOCK_MS,
      isAlone: true,
    },
    {
      where: 'block and head',
      timesMs: [START_MS, START_MS + 10 * BLOCK_MS],
      isAlone: false,
    },
  ])('are those of the whole ones, in $where', async ({ timesMs, maxMs = Infinity, isAlone }) => {
    await fc.assert(
      fc.asyncProperty(labelSets, someNames, matcher, async (list, names, one) => {
        const db = await databaseWith(list, timesMs);
        const querier = db.querier(0, maxMs);
        try {
          const areProjected = checkProjection(querier, names, [one]);
          // With several sources storage gives more than is asked for.
          if (isAlone) expect(areProjected).toBe(true);
        } finally {
          querier.close();
          await db.close();
        }
      }),
      { numRuns: 40 },
    );
  });
});
