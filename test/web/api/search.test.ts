import { describe, expect, test } from 'vitest';
import { searchTexts } from '../../../web/answers/text-search.ts';
import type { SearchRequest } from '../../../web/index.ts';
import { fakeHouse } from '../fake-house.ts';

const NAMES = ['go_goroutines', 'http_requests_total', 'up'];

function searching() {
  const requests: SearchRequest[] = [];
  const house = fakeHouse({
    search: {
      async search(request: SearchRequest) {
        requests.push(request);
        return { ...searchTexts(NAMES, request.search), warnings: [] };
      },
    },
    language: {
      selectors: async (texts) => texts.map(() => [{ name: 'a', operator: '=~', value: '.*' }]),
    },
    metadata: {
      metrics: async () => [
        { metric: 'up', entries: [{ type: 'gauge', help: 'Is it up?', unit: '' }] },
      ],
    },
  });
  const ask = async (path: string) => {
    const { statusCode, headers, payload } = await house.app.inject(`/api/v1/search/${path}`);
    return { statusCode, type: headers['content-type'], lines: payload.trim().split('\n') };
  };
  return { ask, requests, house };
}

describe('the search API', () => {
  test('is not there without its feature', async () => {
    const { statusCode, payload } = await fakeHouse().app.inject('/api/v1/search/label_names');
    expect(statusCode).toBe(500);
    expect(JSON.parse(payload)).toMatchObject({ error: 'search API disabled' });
  });

  test('answers lines of JSON, the last of which tells whether there is more', async () => {
    const { ask, requests } = searching();
    expect(await ask('metric_names?batch_size=2&include_metadata=true&include_score=1')).toEqual({
      statusCode: 200,
      type: 'application/x-ndjson; charset=utf-8',
      lines: [
        '{"results":[{"name":"go_goroutines","score":1},{"name":"http_requests_total","score":1}]}',
        '{"results":[{"name":"up","score":1,"type":"gauge","help":"Is it up?"}]}',
        '{"status":"success","has_more":false}',
      ],
    });
    expect(requests[0]).toMatchObject({ label: '__name__', selectors: [] });
    const { lines } = await ask('label_values?label=U__a_20_b&limit=1&match[]=up');
    expect(lines).toEqual([
      '{"results":[{"value":"go_goroutines"}]}',
      '{"status":"success","has_more":true}',
    ]);
    expect(requests[1]).toMatchObject({ label: 'a b', selectors: ['up'] });
    expect((await ask('label_names?search[]=nothing')).lines).toEqual([
      '{"results":[]}',
      '{"status":"success","has_more":false}',
    ]);
    expect(requests[2]).toMatchObject({ label: null });
  });

  // The texts are those of 3.14.0.
  test.each([
    ['label_values', 'missing required parameter "label"'],
    ['label_names?sort_by=x', 'invalid sort_by "x" for label_names: must be "alpha" or "score"'],
    ['label_names?sort_dir=asc', 'sort_dir is only valid when sort_by is set'],
    ['label_names?sort_by=score&sort_dir=asc', 'sort_dir is not supported for sort_by=score'],
    ['label_names?sort_by=alpha&sort_dir=x', 'invalid sort_dir "x": must be "asc" or "dsc"'],
    ['label_names?sort_by=score', 'sort_by=score requires search[] to be set'],
    ['label_names?fuzz_threshold=101', 'invalid fuzz_threshold "101": must be 0-100'],
    ['label_names?fuzz_threshold=-1', 'invalid fuzz_threshold "-1": must be 0-100'],
    ['label_names?fuzz_threshold=1.5', 'invalid fuzz_threshold "1.5": must be 0-100'],
    [
      'label_names?fuzz_alg=x',
      'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]',
    ],
    ['label_names?limit=0', 'invalid limit "0": must be a positive integer'],
    ['label_names?limit=1.5', 'invalid limit "1.5": must be a positive integer'],
    [
      'label_names?limit=20000',
      'limit 20000 exceeds the configured maximum (10000, see --web.search.max-limit)',
    ],
    ['label_names?batch_size=-1', 'invalid batch_size "-1": must be a positive integer'],
    ['label_names?include_score=x', 'invalid include_score "x": must be boolean'],
    ['metric_names?include_metadata=x', 'invalid include_metadata "x": must be boolean'],
    [
      'label_names?start=x',
      'invalid time value for \'start\': cannot parse "x" to a valid timestamp',
    ],
    ['label_names?start=10&end=5', 'end timestamp must not be before start timestamp'],
    // The last hour is searched, where nothing else is said.
    ['label_names?end=5', 'end timestamp must not be before start timestamp'],
    ['label_names?start=9999999999', 'end timestamp must not be before start timestamp'],
    ['label_names?a;b', 'error parsing form values: invalid semicolon separator in query'],
    [
      'label_names?limit=9223372036854775807',
      'limit 9223372036854776000 exceeds the configured maximum (10000, see --web.search.max-limit)',
    ],
    [
      'label_names?limit=9223372036854775808',
      'invalid limit "9223372036854775808": must be a positive integer',
    ],
    // Several things are wrong: the first in this order is told.
    [
      'label_names?start=x&match[]={a=~".*"}',
      'invalid time value for \'start\': cannot parse "x" to a valid timestamp',
    ],
    [
      'label_names?match[]={a=~".*"}&fuzz_threshold=x',
      'match[] must contain at least one non-empty matcher',
    ],
    ['label_names?fuzz_alg=x&fuzz_threshold=x', 'invalid fuzz_threshold "x": must be 0-100'],
    [
      'label_names?fuzz_alg=x&case_sensitive=x',
      'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]',
    ],
    ['label_names?include_score=x&case_sensitive=x', 'invalid case_sensitive "x": must be boolean'],
    ['label_names?include_score=x&sort_dir=asc', 'invalid include_score "x": must be boolean'],
    ['label_names?limit=x&sort_by=score', 'sort_by=score requires search[] to be set'],
    ['label_names?limit=x&sort_dir=asc', 'sort_dir is only valid when sort_by is set'],
    ['label_names?limit=x&batch_size=x', 'invalid limit "x": must be a positive integer'],
    ['label_names?sort_by=x&batch_size=x', 'invalid batch_size "x": must be a positive integer'],
    ['label_values?sort_by=x', 'invalid sort_by "x" for label_values: must be "alpha" or "score"'],
  ])('refuses %s', async (path, error) => {
    const { statusCode, lines } = await searching().ask(path);
    expect(statusCode).toBe(400);
    expect(JSON.parse(lines[0]!)).toEqual({ status: 'error', errorType: 'bad_data', error });
  });
});
