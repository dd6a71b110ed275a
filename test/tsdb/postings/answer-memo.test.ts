import { describe, expect, test } from 'vitest';
import { Matcher } from '../../../model/index.ts';
import { AnswerMemo, matchersKey } from '../../../tsdb/postings/answer-memo.ts';

const refs = (length: number) => Uint32Array.from({ length }, (_, i) => i);

describe('the memo of answers', () => {
  test('forgets what was not asked for the longest', () => {
    const { postings } = new AnswerMemo();
    // Seven of them fill a generation.
    const key = (i: number) => `key ${i}`;
    for (let i = 0; i < 7; i++) postings.set(key(i), refs(9000));
    expect(postings.get(key(0))?.length).toBe(9000);
    for (let i = 7; i < 14; i++) {
      postings.set(key(i), refs(9000));
      expect(postings.get(key(0))?.length, `after ${i}`).toBe(9000);
    }
    expect(postings.get(key(13))).toBeDefined();
    for (let i = 14; i < 22; i++) postings.set(key(i), refs(9000));
    expect(postings.get(key(1))).toBeUndefined();
  });

  test('keeps nothing that would push everything else out', () => {
    const { postings, texts } = new AnswerMemo();
    postings.set('large', refs(20_000));
    expect(postings.get('large')).toBeUndefined();
    texts.set('none', []);
    expect(texts.get('none')).toEqual([]);
  });
});

test('different matchers have different keys', () => {
  const sets = [
    [],
    [new Matcher('a', '=', 'b')],
    [new Matcher('a', '=~', 'b')],
    [new Matcher('a', '=', '~b')],
    [new Matcher('a', '!=', 'b')],
    [new Matcher('a', '=', 'b'), new Matcher('c', '=', 'd')],
    [new Matcher('a', '=', 'b1:c=1:d')],
    [new Matcher('a', '=', 'b'), new Matcher('c', '=', '')],
    [new Matcher('a', '=', 'bc'), new Matcher('', '=', '')],
  ];
  expect(new Set(sets.map(matchersKey)).size).toBe(sets.length);
});
