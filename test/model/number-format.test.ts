import { describe, expect, test } from 'vitest';
import {
  formatFloat,
  formatFloatPlain,
  formatFloatShort,
  parseFloatText,
} from '../../model/index.ts';

describe('a float', () => {
  test.each([
    [0, '0', '0', '0'],
    [-0, '-0', '-0', '-0'],
    [1.5, '1.5', '1.5', '1.5'],
    [1e6, '1000000', '1000000', '1e+06'],
    [123456789, '123456789', '123456789', '1.23456789e+08'],
    [1e21, '1e+21', '1000000000000000000000', '1e+21'],
    [1e-5, '0.00001', '0.00001', '1e-05'],
    [-1.25e-7, '-1.25e-07', '-0.000000125', '-1.25e-07'],
    [Infinity, '+Inf', '+Inf', '+Inf'],
    [NaN, 'NaN', 'NaN', 'NaN'],
  ])('%d has three spellings: %j, %j, %j', (value, api, plain, short) => {
    expect(formatFloat(value)).toBe(api);
    expect(formatFloatPlain(value)).toBe(plain);
    expect(formatFloatShort(value)).toBe(short);
    expect(parseFloatText(api)).toBe(value);
  });

  test.each([
    ['+1.5e3', 1500],
    ['0x1F', 31],
    ['0x1.8p1', 3],
    ['-inf', -Infinity],
    ['Infinity', Infinity],
    ['', undefined],
    ['1 ', undefined],
    ['1_000', undefined],
    ['abc', undefined],
  ])('%j is read as %s', (text, value) => {
    expect(parseFloatText(text)).toBe(value);
  });
});
