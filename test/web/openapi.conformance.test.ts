/**
 * Our description of the API against that of Prometheus 3.14: every path, method, parameter and
 * schema that clients were generated from is there, and our own answers satisfy our own schemas.
 */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { emptyFigures } from '../../src/import/import-job.ts';
import { readConformance } from './conformance-data.ts';
import { fakeHouse, NOW_MS } from './fake-house.ts';

type Operation = {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
};
type Description = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
type Schema = {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: string[];
};

async function describeOurs(version: string): Promise<Description> {
  const { app } = fakeHouse();
  const response = await app.inject(`/api/v1/openapi.yaml?openapi_version=${version}`);
  expect(response.headers['content-type']).toBe('application/yaml; charset=utf-8');
  expect(response.headers['cache-control']).toBe('no-cache, no-store, must-revalidate');
  return parse(response.payload) as Description;
}

/** They have no content to describe: the answer is 204 (Prometheus's own description says 200). */
const WITHOUT_BODY = new Set(['DeleteSeriesOutputBody', 'CleanTombstonesOutputBody']);

describe.each(['3.1', '3.2'])('the description in OpenAPI %s', (version) => {
  const text = readConformance(`openapi/openapi_${version}_golden.yaml`);
  const theirs = text === null ? null : (parse(text) as Description);

  test.runIf(theirs !== null)('has every path, method and parameter of Prometheus', async () => {
    const ours = await describeOurs(version);
    expect(ours.openapi).toBe(`${version}.0`);
    for (const [path, operations] of Object.entries(theirs!.paths)) {
      expect(Object.keys(ours.paths)).toContain(path);
      for (const [method, operation] of Object.entries(operations)) {
        const own = ours.paths[path]![method];
        expect([path, method, own === undefined]).toEqual([path, method, false]);
        const names = (own!.parameters ?? []).map(({ name }) => name);
        for (const { name } of operation.parameters ?? []) expect(names).toContain(name);
      }
    }
  });

  test.runIf(theirs !== null)('has every schema, with its members', async () => {
    const ours = await describeOurs(version);
    for (const [name, schema] of Object.entries(theirs!.components.schemas)) {
      if (WITHOUT_BODY.has(name)) continue;
      const own = ours.components.schemas[name];
      expect([name, own === undefined]).toEqual([name, false]);
      const members = Object.keys(own!.properties ?? {});
      for (const member of Object.keys(schema.properties ?? {})) {
        // Success and error are two schemas here.
        expect([name, members]).toEqual([name, expect.arrayContaining([member])]);
      }
    }
  });

  test('refers only to what is there', async () => {
    const ours = await describeOurs(version);
    const names = new Set(Object.keys(ours.components.schemas));
    const references = JSON.stringify(ours).matchAll(/#\/components\/schemas\/(\w+)/g);
    for (const [, name] of references) expect(names).toContain(name);
  });

  test('names every operation differently', async () => {
    const ours = await describeOurs(version);
    const ids = Object.values(ours.paths).flatMap((operations) =>
      Object.values(operations).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test('event streams are described in 3.2 alone', async () => {
  expect(Object.keys((await describeOurs('3.1')).paths)).not.toContain('/notifications/live');
  expect(Object.keys((await describeOurs('3.2')).paths)).toContain('/notifications/live');
  expect((await describeOurs('9')).openapi).toBe('3.1.0');
});

describe('answers satisfy their schemas:', () => {
  const target = {
    discoveredLabels: {},
    labels: { job: 'a' },
    scrapePool: 'a',
    scrapeUrl: 'http://a/',
    globalUrl: 'http://a/',
    lastError: '',
    lastScrapeMs: NOW_MS,
    lastScrapeDurationSeconds: 0.5,
    health: 'up',
    scrapeInterval: '15s',
    scrapeTimeout: '10s',
  } as const;
  const common = {
    health: 'ok',
    lastError: '',
    evaluationSeconds: 0,
    lastEvaluationMs: null,
  } as const;
  const rule = { ...common, type: 'recording', name: 'a:b', query: 'up', labels: {} } as const;
  const block = {
    ulid: '01JZ8JKZY6XSK3PTDP9ZKRWT60',
    minTime: 1,
    maxTime: 2,
    stats: { numSamples: 1 },
    compaction: { level: 1, sources: ['01JZ8JKZY6XSK3PTDP9ZKRWT60'] },
    version: 1,
  };
  const alert = {
    labels: {},
    annotations: {},
    state: 'firing',
    activeAtMs: NOW_MS,
    keepFiringSinceMs: null,
    value: 1,
  } as const;
  const group = {
    name: 'g',
    file: 'f',
    intervalSeconds: 1,
    limit: 0,
    evaluationSeconds: 0,
    lastEvaluationMs: null,
    rules: [rule],
  };
  const pushed = {
    labels: { job: 'x' },
    pushedAtMs: NOW_MS,
    failedAtMs: 0,
    expiresAtMs: null,
    seriesCount: 1,
  };
  const imported = {
    id: 'x',
    format: 'csv',
    isDryRun: false,
    state: 'running',
    receivedBytes: 1,
    startedMs: NOW_MS,
    finishedMs: null,
    error: null,
    ...emptyFigures(),
    badLines: [{ line: 1, error: 'x' }],
    minMs: NOW_MS,
  } as const;
  const house = () =>
    fakeHouse(
      {
        targets: {
          targets: async () => ({
            active: [target],
            dropped: [{ discoveredLabels: {}, scrapePool: 'a' }],
            droppedCounts: { a: 1 },
          }),
        },
        rules: { groups: async () => [group], alerts: async () => [alert] },
        status: { blocks: async () => [block] },
        push: { push: async () => null, list: async () => [pushed] },
        imports: { list: () => [imported], find: () => imported },
        alertmanagers: { alertmanagers: async () => ({ active: ['http://x'], dropped: [] }) },
      },
      { enableAdminApi: true },
    );

  test.each([
    ['/query?query=1', 'QueryOutputBody'],
    ['/query_range?query=1&start=0&end=1&step=1', 'QueryRangeOutputBody'],
    ['/query_exemplars?query=up', 'QueryExemplarsOutputBody'],
    ['/format_query?query=up', 'FormatQueryOutputBody'],
    ['/parse_query?query=up', 'ParseQueryOutputBody'],
    ['/labels', 'LabelsOutputBody'],
    ['/label/job/values', 'LabelValuesOutputBody'],
    ['/series?match[]=up', 'SeriesOutputBody'],
    ['/metadata', 'MetadataOutputBody'],
    ['/scrape_pools', 'ScrapePoolsOutputBody'],
    ['/scrape_pools/config?scrapePool=api', 'ScrapePoolConfigOutputBody'],
    ['/targets', 'TargetsOutputBody'],
    ['/targets?state=active', 'TargetsOutputBody'],
    ['/targets/metadata', 'TargetMetadataOutputBody'],
    ['/targets/relabel_steps?scrapePool=api&labels={}', 'TargetRelabelStepsOutputBody'],
    ['/rules', 'RulesOutputBody'],
    ['/alerts', 'AlertsOutputBody'],
    ['/alerts/history', 'AlertHistoryOutputBody'],
    ['/alertmanagers', 'AlertmanagersOutputBody'],
    ['/status/config', 'StatusConfigOutputBody'],
    ['/status/runtimeinfo', 'StatusRuntimeInfoOutputBody'],
    ['/status/buildinfo', 'StatusBuildInfoOutputBody'],
    ['/status/flags', 'StatusFlagsOutputBody'],
    ['/status/tsdb', 'StatusTSDBOutputBody'],
    ['/status/tsdb/blocks', 'StatusTSDBBlocksOutputBody'],
    ['/status/walreplay', 'StatusWALReplayOutputBody'],
    ['/status/self_metrics', 'StatusSelfMetricsOutputBody'],
    ['/status/top_queries', 'StatusTopQueriesOutputBody'],
    ['/status/pushed_groups', 'PushedGroupsOutputBody'],
    ['/import', 'ImportsOutputBody'],
    ['/import/x', 'ImportOutputBody'],
    ['/notifications', 'NotificationsOutputBody'],
    ['/features', 'FeaturesOutputBody'],
    ['/labels?limit=x', 'Error'],
  ])('%s is a %s', async (url, name) => {
    const { app, notifications } = house();
    notifications.add('hello');
    const ours = await describeOurs('3.2');
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema({ $id: 'ours', ...ours });
    const validate = ajv.getSchema(`ours#/components/schemas/${name}`)!;
    const response = await app.inject(`/api/v1${url}`);
    void validate(response.json());
    expect(validate.errors ?? []).toEqual([]);
  });
});
