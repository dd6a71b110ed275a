/** Made up start timestamps against their definition: what was counted since some sample before. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StartSynthesis } from '../../scrape/start-synthesis.ts';
import { Staging } from '../../scrape/staging.ts';

const ENTRY = 3;
const GAUGE = 4;
const REF = 7;

type Scrape = { readonly value: number; readonly isMissing: boolean; readonly startMs: number };
type Stored = { readonly timestampMs: number; readonly value: number; readonly startMs: number };

const anyScrape: fc.Arbitrary<Scrape> = fc.record({
  value: fc.nat(20),
  isMissing: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, fc.constant(true)),
  startMs: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constant(5)),
});

/** By looking back from each sample for the one that it is counted from. */
function define(scrapes: readonly Scrape[]): Stored[] {
  const stored: Stored[] = [];
  scrapes.forEach(({ value, isMissing, startMs }, i) => {
    const timestampMs = timeOf(i);
    if (isMissing) return;
    if (startMs !== 0) {
      stored.push({ timestampMs, value, startMs });
      return;
    }
    let first = i;
    while (first > 0 && !scrapes[first - 1]!.isMissing && scrapes[first - 1]!.startMs === 0)
      first--;
    if (first === i) return;
    for (let at = i; at > first; at--) {
      if (scrapes[at]!.value >= scrapes[at - 1]!.value) continue;
      stored.push({ timestampMs, value, startMs: timeOf(at) - 1 });
      return;
    }
    stored.push({ timestampMs, value: value - scrapes[first]!.value, startMs: timeOf(first) });
  });
  return stored;
}

function timeOf(scrape: number): number {
  return 1000 * (scrape + 1);
}

test('values are counted from a sample that is not stored', () => {
  fc.assert(
    fc.property(fc.array(anyScrape, { maxLength: 40 }), (scrapes) => {
      const synthesis = new StartSynthesis();
      synthesis.mark(ENTRY);
      const staging = new Staging();
      const stored: Stored[] = [];
      scrapes.forEach(({ value, isMissing, startMs }, i) => {
        staging.clear();
        staging.push(GAUGE, REF, timeOf(i), value);
        if (!isMissing) {
          staging.push(ENTRY, REF, timeOf(i), value);
          staging.setStart(1, startMs);
        }
        synthesis.apply(staging, { running: i + 1, previous: i });
        expect(staging.values[0]).toBe(value);
        for (let at = 1; at < staging.count; at++) {
          stored.push({
            timestampMs: staging.timestampsMs[at]!,
            value: staging.values[at]!,
            startMs: staging.startTimestampsMs?.[at] ?? 0,
          });
        }
      });
      expect(stored).toEqual(define(scrapes));
    }),
  );
});

test('an older sample is taken out, and begins anew', () => {
  const synthesis = new StartSynthesis();
  synthesis.mark(ENTRY);
  const staging = new Staging();
  const results = [10, 20, 15, 30, 40].map((timestampMs, i) => {
    staging.clear();
    staging.push(ENTRY, REF, timestampMs, 100 + i);
    const late = synthesis.apply(staging, { running: i + 1, previous: i });
    return [late, staging.count, staging.values[0]];
  });
  // The third is late, the fourth a first again.
  expect(results.map(([late]) => late)).toEqual([0, 0, 1, 0, 0]);
  expect(results.map(([, count]) => count)).toEqual([0, 1, 0, 0, 1]);
});

test('entries that move keep their count', () => {
  const synthesis = new StartSynthesis();
  synthesis.mark(ENTRY);
  const staging = new Staging();
  staging.push(ENTRY, REF, 10, 100);
  synthesis.apply(staging, { running: 1, previous: 0 });
  synthesis.move(Int32Array.of(-1, -1, -1, 0));
  staging.clear();
  staging.push(0, REF, 20, 103);
  synthesis.apply(staging, { running: 2, previous: 1 });
  expect([staging.count, staging.values[0], staging.startTimestampsMs?.[0]]).toEqual([1, 3, 10]);
});
