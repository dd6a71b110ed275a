import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../model/index.ts';
import {
  describeDurationMs,
  formatDurationMs,
  longerRangeMs,
  parseDurationMs,
  RANGE_STEPS_MS,
  shorterRangeMs,
} from '../../web/ui/parts/time/duration.ts';
import { parseMoment } from '../../web/ui/parts/time/moment-parse.ts';
import {
  formatMoment,
  fromInputValue,
  momentFromUrl,
  momentToUrl,
  toInputValue,
} from '../../web/ui/parts/time/moment-text.ts';

const durationMs = fc.oneof(
  fc.integer({ min: 1, max: 10_000 }),
  fc.integer({ min: 1, max: 4 * 365 * 86_400_000 }),
  fc.constantFrom(...RANGE_STEPS_MS),
);

test('durations are written and read as the server does', () => {
  fc.assert(
    fc.property(durationMs, (ms) => {
      const text = formatDurationMs(ms);
      expect(text).toBe(formatDuration(ms));
      expect(parseDurationMs(text)).toBe(ms);
      expect(parseDuration(text)).toBe(ms);
    }),
  );
});

test.each(['', '5', 'm', '1m1h', '1h 5m', '-1h', '1.5h', 'now'])('%j is no duration', (text) => {
  expect(parseDurationMs(text)).toBeUndefined();
});

test.each([
  [0.25, '0.25ms'],
  [3.14, '3.1ms'],
  [61.7, '62ms'],
  [1400, '1.4s'],
  [59_600, '1m'],
  [125_000, '2m 5s'],
  [7_205_000, '2h'],
  [273_600_000, '3d 4h'],
])('%d ms is described as %s', (ms, text) => {
  expect(describeDurationMs(ms)).toBe(text);
});

test('steps of the range lead up and down again', () => {
  fc.assert(
    fc.property(durationMs, (anyMs) => {
      // Below the shortest step there is nothing shorter to go back to.
      const ms = Math.max(anyMs, RANGE_STEPS_MS[0]!);
      const longer = longerRangeMs(ms);
      expect(longer).toBeGreaterThanOrEqual(ms);
      if (longer > ms) expect(shorterRangeMs(longer)).toBeLessThanOrEqual(ms);
    }),
  );
});

// Whole seconds, because that is what addresses and fields carry.
const momentMs = fc.integer({ min: 0, max: 4_102_444_800 }).map((seconds) => seconds * 1000);

test('moments survive the address and the fields', () => {
  fc.assert(
    fc.property(momentMs, (ms) => {
      expect(momentFromUrl(momentToUrl(ms))).toBe(ms);
      expect(fromInputValue(toInputValue(ms, 'utc'), 'utc')).toBe(ms);
      expect(parseMoment(formatMoment(ms, 'utc'), 'utc', 0)).toBe(ms);
    }),
  );
});

test.each([
  ['2026-03-01 17:05', Date.UTC(2026, 2, 1, 17, 5)],
  ['2026-03-01 17:05:09', Date.UTC(2026, 2, 1, 17, 5, 9)],
  ['2026-03-01T17:05:09Z', Date.UTC(2026, 2, 1, 17, 5, 9)],
  ['1772384709', 1_772_384_709_000],
  ['soon', undefined],
])('the address %j means %j', (text, ms) => {
  expect(momentFromUrl(text)).toBe(ms);
});

const NOW_MS = Date.UTC(2026, 2, 1, 12);
test.each([
  ['now', 'now'],
  ['2h ago', NOW_MS - 7_200_000],
  ['-90m', NOW_MS - 5_400_000],
  ['1h 30m ago', NOW_MS - 5_400_000],
  ['2026-02-28', Date.UTC(2026, 1, 28)],
  ['2026-02-28 9:30', Date.UTC(2026, 1, 28, 9, 30)],
  ['2026-02-28T09:30:00+02:00', Date.UTC(2026, 1, 28, 7, 30)],
  ['1772384709', 1_772_384_709_000],
  ['yesterday', undefined],
  ['2026-13-01', undefined],
])('typed %j is understood', (text, expected) => {
  expect(parseMoment(text, 'utc', NOW_MS)).toBe(expected);
});
