/**
 * Bits that flip and files that are cut, in every kind of file: the database opens, and a sample
 * that it gives is one that was written. What it does not give any more it complains about.
 */
import { describe, expect, test } from 'vitest';
import {
  CorruptionError,
  createLogger,
  Labels,
  type LogRecord,
  Matcher,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const STEP_MS = 1000;
const RANGE_MS = 40 * STEP_MS;
const SERIES_COUNT = 4;
/** Places per file that are damaged; many more with NARTHEX_SLOW. */
const DAMAGES_PER_FILE = process.env['NARTHEX_SLOW'] === undefined ? 24 : 1000;

/** Which snapshot of the head lies beside the rest. */
type Snapshots = 'none' | 'chunk_snapshot' | 'head_snapshot';

function open(files: MemoryFiles, snapshots: Snapshots, said: LogRecord[] = []): Db {
  const logger = createLogger((record) => said.push(record), { level: 'warn', nowMs: () => 0 });
  return openDb({
    directory: '/data',
    clock: new SimulatedClock(0),
    files,
    logger,
    usesLockFile: false,
    minBlockMs: RANGE_MS,
    retentionMs: 0,
    walSegmentSizeBytes: 32 * 1024,
    outOfOrderWindowMs: RANGE_MS,
    outOfOrderCapacity: 4,
    samplesPerChunk: 8,
    headSnapshotLogSizeBytes: snapshots === 'head_snapshot' ? 1 : 0,
    headSnapshotLogRatio: 0,
    snapshotsAtEnd: snapshots === 'chunk_snapshot',
  });
}

/** Blocks with tombstones, a checkpoint, segments, chunk files, and a log of late samples. */
async function writtenDirectory(snapshots: Snapshots): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  let db = open(files, snapshots);
  for (let n = 0; n < 165; n++) {
    const appender = db.appender();
    const columns = {
      count: SERIES_COUNT,
      refs: new Float64Array(SERIES_COUNT),
      timestampsMs: new Float64Array(SERIES_COUNT),
      values: new Float64Array(SERIES_COUNT),
    };
    for (let i = 0; i < SERIES_COUNT; i++) {
      columns.refs[i] = appender.series(Labels.fromObject({ __name__: 'n', i: `${i}` }));
      const isLate = i === 3 && n % 3 === 1 && n > 10;
      columns.timestampsMs[i] = n * STEP_MS - (isLate ? 5 * STEP_MS + 500 : 0);
      columns.values[i] = valueAt(i, columns.timestampsMs[i]!);
    }
    expect(appender.appendSamples(columns, new Uint8Array(SERIES_COUNT))).toBe(0);
    appender.commit();
    if (n === 30 || n === 90) {
      await db.close();
      db = open(files, snapshots);
    }
    if (n === 155 && snapshots === 'head_snapshot') await db.tick();
    if (n % 50 === 49) await db.compact();
  }
  for (const range of [10, 160]) {
    const minMs = range * STEP_MS;
    await db.deleteSeries(minMs, minMs + STEP_MS, [new Matcher('i', '=', '2')]);
  }
  await db.close();
  return files;
}

function valueAt(series: number, timestampMs: number): number {
  return series + (timestampMs % 7919) / 7;
}

/** Every file below the data directory. */
function listTree(files: MemoryFiles, directory: string): string[] {
  return files.list(directory).flatMap((name) => {
    const inner = `${directory}/${name}`;
    return files.stat(inner)?.kind === 'directory' ? listTree(files, inner) : [inner];
  });
}

/** A file's place in the format's list. */
function kindOf(path: string): string {
  return path
    .replace('/data/', '')
    .replace(/^[0-9A-Z]{26}/, 'block')
    .replaceAll(/\d{6,}/g, 'N')
    .replace('snapshot.N.N/', 'snapshot/');
}

type Found = { readonly count: number; readonly wrong: string[]; readonly isRefused: boolean };

