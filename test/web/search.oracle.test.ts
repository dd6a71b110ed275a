/** What is found, with which score and in which order, as a real server says. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Labels } from '../../model/index.ts';
import { searchTexts } from '../../web/answers/text-search.ts';
import { type Judge, JUDGE_BINARY, startJudge } from '../support/judge.ts';
import { encodeWriteRequest } from '../support/remote-write.ts';

const LETTERS = ['a', 'b', 'A', '_', 'é', '本'];
/** So many texts of these letters that most kinds of likeness occur. */
const TEXTS = Array.from({ length: 400 }, (_, i) => {
  let text = '';
  for (let left = i * 2_654_435_761; left >= 1; left /= 16 + (i % 7)) {
    text += LETTERS[Math.floor(left) % LETTERS.length]!;
  }
  return text;
});

describe.skipIf(JUDGE_BINARY === null)('searching', () => {
  let judge: Judge;
  let texts: string[];
  beforeAll(async () => {
    judge = await startJudge(JUDGE_BINARY!, ['search-api']);
    const timestampMs = Date.now();
    const series = TEXTS.map((text) => ({
      labels: Labels.fromObject({ __name__: 'm', v: text }),
      samples: [{ timestampMs, value: 1, stale: false }],
      histograms: [],
    }));
    await judge.write(encodeWriteRequest(series));
    texts = (await ask('')).map(([text]) => text);
  });
  afterAll(() => judge?.stop());

  async function ask(query: string): Promise<[string, number][]> {
    const url = `${judge.url}/api/v1/search/label_values?label=v&limit=10000&include_score=true`;
    const response = await fetch(`${url}&${query}`);
    const lines = (await response.text()).trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as { results?: { value: string; score: number }[] })
      .flatMap(({ results }) => results ?? [])
      .map(({ value, score }) => [value, score]);
  }

  const TERMS = [['ab'], ['a_é'], ['本A'], ['Ab', 'b'], ['éééé'], ['bbA_'], ['', 'ba']];
  test.each(['subsequence', 'jarowinkler'] as const)('by %s', async (algorithm) => {
    expect(texts.length).toBeGreaterThan(300);
    for (const terms of TERMS) {
      for (const threshold of [0, 1, 55, 90, 100]) {
        for (const isCaseSensitive of [true, false]) {
          for (const order of ['ascending', 'score'] as const) {
            const query = new URLSearchParams([
              ['fuzz_alg', algorithm],
              ['fuzz_threshold', String(threshold)],
              ['case_sensitive', String(isCaseSensitive)],
              ['sort_by', order === 'score' ? 'score' : 'alpha'],
              ...terms.map((term) => ['search[]', term] as [string, string]),
            ]).toString();
            const { found } = searchTexts(texts, {
              terms,
              scoreMin: threshold / 100,
              algorithm,
              isCaseSensitive,
              order,
              limit: 10_000,
            });
            const ours = found.map(({ text, score }) => [text, score]);
            expect(ours, query).toEqual(await ask(query));
          }
        }
      }
    }
  });
});
