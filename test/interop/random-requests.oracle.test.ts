/**
 * Random requests to a real Prometheus and to ours: the same status, type and error text, whatever is
 * wrong with them. What is left out differs on purpose, as it says beside it. NARTHEX_RUNS says how many.
 */
import http, { type IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Parameter, ParameterKind } from '../../web/route.ts';
import { API_ROUTES } from '../../web/api/index.ts';
import { JUDGE_BINARY } from '../support/judge.ts';
import { TestServer, until } from '../src/support/server.ts';

const RUN_COUNT = Number(process.env['NARTHEX_RUNS'] ?? 600);

const OURS_ALONE =
  /^\/(?:import|receivers|scrape_pools\/config|rules\/check|alerts\/|status\/(?:top|active|pushed))/;
/** Bodies of their own, or answers that do not end: asked elsewhere. */
const ASIDE = /^\/(?:read|write|otlp|notifications\/live|admin\/tsdb\/snapshot)/;
const ROUTES = API_ROUTES.filter(({ path }) => !OURS_ALONE.test(path) && !ASIDE.test(path));

const VALUES: Readonly<Record<ParameterKind, readonly string[]>> = {
  text: ['up', '', 'x', '{}', '(', 'é', '[]', 'null', '{"a":"b"}', 'nosuch', 'Down', 'true', '3.2'],
  timestamp: [
    '1700000000',
    '1700000060.5',
    '',
    'abc',
    '-1',
    '0',
    ' 1',
    '+5',
    '.5',
    '1_000',
    '0x10',
    '1e400',
    '2023-11-14T22:13:20Z',
    '2023-11-14',
    '2023-11-14T22:13:20+02:00',
  ],
  duration: [
    '15',
    '15s',
    '1m',
    '0',
    '-1',
    'abc',
    '',
    '1m0s',
    '1s1m',
    '9e99',
    '1.5m',
    '1d12h',
    '1ms',
    '0.5',
    'Inf',
  ],
  integer: [
    '1',
    '0',
    '10',
    '-1',
    'abc',
    '',
    '1.5',
    '1e3',
    '2147483648',
    '9223372036854775807',
    '9223372036854775808',
    '+3',
    ' 2',
    '101',
    '20000',
  ],
  number: ['0', '1', '50', '100', '101', '-1', '1.5', 'x', ''],
  boolean: ['true', 'false', '1', 'T', 'x', ''],
  selector: [
    'up',
    '{job="self"}',
    'up{',
    '{}',
    '',
    '{__name__=~".*"}',
    'up[5m]',
    '1',
    'up{job=~"("}',
    '{a!="b"}',
    '{"é"="x"}',
    'up offset 5m',
    '{"up"}',
    'sum(up)',
  ],
  labels: ['{}', '{"a":"b"}'],
};
const QUERIES = [
  'up',
  '1',
  '"a"',
  'up[5m]',
  'rate(up[5m])',
  'sum by (job) (up)',
  'up{',
  '{}',
  '',
  'x y',
  'nosuch(1)',
  'rate(up)',
  'up @ 1',
  '1/0',
  'topk(1,up)',
  'up{job=~"("}',
  'sum(',
  '"\\',
  'é',
  'up # c',
  'up[1m0s]',
  'up + on() group_left up',
  'count_values("\xff", up)',
];

function valueOf({ name, kind, choices }: Parameter): fc.Arbitrary<string> {
  // Without time the real one answers now this, now that.
  if (name === 'timeout') return fc.constantFrom('15', '1m0s', 'abc', '', '9e99', '1.5m');
  if (name === 'query') return fc.constantFrom(...QUERIES);
  // What is wrong with such texts is said in the words of each one's JSON parser.
  if (name === 'labels') return fc.constantFrom(...VALUES.labels);
  // The largest makes the real one fall over.
  if (name === 'batch_size') return fc.constantFrom('1', '0', '-1', 'x', '');
  const values = VALUES[kind].filter(
    (value) => name !== 'limit' || !value.startsWith('922337203685477580'),
  );
  return fc.constantFrom(...values, ...(choices ?? []));
}

