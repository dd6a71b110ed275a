/** Floats in XOR2 chunks: which are cut when, and that a real server reads all of them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  Labels,
  SampleBuffer,
  SimulatedClock,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../../model/index.ts';
import { Encoding } from '../../../tsdb/chunk/encoding.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { openReadOnly } from '../../../tsdb/read-only-db.ts';
import { exactPrometheus, PROMTOOLS } from '../../support/installed.ts';
import { floatText } from '../support/sample-text.ts';
import { promtool, startServer } from '../support/tools.ts';

const START_MS = 1_761_955_200_000;
const STEP_MS = 15_000;
const STEPS_PER_HOUR = 240;
const SERIES_COUNT = 6;
const prometheus = exactPrometheus();

let directory = '';
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'narthex-xor2-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(floatEncoding: 'xor' | 'xor2'): Db {
  return openDb({
    directory: path.join(directory, 'data'),
    clock: new SimulatedClock(START_MS),
    retentionMs: 0,
    usesLockFile: false,
    floatEncoding,
  });
}

/** Constants, counters, measured values, staleness markers, for the steps `[from, to)`. */
function fill(db: Db, from: number, to: number): void {
  const count = SERIES_COUNT;
  const columns = {
    count,
    refs: new Float64Array(count),
    timestampsMs: new Float64Array(count),
    values: new Float64Array(count),
  };
  const halves = new Uint32Array(columns.values.buffer);
  for (let n = from; n < to; n++) {
    const appender = db.appender();
    for (let i = 0; i < count; i++) {
      columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'm', i: `${i}` }));
      columns.timestampsMs[i] = START_MS + n * STEP_MS + (i === 4 ? (n * 7) % 13 : 0);
      columns.values[i] = [1, n, n * 1.1, n % 9 ? NaN : -0, Math.sin(n), 1e300 / (n + 1)][i]!;
      if (i !== 5 || n % 50 !== 49) continue;
      halves[i * 2] = STALE_NAN_LOW;
      halves[i * 2 + 1] = STALE_NAN_HIGH;
    }
    expect(appender.appendSamples(columns, new Uint8Array(count))).toBe(0);
    appender.commit();
  }
}

/** `series value time` of all samples. */
function content(db: Pick<Db, 'querier'>): string[] {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  const lines: string[] = [];
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    for (let i = 0; i < out.count; i++) {
      lines.push(`${labels.toString()} ${floatText(out.values[i]!)} ${out.timestampsMs[i]}`);
    }
  });
  querier.close();
  return lines.sort();
}

/** Encodings of the chunks in blocks, those of one series after the other. */
function encodings(dataDirectory: string): number[][] {
  const db = openReadOnly(dataDirectory, { withHead: false });
  const found = db.blocks.map((block) =>
    [...block.seriesWithDeletions()].flatMap(({ chunks }) => chunks.map((c) => c.encoding)),
  );
  db.close();
  return found;
}

test('a change of the encoding holds from the next chunk on, and for the log as well', async () => {
  const first = open('xor');
  fill(first, 0, STEPS_PER_HOUR);
  first.configure({ floatEncoding: 'xor2' });
  // Goes on in the open chunk.
  fill(first, STEPS_PER_HOUR, STEPS_PER_HOUR + 2);
  await first.close();
  const second = open('xor2');
  fill(second, STEPS_PER_HOUR + 2, 4 * STEPS_PER_HOUR);
  second.configure({ floatEncoding: 'xor' });
  fill(second, 4 * STEPS_PER_HOUR, 8 * STEPS_PER_HOUR);
  const before = content(second);
  expect(before.length).toBe(8 * STEPS_PER_HOUR * SERIES_COUNT);
  await second.compact();
  expect(content(second)).toEqual(before);
  await second.close();
  const [early, middle, late] = encodings(path.join(directory, 'data')).map((e) => new Set(e));
  expect(early).toEqual(new Set([Encoding.Xor, Encoding.Xor2]));
  expect(middle).toEqual(new Set([Encoding.Xor2]));
  expect(late).toEqual(new Set([Encoding.Xor]));
});

test.runIf(prometheus !== null)(
  'a real server reads blocks and head',
  { timeout: 60_000 },
  async () => {
    const db = open('xor2');
    fill(db, 0, 4.5 * STEPS_PER_HOUR);
    await db.compact();
    const expected = content(db);
    const snapshot = path.join(directory, 'snapshot');
    await db.snapshot(snapshot, true);
    mkdirSync(path.join(snapshot, 'wal'));
    const all = encodings(snapshot).flat();
    expect(new Set(all)).toEqual(new Set([Encoding.Xor2]));
    const dumped = promtool(PROMTOOLS[0]!, 'tsdb', 'dump', snapshot).trim().split('\n');
    const plain = (line: string) => {
      const [, series, value, time] = /^(.*\}) (\S+) (\d+)$/.exec(line)!;
      return `${series} ${floatText(Number(value!.replace('Inf', 'Infinity')))} ${time}`;
    };
    expect(dumped.map(plain).sort()).toEqual(expected);

    // Finished chunks of the head in files, open ones in the log.
    await db.close();
    const server = await startServer(
      prometheus!,
      path.join(directory, 'data'),
      '--enable-feature=xor2-encoding',
    );
    try {
      const end = (START_MS + 4.5 * STEPS_PER_HOUR * STEP_MS) / 1000;
      const query = encodeURIComponent('sum(count_over_time(m{i!="5"}[6h]))');
      const response = await fetch(`${server.url}/api/v1/query?query=${query}&time=${end}`);
      const { data } = (await response.json()) as {
        data: { result: { value: [number, string] }[] };
      };
      expect(Number(data.result[0]!.value[1])).toBe((expected.length / SERIES_COUNT) * 5);
    } finally {
      await server.stop();
    }
    const again = open('xor2');
    expect(content(again)).toEqual(expected);
    await again.close();
  },
);
