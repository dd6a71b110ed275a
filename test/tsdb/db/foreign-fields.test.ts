/** What others (Thanos, for one) write into `meta.json` is there after everything that we do to a block. */
import { describe, expect, test } from 'vitest';
import { Labels, Matcher, SimulatedClock } from '../../../model/index.ts';
import { markCompactionFailed } from '../../../tsdb/compaction/compact.ts';
import { listBlocks } from '../../../tsdb/block/block-directory.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { DATA, testUlid, writeTestBlock } from '../support/blocks.ts';

const HOUR_MS = 3_600_000;
const THANOS = { labels: { replica: 'a' }, downsample: { resolution: 0 }, source: 'sidecar' };

type PlainMeta = Record<string, unknown> & {
  compaction: Record<string, unknown>;
  stats: Record<string, unknown>;
};

/** Three blocks that a compaction merges, with the given fields added to each. */
function world(added: readonly Record<string, unknown>[]) {
  const files = new MemoryFiles();
  files.makeDirectory(DATA);
  const write = (serial: number) => {
    const startMs = serial * 2 * HOUR_MS;
    const samples = Array.from({ length: 10 }, (_, i) => [startMs + i * 1000, i] as const);
    const series = ['a', 'b'].map((name) => ({
      labels: Labels.fromObject({ __name__: name }),
      samples,
    }));
    writeTestBlock(files, series, { serial, minMs: startMs, endMs: startMs + 2 * HOUR_MS });
  };
  const pathOf = (ulid: string) => `${DATA}/${ulid}/meta.json`;
  const read = (ulid: string) =>
    JSON.parse(Buffer.from(files.readAll(pathOf(ulid))).toString()) as PlainMeta;
  added.forEach((fields, serial) => {
    write(serial);
    const ulid = testUlid(serial);
    files.put(pathOf(ulid), Buffer.from(JSON.stringify({ ...read(ulid), ...fields })));
  });
  const open = (): Db =>
    openDb({
      directory: DATA,
      clock: new SimulatedClock(0),
      files,
      usesLockFile: false,
      retentionMs: 0,
    });
  return { files, open, read, ulids: () => listBlocks(files, DATA) };
}

const deleteA = (db: Db) =>
  db.deleteSeries(-Infinity, Infinity, [new Matcher('__name__', '=', 'a')]);

describe('fields that we do not know', () => {
  test('stay when series are deleted', async () => {
    const { open, read } = world([{ thanos: THANOS }]);
    const db = open();
    await deleteA(db);
    await db.close();
    const meta = read(testUlid(0));
    expect(meta['thanos']).toEqual(THANOS);
    expect(meta.stats['numTombstones']).toBe(1);
  });

  test('stay when a block is written anew without what was deleted', async () => {
    const { open, read, ulids } = world([{ thanos: THANOS, stamp: 7 }]);
    const db = open();
    await deleteA(db);
    await db.cleanTombstones();
    await db.close();
    const [ulid] = ulids();
    expect(ulid).not.toBe(testUlid(0));
    const meta = read(ulid!);
    expect([meta['thanos'], meta['stamp']]).toEqual([THANOS, 7]);
    expect(meta.stats['numSeries']).toBe(1);
  });

  test('stay when a compaction failed', () => {
    const { files, read } = world([{ thanos: THANOS }]);
    markCompactionFailed(files, DATA, testUlid(0));
    const meta = read(testUlid(0));
    expect([meta['thanos'], meta.compaction['failed']]).toEqual([THANOS, true]);
  });

  test('come into a merged block when all parents have them alike', async () => {
    const own = { stamp: 1 };
    const { open, read, ulids } = world([
      { thanos: THANOS, ...own },
      { thanos: { ...THANOS }, stamp: 2 },
      { thanos: THANOS, ...own },
      {},
    ]);
    const db = open();
    await db.compact();
    await db.close();
    const merged = ulids()
      .map(read)
      .filter(({ compaction }) => compaction['level'] === 2);
    expect(merged.length).toBe(1);
    expect(merged[0]!['thanos']).toEqual(THANOS);
    expect(merged[0]).not.toHaveProperty('stamp');
  });
});
