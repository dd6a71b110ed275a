import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Labels, SILENT_LOGGER } from '../../../model/index.ts';
import { alertFingerprint, AlertHistory } from '../../../src/history/alert-history.ts';
import { openHistory } from '../../../src/history/database.ts';
import type { AlertTransition } from '../../../src/rules/index.ts';
import type { AlertHistoryRequest } from '../../../web/index.ts';

const folders: string[] = [];
function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-alerts-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function opened(folder = temporaryFolder()): AlertHistory {
  const history = new AlertHistory();
  history.open(openHistory(folder, SILENT_LOGGER, 0)!);
  return history;
}

function transition(changes: Partial<AlertTransition> & { host?: string }): AlertTransition {
  const { host = 'a', ...others } = changes;
  return {
    rule: 'Down',
    group: 'g',
    file: 'rules.yml',
    query: 'up == 0',
    from: 'pending',
    to: 'firing',
    atMs: 1000,
    labels: Labels.fromObject({ alertname: 'Down', host }),
    ownLabels: Labels.EMPTY,
    annotations: Labels.fromObject({ summary: 'it is' }),
    value: 0,
    activeAtMs: 500,
    ...others,
  };
}

const ALL: AlertHistoryRequest = {
  minMs: -1e15,
  maxMs: 1e15,
  alertName: '',
  fingerprint: '',
  states: [],
  matcherSets: [],
  id: null,
  limit: 100,
  beforeId: null,
};

/** `host state` of what is found. */
function found(history: AlertHistory, request: Partial<AlertHistoryRequest> = {}): string[] {
  const { entries } = history.page({ ...ALL, ...request });
  return entries.map(({ labels, to }) => `${labels['host']} ${to}`);
}

test('lists changes, newest first, filtered', () => {
  const history = opened();
  history.addTransition(transition({ from: 'inactive', to: 'pending', atMs: 1000 }));
  history.addTransition(transition({ from: 'inactive', to: 'pending', atMs: 2000, host: 'b' }));
  history.addTransition(transition({ atMs: 3000 }));
  history.addTransition(transition({ atMs: 4000, rule: 'Other', host: 'c', value: NaN }));
  expect(found(history)).toEqual(['c firing', 'a firing', 'b pending', 'a pending']);
  expect(found(history, { states: ['pending'] })).toEqual(['b pending', 'a pending']);
  expect(found(history, { alertName: 'Other' })).toEqual(['c firing']);
  expect(found(history, { minMs: 2000, maxMs: 3000 })).toEqual(['a firing', 'b pending']);
  const matcherSets = [[{ name: 'host', operator: '=~', value: 'a|c' }]] as const;
  expect(found(history, { matcherSets })).toEqual(['c firing', 'a firing', 'a pending']);
  const fingerprint = alertFingerprint(Labels.fromObject({ alertname: 'Down', host: 'a' }));
  expect(found(history, { fingerprint })).toEqual(['a firing', 'a pending']);
  expect(history.page(ALL).entries[0]).toMatchObject({ value: NaN, query: 'up == 0' });
});

test('gives pages that together are everything', () => {
  const history = opened();
  for (let i = 0; i < 25; i++) {
    history.addTransition(transition({ atMs: i, host: i % 2 === 0 ? 'even' : 'odd' }));
  }
  for (const matcherSets of [[], [[{ name: 'host', operator: '=', value: 'odd' } as const]]]) {
    const times: number[] = [];
    let beforeId: number | null = null;
    do {
      const page = history.page({ ...ALL, limit: 10, beforeId, matcherSets });
      expect(page.entries.length).toBeLessThanOrEqual(10);
      times.push(...page.entries.map(({ atMs }) => atMs));
      beforeId = page.nextToken;
    } while (beforeId !== null);
    expect(times).toHaveLength(matcherSets.length === 0 ? 25 : 12);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
  }
});

