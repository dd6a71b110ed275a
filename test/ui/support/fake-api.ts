/**
 * A small server of made-up but consistent answers, so that the UI can be tested without any real
 * one: what it says is known, and it can be told to fail.
 */
import type { ServerResponse } from 'node:http';
import type { Api } from './ui-server.ts';

export type FakeState = {
  ready: 'ready' | 'starting';
  replay: { min: number; max: number; current: number };
  metricNames: string[];
  /** Series that the expression `many` has. */
  manyCount: number;
  groups: unknown[];
  targets: unknown[];
};

export const newFakeState = (): FakeState => ({
  ready: 'ready',
  replay: { min: 0, max: 0, current: 0 },
  metricNames: [
    'http_request_duration_seconds_bucket',
    'http_requests_total',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'up',
  ],
  manyCount: 2000,
  groups: [ALERT_GROUP],
  targets: [UP_TARGET, DOWN_TARGET],
});

const MINUTE_AGO = () => new Date(Date.now() - 60_000).toISOString();

const ALERT_GROUP = {
  name: 'availability',
  file: 'rules.yml',
  interval: 15,
  evaluationTime: 0.002,
  lastEvaluation: MINUTE_AGO(),
  rules: [
    {
      type: 'recording',
      name: 'job:up:sum',
      query: 'sum by (job) (up)',
      health: 'err',
      lastError: 'something went wrong',
      evaluationTime: 0.001,
      lastEvaluation: MINUTE_AGO(),
    },
    {
      type: 'alerting',
      name: 'TargetDown',
      state: 'firing',
      query: 'up == 0',
      duration: 300,
      keepFiringFor: 0,
      labels: { severity: 'critical' },
      annotations: { summary: '{{ $labels.instance }} is down' },
      health: 'ok',
      evaluationTime: 0.001,
      lastEvaluation: MINUTE_AGO(),
      alerts: [
        {
          labels: { alertname: 'TargetDown', instance: 'b:9100', severity: 'critical' },
          annotations: { summary: 'b:9100 is down', runbook_url: 'https://example.org/down' },
          state: 'firing',
          activeAt: MINUTE_AGO(),
          value: '0e+00',
        },
      ],
    },
  ],
};

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const DOWN_LABELS = { alertname: 'TargetDown', instance: 'b:9100', severity: 'critical' };

const alertEvent = () => ({
  id: '7',
  at: ago(60),
  from: 'pending',
  to: 'firing',
  fingerprint: 'abc',
  labels: DOWN_LABELS,
  annotations: {},
  value: '0e+00',
  activeAt: ago(65),
  rule: 'TargetDown',
  group: 'availability',
  file: 'rules.yml',
  query: 'up == 0',
  samples: [
    {
      selector: 'up',
      seriesCount: 1,
      samples: [{ labels: { __name__: 'up', instance: 'b:9100', job: 'node' }, value: '0' }],
    },
  ],
  deliveries: [
    { at: ago(60), url: 'http://am:9093/api/v2/alerts' },
    { at: ago(60), url: 'pager (webhook)', error: 'connection refused' },
  ],
});

const alertTimeline = () => ({
  fingerprint: 'abc',
  rule: 'TargetDown',
  group: 'availability',
  file: 'rules.yml',
  query: 'up == 0',
  labels: DOWN_LABELS,
  annotations: {},
  isActive: true,
  spans: [
    { state: 'firing', end: ago(700) },
    { state: 'pending', start: ago(65), end: ago(60), value: '0e+00', event: '6' },
    { state: 'firing', start: ago(60), value: '0e+00', event: '7' },
  ],
});

const SILENT_RULE = {
  group: 'availability',
  file: 'rules.yml',
  name: 'job:up:sum',
  query: 'sum by (job) (up)',
  selectors: [
    {
      selector: 'up',
      seriesCount: 0,
      problem: { kind: 'metric', text: 'there is no metric up', nearestMetric: null },
    },
  ],
};

const RECEIVERS = {
  receivers: [
    { label: 'team (webhook)', target: 'http://hook/…', groupCount: 1, last: MINUTE_AGO() },
    {
      label: 'night (email)',
      target: 'a@example.org via mail:25',
      groupCount: 2,
      last: MINUTE_AGO(),
      lastError: 'connect ECONNREFUSED',
    },
  ],
  waiting: [
    {
      integration: 'night (email)',
      groupKey: 'night:{"alertname":"TargetDown"}',
      alertCount: 3,
      attemptCount: 2,
      next: MINUTE_AGO(),
      error: 'connect ECONNREFUSED',
    },
  ],
};

