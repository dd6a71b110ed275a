import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  isStaleAt,
  type Labels,
  Matcher,
  Registry,
  SampleBuffer,
  SILENT_LOGGER,
  SimulatedClock,
} from '../../../model/index.ts';
import { PushGroups } from '../../../src/push/push-groups.ts';
import { type Db, openDb } from '../../../tsdb/index.ts';
import type { PushRequest } from '../../../web/index.ts';
import { temporaryFolder } from '../support/server.ts';

const START_MS = 1_700_000_000_000;
let directory: string;
let db: Db;
let clock: SimulatedClock;
let groups: PushGroups;

function open(): PushGroups {
  const made = new PushGroups({
    dataDirectory: directory,
    appendable: db,
    clock,
    logger: SILENT_LOGGER,
  });
  made.intervalMs = 10_000;
  made.load();
  return made;
}

beforeEach(() => {
  directory = temporaryFolder();
  clock = new SimulatedClock(START_MS);
  db = openDb({ directory, clock, logger: SILENT_LOGGER, registry: new Registry() });
  groups = open();
});
afterEach(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

const push = (body: string, changes: Partial<PushRequest> = {}) =>
  groups.push({
    method: 'PUT',
    labels: { job: 'x' },
    contentType: 'text/plain; version=0.0.4',
    ttlMs: null,
    body: Buffer.from(body),
    ...changes,
  });

/** Series by their labels; a staleness marker is shown as such. */
function stored(withTimes = false): Record<string, string> {
  const querier = db.querier(0, Number.MAX_SAFE_INTEGER);
  const selected = querier.select([new Matcher('job', '=~', '.+')], {
    minMs: 0,
    maxMs: Number.MAX_SAFE_INTEGER,
  });
  const buffer = new SampleBuffer();
  const shown: Record<string, string> = {};
  selected.labels.forEach((labels: Labels, row) => {
    if (labels.get('__name__').startsWith('push_')) return;
    selected.read(row, 0, Number.MAX_SAFE_INTEGER, buffer);
    const samples = Array.from({ length: buffer.count }, (_, i) => {
      const value = isStaleAt(buffer.values, i) ? 'stale' : String(buffer.values[i]);
      return withTimes ? `${(buffer.timestampsMs[i]! - START_MS) / 1000}:${value}` : value;
    });
    shown[String(labels)] = samples.join(' ');
  });
  querier.close();
  return shown;
}

describe('a pushed group', () => {
  test('is stored at once and at every interval, with the value that was pushed last', () => {
    void clock.advance(1);
    expect(push('a 1\nb{c="d"} 2\n')).toBeNull();
    for (let i = 0; i < 21; i++) {
      void clock.advance(1000);
      groups.tick();
    }
    expect(push('# TYPE a gauge\na 5\n', { method: 'POST' })).toBeNull();
    expect(stored()).toEqual({
      '{__name__="a", job="x"}': '1 1 1 1 5',
      '{__name__="b", c="d", job="x"}': '2 2 2 2 2',
    });
  });

  test('put anew ends what is no longer in it; so does deleting it', () => {
    push('a 1\nb 2\n');
    void clock.advance(5);
    push('b 3\n');
    void clock.advance(5);
    push('', { method: 'DELETE' });
    expect(stored()).toEqual({
      '{__name__="a", job="x"}': '1 stale',
      '{__name__="b", job="x"}': '2 3 stale',
    });
    expect(groups.list).toEqual([]);
    expect(readdirSync(path.join(directory, 'push'))).toEqual([]);
  });

  test('with a time to live ends with it, unless it is pushed again', () => {
    push('a 1\n', { ttlMs: 15_000 });
    void clock.advance(10_000);
    groups.tick();
    push('a 2\n', { ttlMs: 15_000 });
    void clock.advance(14_000);
    groups.tick();
    expect(groups.list).toHaveLength(1);
    // Two samples of a series have different times, so the push counted a millisecond later.
    void clock.advance(1001);
    groups.tick();
    expect(groups.list).toEqual([]);
    expect(stored(true)['{__name__="a", job="x"}']).toMatch(/ 25(\.\d+)?:stale$/);
  });

  test('replaces labels of the body by its own', () => {
    push('a{job="y",i="1",k="v"} 1\n', { labels: { job: 'x', i: '2', k: '' } });
    expect(Object.keys(stored())).toEqual(['{__name__="a", i="2", job="x"}']);
  });

  test('survives a restart', () => {
    const histogram = '# TYPE h histogram\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n';
    push(`a 1\n${histogram}`);
    void clock.advance(5);
    push('a 2\n', { method: 'POST', ttlMs: 60_000 });
    const before = groups.list;
    groups = open();
    expect(groups.list).toEqual(before.map((group) => ({ ...group })));
    void clock.advance(5);
    // The first push still counts for its histogram, and no longer once that is replaced.
    push('# TYPE h histogram\nh_bucket{le="+Inf"} 3\nh_sum 3\nh_count 3\n', { method: 'POST' });
    groups = open();
    expect(groups.list[0]!.seriesCount).toBe(4);
    void clock.advance(60_000);
    groups.tick();
    expect(stored()['{__name__="h_count", job="x"}']).toBe('2 2 3 3');
  });

  test('whose file is damaged is left out', () => {
    push('a 1\n');
    const [name] = readdirSync(path.join(directory, 'push'));
    writeFileSync(path.join(directory, 'push', name!), '{"labels":');
    groups = open();
    expect(groups.list).toEqual([]);
  });

  test.each([
    ['a 1 123\n', 'pushed metrics must not have timestamps'],
    ['a 1\na 2\n', 'was collected before with the same name and label values'],
    ['a{i="1"} 1\na{i="2"} 2\n', 'was collected before with the same name and label values'],
    ['a x\n', 'invalid syntax'],
  ])('refuses %j as a whole', (body, problem) => {
    push('a 1\n', { labels: { job: 'x', i: '3' } });
    expect(push(`ok 1\n${body}`, { labels: { job: 'x', i: '3' } })).toContain(problem);
    expect(Object.keys(stored())).toEqual(['{__name__="a", i="3", job="x"}']);
    expect(groups.list[0]!.failedAtMs).toBeGreaterThan(0);
  });
});
