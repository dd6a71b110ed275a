import { expect, test } from 'vitest';
import { Labels, Matcher } from '../../model/index.ts';
import {
  requireSelective,
  writeExemplarsAnswer,
  writeSeriesAnswer,
  writeTextsAnswer,
} from '../../web/answers/index.ts';

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

test('texts', () => {
  expect(decode(writeTextsAnswer(['a', '温"']))).toBe('{"status":"success","data":["a","温\\""]}');
  expect(decode(writeTextsAnswer([], ['results truncated due to limit']))).toBe(
    '{"status":"success","data":[],"warnings":["results truncated due to limit"]}',
  );
});

test('series', () => {
  const texts: Record<string, string>[] = [{ __name__: 'up', job: 'a' }, { job: 'a' }, {}];
  const sets = texts.map((set) => Labels.fromObject(set));
  expect(decode(writeSeriesAnswer(sets))).toBe(
    '{"status":"success","data":[{"__name__":"up","job":"a"},{"job":"a"},{}]}',
  );
});

test('many series in pieces', () => {
  const sets = Array.from({ length: 60_000 }, (_, i) =>
    Labels.fromObject({ __name__: 'up', row: `温 "${i}"` }),
  );
  const pieces: Uint8Array[] = [];
  const warnings = ['results truncated due to limit'];
  const rest = writeSeriesAnswer(sets, warnings, (piece) => pieces.push(piece));
  expect(pieces.length).toBeGreaterThan(1);
  for (const { byteLength, buffer } of pieces) {
    expect(byteLength).toBe(buffer.byteLength);
    expect(byteLength).toBeGreaterThanOrEqual(1024 * 1024);
    expect(byteLength).toBeLessThan(2 * 1024 * 1024);
  }
  const whole = Buffer.concat([...pieces, rest]);
  expect(whole.equals(writeSeriesAnswer(sets, warnings))).toBe(true);
  const { data } = JSON.parse(whole.toString()) as { data: object[] };
  expect(data).toHaveLength(60_000);
  expect(data[59_999]).toEqual({ __name__: 'up', row: '温 "59999"' });
});

test('many texts in pieces', () => {
  const texts = Array.from({ length: 100_000 }, (_, i) => `温 "${i}" ${'x'.repeat(20)}`);
  const pieces: Uint8Array[] = [];
  const rest = writeTextsAnswer(texts, ['a warning'], (piece) => pieces.push(piece));
  expect(pieces.length).toBeGreaterThan(1);
  const whole = Buffer.concat([...pieces, rest]);
  expect(whole.equals(writeTextsAnswer(texts, ['a warning']))).toBe(true);
  expect(JSON.parse(whole.toString())).toEqual({
    status: 'success',
    data: texts,
    warnings: ['a warning'],
  });
});

test('exemplars', () => {
  const series = Labels.fromObject({ __name__: 'x' });
  const labels = Labels.fromObject({ trace_id: 't' });
  const exemplars = [
    { labels, value: 6, timestampMs: 1600096945479 },
    { labels, value: Number.POSITIVE_INFINITY, timestampMs: 1000 },
    { labels, value: 0.5, timestampMs: -20 },
  ];
  const shown = (value: string, timestamp: string) =>
    `{"labels":{"trace_id":"t"},"value":"${value}","timestamp":${timestamp}}`;
  const list = [shown('6', '1600096945.479'), shown('+Inf', '1'), shown('0.5', '-0.020')];
  expect(decode(writeExemplarsAnswer([{ series, exemplars }]))).toBe(
    `{"status":"success","data":[{"seriesLabels":{"__name__":"x"},"exemplars":[${list.join(',')}]}]}`,
  );
});

test('selectors that would match every series are refused', () => {
  const some = [new Matcher('job', '=', 'a')];
  const all = [new Matcher('job', '=~', '.*'), new Matcher('x', '=', '')];
  requireSelective([some]);
  expect(() => requireSelective([some, all])).toThrow(
    'match[] must contain at least one non-empty matcher',
  );
});
