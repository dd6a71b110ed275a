/** Power loss, a full disk, damaged files: what is lost is bounded and told, the rest goes on. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createLogger,
  Labels,
  type LogRecord,
  Registry,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const RANGE_MS = 60_000;
const STEP_MS = 1000;
const SERIES_COUNT = 6;

function open(files: MemoryFiles, extra: Partial<Parameters<typeof openDb>[0]> = {}): Db {
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(0),
    files,
    usesLockFile: false,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    walSegmentSizeBytes: 32 * 1024,
    samplesPerChunk: 8,
    ...extra,
  });
}

/** Sample number n, with value n, for every series. */
function commit(db: Db, n: number): void {
  const appender = db.appender();
  const columns = {
    count: SERIES_COUNT,
    refs: new Float64Array(SERIES_COUNT),
    timestampsMs: new Float64Array(SERIES_COUNT).fill(n * STEP_MS),
    values: new Float64Array(SERIES_COUNT).fill(n),
  };
  for (let i = 0; i < SERIES_COUNT; i++) {
    columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'n', i: `${i}` }));
  }
  appender.appendSamples(columns, new Uint8Array(SERIES_COUNT));
  appender.commit();
}

/** The numbers that each series has. */
function numbersOf(db: Db): Map<string, number[]> {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
  const out = new SampleBuffer();
  const numbers = new Map<string, number[]>();
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    numbers.set(labels.get('i'), [...out.values.subarray(0, out.count)]);
  });
  querier.close();
  return numbers;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

describe('after a power loss', () => {
  const anyStep = fc.oneof(
    { weight: 8, arbitrary: fc.record({ commits: fc.integer({ min: 1, max: 40 }) }) },
    { weight: 2, arbitrary: fc.constant('sync' as const) },
    { weight: 3, arbitrary: fc.constant('compact' as const) },
    {
      weight: 2,
      arbitrary: fc.record({
        crash: fc.constantFrom('synced-only' as const, 'random' as const),
        seed: fc.nat(),
      }),
    },
  );

  test('every series has the samples up to the last sync, and no gap before the last one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
        let files = new MemoryFiles();
        let db = open(files);
        let count = 0;
        let syncedCount = 0;
        for (const action of [...steps, { crash: 'synced-only' as const, seed: 1 }]) {
          if (action === 'sync') {
            db.sync();
            syncedCount = count;
          } else if (action === 'compact') {
            await db.compact();
          } else if ('commits' in action) {
            for (let i = 0; i < action.commits; i++) commit(db, count++);
          } else {
            let state = action.seed;
            files = files.crash(action.crash, () => {
              state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
              return state / 2 ** 32;
            });
            db = open(files);
            const numbers = numbersOf(db);
            const counts = [...numbers.values()].map((found) => found.length);
            const most = Math.max(0, ...counts);
            if (syncedCount > 0) expect(numbers.size).toBe(SERIES_COUNT);
            for (const found of numbers.values()) {
              expect(found.length).toBeGreaterThanOrEqual(syncedCount);
              expect(found.length).toBeLessThanOrEqual(count);
              // A commit is one write: series differ by nothing.
              expect(found).toEqual(range(most));
            }
            count = most;
            syncedCount = Math.min(syncedCount, count);
          }
        }
      }),
      { numRuns: Number(process.env['NARTHEX_RUNS'] ?? 80), interruptAfterTimeLimit: 40_000 },
    );
  });
});

describe('a full disk', () => {
  test('makes commits fail without storing anything, and goes on when there is room again', () => {
    const files = new MemoryFiles();
    const db = open(files);
    for (let n = 0; n < 5; n++) commit(db, n);
    files.freeBytes = 10;
    expect(() => commit(db, 5)).toThrow('ENOSPC');
    expect(numbersOf(db).get('0')).toEqual(range(5));
    files.freeBytes = Infinity;
    commit(db, 5);
    expect(numbersOf(db).get('0')).toEqual(range(6));
    const after = open(files.crash('everything'));
    for (const numbers of numbersOf(after).values()) expect(numbers).toEqual(range(6));
  });

  test('does not keep a series out that was new in the commit that failed', () => {
    const files = new MemoryFiles();
    const db = open(files);
    files.freeBytes = 0;
    expect(() => commit(db, 0)).toThrow('ENOSPC');
    files.freeBytes = Infinity;
    commit(db, 1);
    const after = open(files.crash('everything'));
    expect(numbersOf(after).size).toBe(SERIES_COUNT);
  });

  test('stops compaction, which tries again later', async () => {
    const files = new MemoryFiles();
    const db = open(files);
    for (let n = 0; n < 130; n++) commit(db, n);
    files.freeBytes = 500;
    await db.compact();
    expect(db.status(1).blocks).toEqual([]);
    for (const numbers of numbersOf(db).values()) expect(numbers).toEqual(range(130));
    files.freeBytes = Infinity;
    await db.compact();
    expect(db.status(1).blocks.length).toBe(1);
    for (const numbers of numbersOf(db).values()) expect(numbers).toEqual(range(130));
  });
});

