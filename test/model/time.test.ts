import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration, parseRfc3339 } from '../../model/index.ts';

describe('a duration', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1y2w3d4h5m6s7ms', 33_019_506_007],
    ['100d', 8_640_000_000],
    ['292y', 9_208_512_000_000],
  ])('%j has %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    ['', 'empty duration string'],
    ['5', 'not a valid duration string: "5"'],
    ['-5m', 'not a valid duration string: "-5m"'],
    ['30s1m', 'not a valid duration string: "30s1m"'],
    ['1m1m', 'not a valid duration string: "1m1m"'],
    ['1h30', 'not a valid duration string: "1h30"'],
    ['99999999999999999999y', 'not a valid duration string: "99999999999999999999y"'],
    ['5 m', 'unknown unit " m" in duration "5 m"'],
    ['1.5h', 'unknown unit "." in duration "1.5h"'],
    ['5x', 'unknown unit "x" in duration "5x"'],
    ['1000y', 'duration out of range'],
  ])('refuses %j', (text, message) => {
    expect(() => parseDuration(text)).toThrow(message);
  });

  test.each([
    [0, '0s'],
    [1, '1ms'],
    [90_000, '1m30s'],
    [129_600_000, '1d12h'],
    [604_800_000, '1w'],
    [691_200_000, '8d'],
    [31_536_000_000, '1y'],
    [33_004_800_000, '382d'],
    [-5_400_000, '-1h30m'],
  ])('of %d ms is written %j', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    if (ms > 0) expect(parseDuration(text)).toBe(ms);
  });
});

test.each([
  ['1970-01-01T00:00:00Z', 0],
  ['2025-11-01T01:30:00.5+01:30', 1_761_955_200_500],
  ['2025-02-30T00:00:00Z', undefined],
  ['2025-11-01', undefined],
])('the time %j is %s', (text, ms) => {
  expect(parseRfc3339(text)).toBe(ms);
});
