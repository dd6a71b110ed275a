import { describe, expect, test } from 'vitest';
import type { MatrixSelector, Subquery } from '../../../promql/ast.ts';
import { resolveOffset, resolveRange } from '../../../promql/parser/durations.ts';
import { parseExpr } from '../../../promql/parser/parse.ts';

const TIMING = { stepMs: 15_000, rangeMs: 3_600_000 };

function windowOf(duration: string, timing = TIMING): number {
  const query = `up[${duration}]`;
  return resolveRange((parseExpr(query) as MatrixSelector).window, timing, query);
}

function offsetOf(duration: string, timing = TIMING): number {
  const query = `up[5m] offset ${duration}`;
  return resolveOffset((parseExpr(query) as MatrixSelector).vector.offset, timing, query);
}

describe('a duration expression', () => {
  test.each([
    ['5m', 300_000],
    ['5m * 2', 600_000],
    ['10m - 1m', 540_000],
    ['(5+2) * 1m', 420_000],
    ['1h / 2', 1_800_000],
    ['4h % 3h', 3_600_000],
    ['(2 ^ 3) * 1m', 480_000],
    ['2 ^ 3 ^ 2', 512_000],
    ['step()', 15_000],
    ['step() + 1', 16_000],
    ['range()', 3_600_000],
    ['max_of(step(), 5s)', 15_000],
    ['min_of(2 * step() + 5s, 5m)', 35_000],
    ['-step() ^ 2 + 500', 275_000],
    // Cut to milliseconds, not rounded.
    ['1.0009 * 1', 1000],
    ['1.0015 * 1', 1001],
  ])('%j gives %d ms', (duration, ms) => {
    expect(windowOf(duration)).toBe(ms);
  });

  test('may be negative or nothing in an offset', () => {
    expect(offsetOf('(5m - 10m)')).toBe(-300_000);
    expect(offsetOf('-step()')).toBe(-15_000);
    expect(offsetOf('(step() - step())')).toBe(0);
  });

  test('step() and range() are nothing for an instant query', () => {
    const instant = { stepMs: 0, rangeMs: 0 };
    expect(offsetOf('(step() + range())', instant)).toBe(0);
    // Prometheus reports byte offsets here; they were read off 3.14.
    expect(() => windowOf('step()', instant)).toThrow('3:9: duration must be greater than 0');
  });

  test.each([
    ['5-10', '3:7: duration must be greater than 0'],
    ['1 / step()', '3:13: division by zero'],
    ['1 % (step())', '3:14: modulo by zero'],
    ['9223372036 * 5', '3:17: duration is out of range'],
    ['(-1) ^ 0.5', '4:13: duration is NaN or infinite'],
    ['min_of(step(), 5)', '10:19: duration must be greater than 0'],
  ])('%j fails with %j in an instant query', (duration, message) => {
    expect(() => windowOf(duration, { stepMs: 0, rangeMs: 0 })).toThrow(message);
  });

  test('is resolved for the step of a subquery, too', () => {
    const query = 'up[5m:step() * 2]';
    const { step } = parseExpr(query) as Subquery;
    expect(resolveRange(step!, TIMING, query)).toBe(30_000);
  });

  test('counts the position in bytes', () => {
    const query = 'up{a="é"}[1 - 1]';
    const { window } = parseExpr(query) as MatrixSelector;
    expect(() => resolveRange(window, TIMING, query)).toThrow('11:16: duration must be');
  });
});