function read(db: Db): Found {
  const wrong: string[] = [];
  let count = 0;
  const querier = db.querier(-Infinity, Infinity);
  try {
    const rows = querier.select([], { minMs: -Infinity, maxMs: Infinity });
    const out = new SampleBuffer();
    rows.labels.forEach((labels, row) => {
      rows.read(row, -Infinity, Infinity, out);
      const series = Number(labels.get('i'));
      for (let i = 0; i < out.count; i++) {
        const timestampMs = out.timestampsMs[i]!;
        if (out.values[i] !== valueAt(series, timestampMs)) {
          wrong.push(`${labels.toString()} ${out.values[i]} @${timestampMs}`);
        }
      }
      count += out.count;
    });
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    return { count, wrong, isRefused: true };
  } finally {
    querier.close();
  }
  return { count, wrong, isRefused: false };
}

/** Spread over the file, the first and last bytes among them. */
function placesIn(size: number): number[] {
  if (size === 0) return [];
  const count = Math.min(size, DAMAGES_PER_FILE);
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * (size - 1)) / (count - 1)),
  );
}

describe.each<Snapshots>(['none', 'chunk_snapshot', 'head_snapshot'])(
  'damage in any file, beside a snapshot of the head: %s',
  async (snapshots) => {
    const original = await writtenDirectory(snapshots);
    const paths = listTree(original, '/data').filter((path) => !path.endsWith('lock'));
    const kinds = new Map<string, string[]>();
    for (const path of paths) kinds.set(kindOf(path), [...(kinds.get(kindOf(path)) ?? []), path]);
    const whole = read(open(original.crash('everything'), snapshots));

    test('is tried on every kind of file', () => {
      expect(whole).toEqual({ count: whole.count, wrong: [], isRefused: false });
      expect([...kinds.keys()].sort()).toEqual([
        'block/chunks/N',
        'block/index',
        'block/meta.json',
        'block/tombstones',
        ...(snapshots === 'chunk_snapshot' ? ['chunk_snapshot/N', 'chunk_snapshot/narthex/N'] : []),
        'chunks_head/N',
        ...(snapshots === 'head_snapshot' ? ['head_snapshot/N', 'head_snapshot/narthex/N'] : []),
        'wal/N',
        'wal/checkpoint.N/N',
        'wbl/N',
      ]);
    });

    test.each([...kinds.keys()])('%s is noticed or harmless', { timeout: 3_600_000 }, (kind) => {
      const problems: string[] = [];
      let triedCount = 0;
      for (const path of kinds.get(kind)!) {
        const content = original.readAll(path);
        for (const place of placesIn(content.length)) {
          const flipped = content.slice();
          flipped[place]! ^= 1 << ((place * 5) % 8);
          for (const [what, damaged] of [
            [`bit of byte ${place} flipped`, flipped],
            [`cut at ${place}`, content.slice(0, place)],
          ] as const) {
            const isCut = damaged.length < content.length;
            if (isCut && isUnnoticeable(path, damaged)) continue;
            triedCount++;
            const problem = problemAfter(original, snapshots, path, damaged, whole.count);
            if (problem !== null)
              problems.push(`${path} of ${content.length}, ${what}: ${problem}`);
          }
        }
      }
      console.info(`${kind}: ${triedCount} damages`);
      expect(problems.slice(0, 8)).toEqual([]);
    });
  },
);

/** A segment of whole pages, none at all included, is what a server leaves that ends. */
function isUnnoticeable(path: string, damaged: Uint8Array): boolean {
  return /\/(wal|wbl)\//.test(path) && damaged.length % (32 * 1024) === 0;
}

function problemAfter(
  original: MemoryFiles,
  snapshots: Snapshots,
  path: string,
  damaged: Uint8Array,
  wholeCount: number,
): string | null {
  const files = original.crash('everything');
  files.put(path, damaged);
  const said: LogRecord[] = [];
  let db: Db;
  try {
    db = open(files, snapshots, said);
  } catch (error) {
    return `does not open: ${String(error)}`;
  }
  const { count, wrong, isRefused } = read(db);
  if (wrong.length > 0) return `invents ${wrong[0]}`;
  const isNoticed = isRefused || said.length > 0;
  // meta.json has no checksum: what it says can be believed or not, but not verified.
  if (isNoticed || path.endsWith('meta.json')) return null;
  if (count < wholeCount) return `loses ${wholeCount - count} samples silently`;
  return count > wholeCount ? `brings back ${count - wholeCount} samples silently` : null;
}
