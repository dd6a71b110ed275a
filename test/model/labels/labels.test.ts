import { describe, expect, test } from 'vitest';
import {
  compareLabels,
  compareText,
  Labels,
  LabelsBuilder,
  quoteText,
} from '../../../model/index.ts';

describe('a label set', () => {
  const labels = Labels.fromPairs([
    ['job', 'api'],
    ['__name__', 'up'],
    ['empty', ''],
    ['a', '1'],
    ['a', '2'],
  ]);

  test('is sorted, without empty values; of two equal names the later wins', () => {
    expect(labels.flat).toEqual(['__name__', 'up', 'a', '2', 'job', 'api']);
    expect(labels.get('job')).toBe('api');
    expect(labels.get('nope')).toBe('');
    expect(String(labels)).toBe('{__name__="up", a="2", job="api"}');
  });

  test('loses and gains labels', () => {
    expect(labels.withoutName().toObject()).toEqual({ a: '2', job: 'api' });
    expect(labels.keep(new Set(['a'])).toObject()).toEqual({ a: '2' });
    expect(labels.drop(new Set(['a', '__name__'])).toObject()).toEqual({ job: 'api' });
    expect(labels.with('b', 'x').flat).toEqual([
      '__name__',
      'up',
      'a',
      '2',
      'b',
      'x',
      'job',
      'api',
    ]);
    expect(labels.with('job', '').has('job')).toBe(false);
  });

  test('has a key that is equal exactly when the set is', () => {
    const same = new LabelsBuilder(labels).set('b', 'x').delete('b').build();
    expect(same.equals(labels)).toBe(true);
    expect(same.key).toBe(labels.key);
    expect(labels.with('a', '3').key).not.toBe(labels.key);
  });

  test('sorts label by label, a prefix first', () => {
    const sets = [{ a: '1', b: '2' }, { a: '1' }, { a: '0', z: '9' }, {}].map((object) =>
      Labels.fromObject(object as Record<string, string>),
    );
    expect(sets.toSorted(compareLabels).map(String)).toEqual([
      '{}',
      '{a="0", z="9"}',
      '{a="1"}',
      '{a="1", b="2"}',
    ]);
  });
});

test('texts are ordered by their UTF-8 bytes', () => {
  const texts = ['b', 'a', '\uffff', '😀', 'é', ''];
  const byBytes = texts.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
  expect(texts.toSorted(compareText)).toEqual(byBytes);
});

test.each([
  ['a"b\\', '"a\\"b\\\\"'],
  ['\n\t\x07\x01\x7f', '"\\n\\t\\a\\x01\\x7f"'],
  ['é日😀', '"é日😀"'],
  ['\u200b\u00a0\u{e0001}', '"\\u200b\\u00a0\\U000e0001"'],
  ['\udcff', '"\\xff"'],
])('%j is quoted as %s', (text, quoted) => {
  expect(quoteText(text)).toBe(quoted);
});