const alertReport = () => ({
  verdict: 'The condition does not hold: no value of up is == 0: the nearest of 1 is 1',
  query: 'up == 0',
  time: MINUTE_AGO(),
  labels: DOWN_LABELS,
  state: 'firing',
  event: alertEvent(),
  root: {
    text: 'up == 0',
    type: 'vector',
    count: 0,
    relatedCount: 0,
    rows: [],
    reason: 'no value of up is == 0: the nearest of 1 is 1',
    children: [
      {
        text: 'up',
        type: 'vector',
        count: 5,
        relatedCount: 5,
        rows: ['a', 'b', 'c', 'd', 'e'].map((host) => ({
          labels: { __name__: 'up', instance: `${host}:9100`, job: 'node' },
          value: '1',
          sampleCount: 1,
        })),
        children: [],
      },
    ],
  },
});

const UP_TARGET = {
  discoveredLabels: { __address__: 'a:9100', job: 'node' },
  labels: { instance: 'a:9100', job: 'node' },
  scrapePool: 'node',
  scrapeUrl: 'http://a:9100/metrics',
  globalUrl: 'http://a:9100/metrics',
  lastError: '',
  lastScrape: MINUTE_AGO(),
  lastScrapeDuration: 0.0123,
  health: 'up',
  scrapeInterval: '15s',
  scrapeTimeout: '10s',
};
const DOWN_TARGET = {
  ...UP_TARGET,
  discoveredLabels: { __address__: 'b:9100', job: 'node' },
  labels: { instance: 'b:9100', job: 'node' },
  scrapeUrl: 'http://b:9100/metrics',
  lastError: 'Get "http://b:9100/metrics": dial tcp 10.0.0.2:9100: connect: connection refused',
  health: 'down',
};

const METADATA = {
  http_requests_total: [{ type: 'counter', help: 'Requests served.', unit: '' }],
  http_request_duration_seconds: [{ type: 'histogram', help: 'Time to answer.', unit: '' }],
  process_resident_memory_bytes: [{ type: 'gauge', help: 'Memory in use.', unit: '' }],
};

const FLAGS = { 'web.listen-address': '0.0.0.0:9090', 'storage.tsdb.path': 'data/' };

const TSDB = {
  headStats: {
    numSeries: 1234,
    numLabelPairs: 99,
    chunkCount: 2345,
    minTime: 1_700_000_000_000,
    maxTime: 1_700_003_600_000,
  },
  seriesCountByMetricName: [{ name: 'http_requests_total', value: 800 }],
  labelValueCountByLabelName: [{ name: 'handler', value: 50 }],
  memoryInBytesByLabelName: [{ name: 'handler', value: 5000 }],
  seriesCountByLabelValuePair: [{ name: 'job=node', value: 1000 }],
};

const BLOCK = {
  ulid: '01JZ8JKZY6XSK3PTDP9ZKRWT60',
  minTime: 1_750_860_000_000,
  maxTime: 1_750_867_200_000,
  stats: { numSamples: 13_701, numSeries: 716, numChunks: 716 },
  compaction: { level: 1 },
};

const RUNTIME = () => ({
  startTime: MINUTE_AGO(),
  reloadConfigSuccess: true,
  lastConfigTime: MINUTE_AGO(),
  storageRetention: '15d',
  corruptionCount: 0,
});

const OWN_METRICS = `process_resident_memory_bytes 104857600
process_cpu_seconds_total 12.5
prometheus_tsdb_head_series 1234
`;

const CONFIG = 'global:\n  scrape_interval: 15s\nscrape_configs:\n- job_name: node\n';

function json(response: ServerResponse, status: number, body: object): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}