const request = fc.constantFrom(...ROUTES).chain(({ path, methods, doc }) => {
  const given = (doc.parameters ?? []).filter(({ inPath }) => inPath !== true);
  const pairs = given.map((parameter) =>
    fc
      .option(fc.array(valueOf(parameter), { minLength: 1, maxLength: 2 }), { freq: 3 })
      .map((values) => (values ?? []).map((value) => [parameter.name, value] as [string, string])),
  );
  return fc.record({
    path: fc
      .constantFrom('job', '__name__', 'a-b', 'U__a_2e_b', '%20', '%ff', 'a%2fb', 'é')
      .map((label) => `/api/v1${path.replace(':name', encodeURI(label).replaceAll('%25', '%'))}`),
    method: fc.constantFrom(...methods, ...methods, 'GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
    pairs: fc.tuple(...pairs).map((lists) => lists.flat()),
    ending: fc.constantFrom('', '', '', '', '', '&a=%zz', '&a;b', '&=', '&'),
    inBody: fc.boolean(),
    type: fc.constantFrom(
      'application/x-www-form-urlencoded',
      'application/x-www-form-urlencoded; charset=utf-8',
      'text/plain',
      'application/json',
    ),
    accept: fc.constantFrom(undefined, '*/*', 'text/html', 'application/json'),
  });
});
type Sent = typeof request extends fc.Arbitrary<infer T> ? T : never;

type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

async function ask(server: TestServer, sent: Sent): Promise<Answer> {
  const form = new URLSearchParams(sent.pairs).toString() + sent.ending;
  const hasBody = sent.inBody && sent.method !== 'GET';
  const headers: Record<string, string> = {};
  if (hasBody) headers['content-type'] = sent.type;
  if (sent.accept !== undefined) headers['accept'] = sent.accept;
  const asked = http.request({
    host: '127.0.0.1',
    port: server.port,
    path: hasBody ? sent.path : `${sent.path}?${form}`,
    method: sent.method,
    headers: { ...headers, 'content-length': hasBody ? Buffer.byteLength(form) : 0 },
    agent: false,
  });
  asked.end(hasBody ? form : undefined);
  const [response] = (await once(asked, 'response')) as [http.IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) body += String(chunk);
  return { status: response.statusCode!, headers: response.headers, body };
}

/** Data differs: times, threads, our own additions. */
function errorOrStatus(answer: { readonly status: string }): unknown {
  return answer.status === 'error' ? answer : answer.status;
}

/** What has to be the same. */
function essence({ status, headers, body }: Answer) {
  const isJson = headers['content-type'] === 'application/json';
  return {
    status,
    allow: headers.allow,
    type: headers['content-type'],
    body: isJson ? errorOrStatus(JSON.parse(body) as { status: string }) : status < 300 ? '' : body,
  };
}

const CONFIG = `rule_files: [rules.yml]
scrape_configs:
  - {job_name: up, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:PORT"]}]}
`;

describe.skipIf(JUDGE_BINARY === null)('a random request', () => {
  const servers: TestServer[] = [];
  beforeAll(async () => {
    for (const program of [[JUDGE_BINARY!], undefined]) {
      const server = await TestServer.create(CONFIG, program);
      servers.push(server);
      server.writeFile('rules.yml', 'groups: [{name: g, rules: [{record: a, expr: vector(1)}]}]');
      await server.startReady(
        '--web.enable-admin-api',
        '--enable-feature=search-api,promql-experimental-functions',
      );
      await until('something is stored', async () => (await server.query('up')).size > 0);
    }
  }, 30_000);
  afterAll(async () => {
    for (const server of servers) await server.remove();
  });

  test('is answered alike', { timeout: 30_000 + RUN_COUNT * 50 }, async () => {
    const [judge, ours] = servers as [TestServer, TestServer];
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        // A search that finds nothing makes the real one hang up.
        const hungUp = (error: unknown) => {
          if (sent.path.includes('/search/')) return null;
          throw error;
        };
        const [theirs, own] = await Promise.all([ask(judge, sent).catch(hungUp), ask(ours, sent)]);
        fc.pre(theirs !== null);
        expect(essence(own)).toEqual(essence(theirs));
      }),
      { numRuns: RUN_COUNT },
    );
  });
});