describe('a damaged directory', () => {
  /** Blocks, head chunks and several segments of a log. */
  async function damaged(damage: (files: MemoryFiles) => void) {
    const files = new MemoryFiles();
    const db = open(files);
    for (let n = 0; n < 200; n++) {
      commit(db, n);
      if (n % 60 === 59) await db.compact();
    }
    await db.close();
    damage(files);
    const said: LogRecord[] = [];
    const registry = new Registry();
    const logger = createLogger((record) => said.push(record), { level: 'warn', nowMs: () => 0 });
    const opened = open(files, { logger, registry });
    const metric = (name: string) =>
      registry.snapshot().find((family) => family.name === name)?.samples[0]?.value;
    return { db: opened, said, metric };
  }

  function spoil(files: MemoryFiles, path: string, offset: number): void {
    const content = files.readAll(path);
    content[offset < 0 ? content.length + offset : offset]! ^= 0x10;
    files.put(path, content);
  }

  test('with a block that cannot be read opens without it', async () => {
    const { db, said, metric } = await damaged((files) => {
      const ulid = files.list('/data').find((name) => name.startsWith('0'))!;
      spoil(files, `/data/${ulid}/index`, -1);
    });
    expect(said.map((record) => record.message)).toContain(
      'A block cannot be opened and is left out',
    );
    expect(metric('prometheus_tsdb_reloads_failures_total')).toBe(1);
    const numbers = numbersOf(db).get('0')!;
    expect(numbers.at(-1)).toBe(199);
    expect(numbers.length).toBeLessThan(200);
    commit(db, 200);
    expect(numbersOf(db).get('0')!.at(-1)).toBe(200);
  });

  test('with damaged head chunks makes them anew from the log', async () => {
    const { db, said, metric } = await damaged((files) => {
      const [name] = files.list('/data/chunks_head');
      spoil(files, `/data/chunks_head/${name}`, 60);
    });
    expect(said.length).toBe(1);
    expect(metric('prometheus_tsdb_mmap_chunk_corruptions_total')).toBe(1);
    for (const numbers of numbersOf(db).values()) expect(numbers).toEqual(range(200));
  });

  test('with a damaged log keeps what came before the damage', async () => {
    const { db, said, metric } = await damaged((files) => {
      const name = files.list('/data/wal').findLast((entry) => /^\d+$/.test(entry))!;
      const size = files.stat(`/data/wal/${name}`)!.sizeBytes;
      spoil(files, `/data/wal/${name}`, Math.floor(size / 2));
    });
    expect(said[0]!.fields['error']).toMatch(/\/data\/wal\/\d+ @ byte \d+/);
    expect(metric('prometheus_tsdb_wal_corruptions_total')).toBe(1);
    const numbers = numbersOf(db).get('0')!;
    expect(numbers).toEqual(range(numbers.length));
    expect(numbers.length).toBeGreaterThan(120);
    commit(db, 300);
    expect(numbersOf(db).get('0')!.at(-1)).toBe(300);
    await db.close();
  });

  test('with a missing segment keeps the others', async () => {
    const { db, said } = await damaged((files) => {
      const names = files.list('/data/wal').filter((entry) => /^\d+$/.test(entry));
      files.remove(`/data/wal/${names.at(-2)!}`);
    });
    expect(said.some(({ fields }) => String(fields['error']).includes('is missing'))).toBe(true);
    commit(db, 300);
    expect(numbersOf(db).get('0')!.at(-1)).toBe(300);
  });

  test('with what a crash left of unfinished blocks opens and cleans up', async () => {
    const left = [
      '01HF7YAT00EZVPH70P9008KC79.tmp-for-creation',
      '01HF7YAT00EZVPH70P9008KC78.tmp-for-deletion',
      '01HF7YAT00EZVPH70P9008KC77.tmp',
    ];
    const files = new MemoryFiles();
    for (const name of left) {
      files.makeDirectory(`/data/${name}`);
      files.put(`/data/${name}/index`, new Uint8Array(3));
    }
    files.makeDirectory('/data/wal/checkpoint.00000002.tmp');
    const db = open(files);
    expect(files.list('/data').filter((name) => left.includes(name))).toEqual([]);
    expect(files.list('/data/wal').filter((name) => name.endsWith('.tmp'))).toEqual([]);
    await db.close();
  });
});
