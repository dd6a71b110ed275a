import { expect, test } from 'vitest';
import { ApiError } from '../../web/api-error.ts';
import { Form } from '../../web/form.ts';
import {
  booleanParameter,
  limitParameter,
  parseDurationMs,
  parseTime,
  requiredDuration,
  TIME_MS_MAX,
  TIME_MS_MIN,
  timeRange,
  wrapEngineTime,
} from '../../web/params.ts';

// Every row was asked of a Prometheus 3.14 as `query=1&time=…`; null stands for status 400.
test.each([
  ['1_000', 1000_000],
  ['1__0', null],
  ['_1', null],
  ['1_', null],
  ['0x1p4', 16_000],
  ['0x_1p4', 16_000],
  ['0x10', null],
  ['1_0.5', 10_500],
  ['1.5_5', 1550],
  ['+5', 5000],
  ['.5', 500],
  ['5.', 5000],
  ['1e3', 1000_000],
  ['1e400', null],
  ['-1', -1000],
  ['-0.0006', -1],
  ['1761955200.12345', 1761955200_123],
  ['1761955200.9996', 1761955201_000],
  ['Inf', -9223372036_854],
  ['infinity', -9223372036_854],
  ['NaN', -9223372036_854],
  ['1e17', -2537764290_115],
  ['9223372036854775807', 0],
  ['2025-11-01T00:00:00Z', 1761955200_000],
  ['2025-11-01T00:00:00+02:00', 1761948000_000],
  ['2025-11-01T00:00:00.123456789Z', 1761955200_123],
  ['2025-11-01T00:00:00.1234567890123Z', 1761955200_123],
  ['2025-11-01T00:00:00,5Z', 1761955200_500],
  ['2025-11-01T1:00:00Z', 1761958800_000],
  ['0000-01-01T00:00:00Z', -6826986978_871],
  ['2025-11-01t00:00:00z', null],
  ['2025-11-01T24:00:00Z', null],
  ['2025-11-01T00:00:60Z', null],
  ['2025-11-01T00:00Z', null],
  ['2025-11-01T00:00:00+25:00', null],
  ['2025-11-01 00:00:00', null],
  ['2025-11-01', null],
  ['x', null],
])('the time %s is %s', (text, expectedMs) => {
  const timeMs = parseTime(text);
  expect(timeMs === undefined ? null : wrapEngineTime(timeMs)).toBe(expectedMs);
});

test('an absent range is open, and the texts for the ends of time mean the same', () => {
  const open = { minMs: TIME_MS_MIN, maxMs: TIME_MS_MAX };
  expect(timeRange(Form.EMPTY)).toEqual(open);
  const ends = 'start=-292273086-05-16T16:47:06Z&end=292277025-08-18T07:12:54.999999999Z';
  expect(timeRange(Form.parse(ends))).toEqual(open);
});

test.each([
  ['5', 5000],
  ['1.5', 1500],
  ['5s', 5000],
  ['1h30m', 5400_000],
  ['-1', -1000],
  ['NaN', Number.NEGATIVE_INFINITY],
])('the duration %s is %s ms', (text, expectedMs) => {
  expect(parseDurationMs(text)).toBe(expectedMs);
});

test.each([
  ['x', 'invalid parameter "step": cannot parse "x" to a valid duration'],
  ['', 'invalid parameter "step": cannot parse "" to a valid duration'],
  ['-5s', 'invalid parameter "step": cannot parse "-5s" to a valid duration'],
  ['300y', 'invalid parameter "step": cannot parse "300y" to a valid duration'],
  ['1e10', 'invalid parameter "step": cannot parse "1e10" to a valid duration. It overflows int64'],
  ['Inf', 'invalid parameter "step": cannot parse "Inf" to a valid duration. It overflows int64'],
])('the step %s is refused', (text, message) => {
  const step = () =>
    requiredDuration(Form.parse(new URLSearchParams({ step: text }).toString()), 'step');
  expect(step).toThrow(new ApiError('bad_data', message));
});

test.each([
  ['', 0],
  ['0', 0],
  ['7', 7],
  ['+2', 2],
  ['9007199254740993', Number.MAX_SAFE_INTEGER],
  ['9223372036854775807', Number.MAX_SAFE_INTEGER],
])('the limit "%s" is %s', (text, limit) => {
  expect(limitParameter(Form.parse(`limit=${encodeURIComponent(text)}`))).toBe(limit);
});

test.each([
  ['x', 'strconv.Atoi: parsing "x": invalid syntax'],
  ['1.5', 'strconv.Atoi: parsing "1.5": invalid syntax'],
  ['9223372036854775808', 'strconv.Atoi: parsing "9223372036854775808": value out of range'],
  ['99999999999999999999', 'strconv.Atoi: parsing "99999999999999999999": value out of range'],
  ['-1', 'limit must be non-negative'],
])('the limit "%s" is refused', (text, message) => {
  const limit = () => limitParameter(Form.parse(`limit=${text}`));
  expect(limit).toThrow(new ApiError('bad_data', `invalid parameter "limit": ${message}`));
});

test('truth values are those of Go', () => {
  for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) {
    expect(booleanParameter(Form.parse(`b=${text}`), 'b', 'no')).toBe(true);
  }
  for (const text of ['', '0', 'f', 'F', 'FALSE', 'false', 'False']) {
    expect(booleanParameter(Form.parse(`b=${text}`), 'b', 'no')).toBe(false);
  }
  expect(() => booleanParameter(Form.parse('b=yes'), 'b', 'no')).toThrow(
    'invalid parameter "b": no: strconv.ParseBool: parsing "yes": invalid syntax',
  );
});
