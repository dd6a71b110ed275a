/** Timelines of any window, against the spans of the whole life of each alert. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import BetterSqlite3 from 'better-sqlite3';
import { Labels } from '../../../model/index.ts';
import { alertFingerprint, AlertHistory } from '../../../src/history/alert-history.ts';
import { migrate } from '../../../src/history/database.ts';

type State = 'inactive' | 'pending' | 'firing';
const NEXT: Record<State, readonly State[]> = {
  inactive: ['pending', 'firing'],
  pending: ['firing', 'inactive'],
  firing: ['inactive'],
};

const life = fc.array(fc.record({ afterMs: fc.integer({ min: 1, max: 9 }), choice: fc.nat(1) }), {
  maxLength: 12,
});

test('every window shows the spans that reach into it, with their ends', () => {
  fc.assert(
    fc.property(fc.array(life, { maxLength: 3 }), fc.nat(60), fc.nat(60), (lives, a, b) => {
      const [minMs, maxMs] = a < b ? [a, b] : [b, a];
      const database = new BetterSqlite3(':memory:');
      migrate(database);
      const history = new AlertHistory();
      history.open(database);
      const active = new Set<string>();
      const expected = new Map<string, string[]>();
      const changes: { atMs: number; host: string; from: State; to: State }[] = [];
      lives.forEach((steps, host) => {
        let state: State = 'inactive';
        let atMs = 0;
        let startMs = 0;
        const spans: { state: State; startMs: number; endMs: number | null }[] = [];
        for (const { afterMs, choice } of steps) {
          atMs += afterMs;
          const to: State = NEXT[state][choice % NEXT[state].length]!;
          changes.push({ atMs, host: String(host), from: state, to });
          if (state !== 'inactive') spans.push({ state, startMs, endMs: atMs });
          state = to;
          startMs = atMs;
        }
        const fingerprint = alertFingerprint(Labels.fromObject({ host: String(host) }));
        if (state !== 'inactive') {
          spans.push({ state, startMs, endMs: null });
          active.add(fingerprint);
        }
        const inside = spans.filter(
          (span) => span.startMs <= maxMs && (span.endMs === null || span.endMs >= minMs),
        );
        const texts = inside.map((span) => `${span.state} ${span.startMs}-${span.endMs}`);
        if (texts.length > 0) expected.set(String(host), texts);
      });
      for (const { host, ...change } of changes.toSorted((x, y) => x.atMs - y.atMs)) {
        history.addTransition({
          ...change,
          rule: 'R',
          group: 'g',
          file: 'f',
          query: 'q',
          labels: Labels.fromObject({ host }),
          ownLabels: Labels.EMPTY,
          annotations: Labels.EMPTY,
          value: 1,
          activeAtMs: change.atMs,
        });
      }
      const request = {
        minMs,
        maxMs,
        alertName: '',
        fingerprint: '',
        matcherSets: [],
        limit: 10,
      };
      const { alerts } = history.timelines(request, active);
      database.close();
      const found = alerts.map(({ labels, spans }) => [
        labels['host'],
        spans.map(({ state, startMs, endMs }) => `${state} ${startMs}-${endMs}`),
      ]);
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    }),
    { numRuns: 300 },
  );
});
