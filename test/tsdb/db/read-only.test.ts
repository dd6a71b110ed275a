/** Looking at a directory that belongs to somebody else: everything is seen, nothing is written. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  createLogger,
  isStaleAt,
  Labels,
  Matcher,
  type Queryable,
  SampleBuffer,
  SimulatedClock,
} from '../../../model/index.ts';
import { type Db, openDb, openReadOnly } from '../../../tsdb/index.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { OverlayFiles } from '../../../tsdb/io/overlay-files.ts';
import { conformancePath, FIXTURES } from '../support/conformance.ts';
import { oneSample } from '../support/one-sample.ts';

const HOUR_MS = 3_600_000;
const FOREVER = { minMs: -Infinity, maxMs: Infinity };

let directory = '';
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'narthex-read-only-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Every file with its content and its time, every directory with its time. */
function fingerprint(): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const file = path.join(directory, name);
      const stat = statSync(file);
      const bytes = stat.isDirectory() ? '' : readFileSync(file);
      return `${name} ${stat.mtimeMs} ${createHash('sha1').update(bytes).digest('hex')}`;
    });
}

/** Series → timestamps of its samples, staleness markers left out. */
function content(db: Queryable): Map<string, number[]> {
  const querier = db.querier(-Infinity, Infinity);
  const rows = querier.select([], FOREVER);
  const out = new SampleBuffer();
  const found = new Map<string, number[]>();
  rows.labels.forEach((labels, row) => {
    rows.read(row, -Infinity, Infinity, out);
    const times: number[] = [];
    for (let i = 0; i < out.count; i++) {
      const histogram = out.histograms?.[i] ?? null;
      if (histogram === null ? isStaleAt(out.values, i) : histogram.stale) continue;
      times.push(out.timestampsMs[i]!);
    }
    found.set(labels.toString(), times);
  });
  querier.close();
  return found;
}

function append(db: Db, name: string, timestampMs: number): void {
  const appender = db.appender();
  const ref = appender.series(Labels.fromObject({ __name__: name }));
  const columns = oneSample(ref, timestampMs, timestampMs);
  appender.appendSamples(columns, new Uint8Array(1));
  appender.commit();
}

function openWriter(): Db {
  return openDb({
    directory,
    clock: new SimulatedClock(0),
    retentionMs: 0,
    outOfOrderWindowMs: HOUR_MS,
  });
}

describe.each(FIXTURES)('%s', (fixture) => {
  const folder = conformancePath(fixture);
  test.skipIf(folder === null)('is seen as by a server, and stays as it is', async () => {
    cpSync(path.join(folder!, 'data'), directory, { recursive: true });
    const before = fingerprint();
    const db = openReadOnly(directory, { withHead: true });
    const seen = content(db);
    db.close();
    expect(fingerprint()).toEqual(before);
    const server = openWriter();
    expect(seen).toEqual(content(server));
    await server.close();
  });
});

test('of a running server everything that it has committed is seen', async () => {
  const db = openWriter();
  for (let i = 0; i < 1000; i++) append(db, 'in_order', i * 60_000);
  append(db, 'in_order', 1000 * 60_000 - 30_000);
  await db.compact();
  append(db, 'later', 1001 * 60_000);
  const before = fingerprint();
  const reader = openReadOnly(directory, { withHead: true });
  expect(content(reader)).toEqual(content(db));
  expect(reader.blocks.length).toBeGreaterThan(1);
  // And goes on being seen when the files are gone.
  expect(fingerprint()).toEqual(before);
  append(db, 'in_order', 2000 * 60_000);
  await db.compact();
  expect(content(reader).get('{__name__="in_order"}')?.length).toBe(1001);
  reader.close();
  await db.close();
});

test('a damaged log is read up to the damage, and stays damaged', async () => {
  const db = openWriter();
  for (let i = 0; i < 100; i++) append(db, 'a', i * 1000);
  await db.close();
  const segment = path.join(directory, 'wal', '00000000');
  const log = readFileSync(segment);
  // In the middle of the last record; behind it is padding.
  log[log.findLastIndex((byte) => byte !== 0) - 5]! ^= 1;
  writeFileSync(segment, log);
  const before = fingerprint();
  const said: string[] = [];
  const logger = createLogger(
    ({ message, fields }) => said.push(`${message} ${String(fields['error'])}`),
    {
      level: 'warn',
      nowMs: () => 0,
    },
  );
  const reader = openReadOnly(directory, { withHead: true, logger });
  expect(content(reader).get('{__name__="a"}')?.length).toBe(99);
  reader.close();
  expect(said.length).toBe(1);
  expect(said[0]).toContain('wal/00000000');
  expect(fingerprint()).toEqual(before);
});

test('a directory that is not there is not made', () => {
  const missing = path.join(directory, 'missing');
  expect(() => openReadOnly(missing, { withHead: true })).toThrow(
    `opening the db dir: stat ${missing}: no such file or directory`,
  );
  expect(readdirSync(directory)).toEqual([]);
});

test('without the head the logs are not looked at', async () => {
  const db = openWriter();
  append(db, 'a', 1000);
  const reader = openReadOnly(directory, { withHead: false });
  const querier = reader.querier(-Infinity, Infinity);
  expect(querier.select([new Matcher('__name__', '=', 'a')], FOREVER).labels).toEqual([]);
  querier.close();
  reader.close();
  await db.close();
});

describe('the overlay', () => {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  function overlay() {
    const base = new MemoryFiles();
    base.makeDirectory('/d');
    for (const name of ['a', 'b']) {
      const file = base.open(`/d/${name}`, 'create');
      file.append(Buffer.from(`content of ${name}`));
      file.close();
    }
    return { base, files: new OverlayFiles(base) };
  }

  test('shows changes, and makes none below', () => {
    const { base, files } = overlay();
    files.truncate('/d/a', 7);
    files.remove('/d/b');
    const file = files.open('/d/c', 'append');
    file.append(Buffer.from('new'));
    file.write(1, Buffer.from('--'));
    file.truncate(5);
    file.close();
    expect(files.list('/d')).toEqual(['a', 'c']);
    expect(text(files.readAll('/d/a'))).toBe('content');
    expect(text(files.readAll('/d/c'))).toBe('n--\0\0');
    expect(files.stat('/d/b')).toBeNull();
    expect(files.stat('/d/c')?.sizeBytes).toBe(5);
    expect(() => files.open('/d/b', 'read')).toThrow('ENOENT');
    const target = new Uint8Array(4);
    expect(files.open('/d/a', 'read').read(3, target, 0, 10)).toBe(4);
    expect(text(target)).toBe('tent');
    expect(base.list('/d')).toEqual(['a', 'b']);
    expect(text(base.readAll('/d/a'))).toBe('content of a');
  });

  test('forgets what a file was that is made anew', () => {
    const { files } = overlay();
    files.open('/d/a', 'create').append(Buffer.from('x'));
    expect(text(files.readAll('/d/a'))).toBe('x');
    files.remove('/d/a');
    files.open('/d/a', 'append').append(Buffer.from('y'));
    expect(text(files.readAll('/d/a'))).toBe('y');
  });
});
