/** A running server's answers are what Prometheus's own description says of them. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { TestServer, until } from '../src/support/server.ts';
import { readConformance } from '../web/conformance-data.ts';

type Schema = Readonly<Record<string, unknown>>;
type Operation = {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
};
type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Schema;
};

const golden = readConformance('openapi/openapi_3.2_golden.yaml');

describe.skipIf(golden === null)('answers of a running server', () => {
  const description = golden === null ? null : (parse(golden) as Description);
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.create(`global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
- {job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}
- {job_name: gone, static_configs: [{targets: ["127.0.0.1:1"]}]}
`);
    server.writeFile(
      'rules.yml',
      'groups: [{name: g, rules: [{record: r, expr: sum(up)}, {alert: A, expr: up == 0}]}]\n',
    );
    await server.startReady();
    await until('an alert fires', async () => (await server.query('ALERTS')).size > 0);
  });
  afterAll(() => server?.remove());

  test.each([
    ['/query', 'query=up'],
    ['/query', 'query=up[10s]&stats=all'],
    ['/query', 'query=1'],
    // Not that of a text: what the description says of it is not what a real server answers.
    ['/query_range', 'query=up&start=START&end=END&step=1'],
    ['/query_exemplars', 'query=up&start=START&end=END'],
    ['/format_query', 'query=up'],
    ['/parse_query', 'query=sum(rate(up[5m]))by(job)>1'],
    ['/labels', ''],
    ['/label/{name}/values', 'limit=1'],
    ['/series', 'match[]=up'],
    ['/metadata', ''],
    ['/scrape_pools', ''],
    ['/targets', ''],
    ['/targets/metadata', ''],
    ['/targets/relabel_steps', 'scrapePool=self&labels={}'],
    ['/rules', ''],
    ['/alerts', ''],
    ['/alertmanagers', ''],
    ['/status/config', ''],
    ['/status/runtimeinfo', ''],
    ['/status/buildinfo', ''],
    ['/status/flags', ''],
    ['/status/tsdb', ''],
    ['/status/tsdb/blocks', ''],
    ['/status/walreplay', ''],
    ['/notifications', ''],
    ['/features', ''],
  ])('GET %s?%s', async (route, query) => {
    const schema =
      description!.paths[route]!['get']!.responses['200']!.content!['application/json']!;
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'golden', ...description });
    const text = JSON.stringify(schema.schema).replaceAll('"#/', '"golden#/');
    const validate = ajv.compile(JSON.parse(text) as Schema);
    const nowSeconds = Math.floor(Date.now() / 1000);
    const asked = query
      .replace('START', String(nowSeconds - 10))
      .replace('END', String(nowSeconds));
    const answer = await server.get(
      `/api/v1${route.replace('{name}', 'job')}?${encodeURI(asked).replaceAll('+', '%2B')}`,
    );
    expect(answer.status, answer.text.slice(0, 300)).toBe(200);
    void validate(JSON.parse(answer.text));
    // What there is more than that is ours, and no client minds.
    const errors = (validate.errors ?? []).filter(
      ({ keyword }) => keyword !== 'additionalProperties' && keyword !== 'unevaluatedProperties',
    );
    expect(errors).toEqual([]);
  });
});