test('says who was told of what', () => {
  const history = opened();
  const fingerprint = alertFingerprint(transition({}).labels);
  const told = (atMs: number, isResolved: boolean, error: string | null) =>
    history.addDelivery({ fingerprint, atMs, url: 'http://am', isResolved, error });
  history.addTransition(transition({ atMs: 1000 }));
  told(1100, false, 'connection refused');
  told(1200, false, 'connection refused');
  told(1300, false, null);
  told(1400, false, null);
  history.addTransition(transition({ from: 'firing', to: 'inactive', atMs: 2000 }));
  told(2100, true, null);
  // Late, from a queue.
  told(2200, false, 'timeout');
  const [ended, fired] = history.page(ALL).entries;
  expect(fired!.deliveries).toEqual([
    { atMs: 1100, url: 'http://am', error: 'connection refused' },
    { atMs: 1300, url: 'http://am', error: null },
    { atMs: 2200, url: 'http://am', error: 'timeout' },
  ]);
  expect(ended!.deliveries).toEqual([{ atMs: 2100, url: 'http://am', error: null }]);
});

test('survives a restart, and a process that ends without a word', () => {
  const folder = temporaryFolder();
  const before = opened(folder);
  before.addTransition(transition({}));
  before.flush();
  // Not closed: another process finds what was written.
  expect(found(opened(folder))).toEqual(['a firing']);
});

test('keeps what comes before the file is open', () => {
  const history = new AlertHistory();
  history.addTransition(transition({}));
  expect(history.page(ALL)).toEqual({ entries: [], nextToken: null });
  history.open(openHistory(temporaryFolder(), SILENT_LOGGER, 0)!);
  expect(found(history)).toEqual(['a firing']);
});

test('samples find their change, whether it is written already or not', () => {
  const history = opened();
  const sample = [{ selector: 'up', seriesCount: 1, samples: [{ labels: {}, value: 'NaN' }] }];
  const first = history.addTransition(transition({ atMs: 1 }));
  history.flush();
  const second = history.addTransition(transition({ atMs: 2 }));
  history.addTransition(transition({ atMs: 3 }));
  history.addSamples([first, second], [JSON.stringify(sample), '[]']);
  const samples = history.page(ALL).entries.map((entry) => entry.samples);
  expect(samples).toEqual([null, [], sample]);
});

test('what is older than the retention is removed', () => {
  let nowMs = 100_000_000;
  const history = new AlertHistory({ retentionMs: 10_000_000, nowMs: () => nowMs });
  history.open(openHistory(temporaryFolder(), SILENT_LOGGER, 0)!);
  history.addTransition(transition({ atMs: 89_000_000, host: 'old' }));
  history.addTransition(transition({ atMs: 95_000_000 }));
  expect(found(history)).toEqual(['a firing']);
  nowMs = 106_000_000;
  history.addTransition(transition({ atMs: nowMs, host: 'new' }));
  expect(found(history)).toEqual(['new firing']);
});

test('what fired when the server stopped is not said to have gone on', () => {
  const folder = temporaryFolder();
  let nowMs = 1000;
  const start = () => {
    const history = new AlertHistory({ nowMs: () => nowMs });
    history.open(openHistory(folder, SILENT_LOGGER, 0)!);
    return history;
  };
  const first = start();
  first.addTransition(transition({ from: 'inactive', to: 'firing', atMs: 2000 }));
  first.addTransition(transition({ from: 'inactive', to: 'firing', atMs: 2000, host: 'b' }));
  nowMs = 5000;
  first.close();
  nowMs = 60_000;
  const second = start();
  second.addTransition(transition({ from: 'inactive', to: 'firing', atMs: 61_000 }));
  const request = { ...ALL, minMs: 0, maxMs: 70_000 };
  const spans = (from = 0) =>
    second
      .timelines({ ...request, minMs: from }, new Set())
      .alerts.map(({ labels, spans: all }) => [
        labels['host'],
        ...all.map(({ startMs, endMs }) => `${startMs}-${endMs}`),
      ]);
  expect(spans()).toEqual([
    ['a', '2000-5000', '61000-null'],
    ['b', '2000-5000'],
  ]);
  expect(spans(6000)).toEqual([['a', '61000-null']]);
  second.close();
});

test('ten thousand changes cost little', () => {
  const history = opened();
  const startMs = performance.now();
  for (let i = 0; i < 10_000; i++)
    history.addTransition(transition({ atMs: i, host: `h${i % 500}` }));
  history.flush();
  const tookMs = performance.now() - startMs;
  console.info(`10,000 changes: ${tookMs.toFixed(0)} ms`);
  expect(tookMs).toBeLessThan(3000);
  expect(history.droppedCount).toBe(0);
});