export function fakeApi(state: FakeState): Api {
  const data: Record<string, () => unknown> = {
    '/api/v1/label/__name__/values': () => state.metricNames,
    '/api/v1/labels': () => ['__name__', 'handler', 'instance', 'job'],
    '/api/v1/series': () => [{ __name__: 'up', instance: 'a:9100', job: 'node' }],
    '/api/v1/metadata': () => METADATA,
    '/api/v1/targets': () => ({
      activeTargets: state.targets,
      droppedTargets: [{ discoveredLabels: { __address__: 'c:9100' }, scrapePool: 'node' }],
      droppedTargetCounts: { node: 3 },
    }),
    '/api/v1/targets/relabel_steps': () => ({
      steps: [{ rule: { action: 'drop' }, output: {}, keep: false }],
    }),
    '/api/v1/scrape_pools': () => ({ scrapePools: ['node'] }),
    '/api/v1/rules': () => ({ groups: state.groups }),
    '/api/v1/alerts': () => ({ alerts: state.groups.length > 0 ? [{ state: 'firing' }] : [] }),
    '/api/v1/alerts/history': () => ({ entries: [alertEvent()] }),
    '/api/v1/alerts/timeline': () => ({ alerts: [alertTimeline()], isCut: false }),
    '/api/v1/alerts/why': alertReport,
    '/api/v1/receivers': () => RECEIVERS,
    '/api/v1/rules/check': () => ({
      rules: [SILENT_RULE],
      quarantined: [{ file: 'rules.yml', group: 'broken', error: 'rules.yml:9:11: no' }],
    }),
    '/api/v1/alertmanagers': () => ({
      activeAlertmanagers: [{ url: 'http://am:9093/api/v2/alerts' }],
      droppedAlertmanagers: [],
    }),
    '/api/v1/status/config': () => ({ yaml: CONFIG }),
    '/api/v1/status/flags': () => FLAGS,
    '/api/v1/status/runtimeinfo': RUNTIME,
    '/api/v1/status/buildinfo': () => ({ version: '3.14.0', revision: 'abc' }),
    '/api/v1/status/tsdb': () => TSDB,
    '/api/v1/status/tsdb/blocks': () => ({ blocks: [BLOCK] }),
    '/api/v1/status/walreplay': () => state.replay,
    '/api/v1/notifications': () => [],
    '/api/v1/format_query': () => 'sum by (job) (up)',
  };
  return ({ path, params }, response) => {
    if (path === '/-/ready') {
      response.writeHead(state.ready === 'ready' ? 200 : 503).end();
      return true;
    }
    if (path === '/metrics') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end(OWN_METRICS);
      return true;
    }
    if (path === '/api/v1/notifications/live') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('\n');
      return true;
    }
    if (path === '/api/v1/query') return answerInstant(params, response);
    if (path === '/api/v1/query_range') return answerRange(params, response, state);
    const found = data[path];
    if (found !== undefined) return json(response, 200, { status: 'success', data: found() });
    if (path.startsWith('/api/')) return json(response, 404, { status: 'error', error: path });
    return false;
  };
}

const HISTOGRAM = {
  count: '9',
  sum: '12.5',
  buckets: [
    [3, '-0.001', '0.001', '1'],
    [0, '1', '1.4142135623730951', '5'],
    [0, '1.4142135623730951', '2', '3'],
  ],
};

function refuse(response: ServerResponse): true {
  return json(response, 400, {
    status: 'error',
    errorType: 'bad_data',
    error: 'invalid parameter "query": 1:5: parse error: unclosed left parenthesis',
  });
}

function answerInstant(params: URLSearchParams, response: ServerResponse): true {
  const expr = params.get('query') ?? '';
  const seconds = Number(params.get('time'));
  if (expr.endsWith('(')) return refuse(response);
  // Never answered: for tests that call a query off.
  if (expr === 'forever') return true;
  if (expr === 'native') {
    const result = [{ metric: { job: 'node' }, histogram: [seconds, HISTOGRAM] }];
    return json(response, 200, { status: 'success', data: { resultType: 'vector', result } });
  }
  const result = ['a:9100', 'b:9100', 'c:9100', 'd:9100'].map((instance, index) => ({
    metric: { __name__: 'up', instance, job: 'node' },
    value: [seconds, String(index)],
  }));
  return json(response, 200, {
    status: 'success',
    data: { resultType: 'vector', result: expr === 'nothing' ? [] : result },
    ...(expr === 'rate(up[5m])' && { infos: ['PromQL info: metric might not be a counter'] }),
  });
}

/** One sine wave per series; of `gap`, the middle third is missing. */
function answerRange(params: URLSearchParams, response: ServerResponse, state: FakeState): true {
  const expr = params.get('query') ?? '';
  if (expr.endsWith('(')) return refuse(response);
  const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(params.get(name)));
  const seriesCount = expr === 'many' ? state.manyCount : expr === 'nothing' ? 0 : 3;
  const result = Array.from({ length: seriesCount }, (_, series) => {
    const values: [number, string][] = [];
    for (let seconds = start!; seconds <= end! + 1e-6; seconds += step!) {
      const share = (seconds - start!) / (end! - start!);
      if (expr === 'gap' && share > 0.33 && share < 0.66) continue;
      values.push([seconds, String(10 + series + Math.sin(share * 12 + series))]);
    }
    return { metric: { __name__: 'wave', series: String(series), job: 'node' }, values };
  });
  return json(response, 200, { status: 'success', data: { resultType: 'matrix', result } });
}
