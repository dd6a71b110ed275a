/** The same OTLP request to a real Prometheus and to ours, for every strategy and option. */
import { expect, test } from 'vitest';
import { JUDGE_BINARY } from '../../support/judge.ts';
import { serversOfTests } from '../support/servers.ts';
import { otlpProtobuf } from './support/otlp-messages.ts';
import { everything } from './support/otlp-requests.ts';

const { start } = serversOfTests();

const CONFIGS = [
  '',
  'otlp: {translation_strategy: UnderscoreEscapingWithoutSuffixes}',
  'otlp: {translation_strategy: NoUTF8EscapingWithSuffixes}',
  'otlp: {translation_strategy: NoTranslation}',
  `otlp: {promote_resource_attributes: [host.name, service.name, absent],
    keep_identifying_resource_attributes: true, promote_scope_metadata: true,
    convert_histograms_to_nhcb: true}`,
  `otlp: {promote_all_resource_attributes: true, ignore_resource_attributes: [os.type],
    label_name_underscore_sanitization: false, label_name_preserve_multiple_underscores: false}`,
];

/** Everything that was stored, as text. */
async function answersOf(
  program: readonly string[] | undefined,
  config: string,
  encoding: 'json' | 'protobuf',
  timeMs: number,
): Promise<string[]> {
  const flags = ['--web.enable-otlp-receiver', '--enable-feature=exemplar-storage'];
  const server = await start(`${config}\n`, program, ...flags);
  const sent = everything(timeMs);
  const { status, text } = await server.get('/api/v1/otlp/v1/metrics', {
    method: 'POST',
    headers: {
      'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
    },
    body: encoding === 'json' ? JSON.stringify(sent) : Buffer.from(otlpProtobuf(sent)),
  });
  expect([status, text.replace('{}', '')]).toEqual([200, '']);
  const range = encodeURIComponent('{__name__=~".+"}[1h]');
  const { result } = await server.json<{ result: unknown[] }>(
    `/api/v1/query?query=${range}&time=${timeMs / 1000}`,
  );
  const query = encodeURIComponent('{__name__=~".+"}');
  const exemplars = await server.json<unknown[]>(
    `/api/v1/query_exemplars?query=${query}&start=0&end=${timeMs / 1000 + 1000}`,
  );
  return [...result, ...exemplars].map((series) => JSON.stringify(series)).toSorted();
}

test.skipIf(JUDGE_BINARY === null).each(CONFIGS)('with %s', { timeout: 60_000 }, async (config) => {
  const timeMs = Date.now() - 60_000;
  const expected = await answersOf([JUDGE_BINARY!], config, 'protobuf', timeMs);
  expect(expected.length).toBeGreaterThan(90);
  expect(await answersOf(undefined, config, 'protobuf', timeMs)).toEqual(expected);
  expect(await answersOf(undefined, config, 'json', timeMs)).toEqual(expected);
});
