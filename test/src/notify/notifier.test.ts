import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  DEFAULT_RELABEL_CONFIG,
  Labels,
  Registry,
  type RelabelConfig,
  SILENT_LOGGER,
} from '../../../model/index.ts';
import type { HttpClientConfig } from '../../../scrape/index.ts';
import {
  type AlertmanagerConfig,
  Notifier,
  type OutgoingAlert,
  setName,
} from '../../../src/notify/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { until } from '../support/server.ts';

const CLIENT: HttpClientConfig = {
  basicAuth: null,
  authorization: null,
  oauth2: null,
  followRedirects: true,
  enableHttp2: true,
  tls: {
    ca: '',
    caFile: '',
    cert: '',
    certFile: '',
    key: '',
    keyFile: '',
    serverName: '',
    insecureSkipVerify: false,
    minVersion: null,
    maxVersion: null,
  },
  proxy: { proxyUrl: '', noProxy: '', proxyFromEnvironment: false, proxyConnectHeaders: {} },
  httpHeaders: {},
};
const relabel = (config: Partial<RelabelConfig>) => ({ ...DEFAULT_RELABEL_CONFIG, ...config });

function alert(name: string, labels: Record<string, string> = {}): OutgoingAlert {
  return {
    labels: Labels.fromObject({ alertname: name, ...labels }),
    annotations: Labels.fromObject({ summary: 'it broke' }),
    startsAtMs: 1_800_000_000_000,
    endsAtMs: 1_800_000_240_000,
    generatorUrl: 'http://host/graph?g0.expr=up&g0.tab=1',
    isResolved: false,
    ruleLabels: Labels.fromObject({ alertname: name, ...labels }),
  };
}

type Post = {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly alerts: readonly { readonly labels: Record<string, string> }[];
};

describe('the notifier', () => {
  let posts: Post[] = [];
  let status = 200;
  /** Answers wait for it. */
  let gate: Promise<void> = Promise.resolve();
  let address = '';
  let notifier: Notifier;
  let registry = new Registry();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      posts.push({ url: request.url!, headers: request.headers, alerts: JSON.parse(body) });
      void gate.then(() => response.writeHead(status).end());
    });
  });

  beforeEach(async () => {
    posts = [];
    status = 200;
    gate = Promise.resolve();
    registry = new Registry();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    notifier = create();
  });
  afterEach(async () => {
    await notifier.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function create(options: { queueCapacity?: number; drains?: boolean } = {}): Notifier {
    return new Notifier({
      clock: REAL_CLOCK,
      logger: SILENT_LOGGER,
      registry,
      userAgent: 'Prometheus/3.14.0',
      queueCapacity: options.queueCapacity ?? 100,
      batchSizeMax: 3,
      drains: options.drains ?? true,
      externalLabels: () => ({ region: 'eu', alertname: 'not this' }),
    });
  }

  function apply(
    config: Partial<AlertmanagerConfig> = {},
    alertRelabelConfigs: readonly RelabelConfig[] = [],
    targets: readonly Record<string, string>[] = [{ __address__: address }],
  ): void {
    const alertmanager: AlertmanagerConfig = {
      scheme: 'http',
      pathPrefix: '',
      timeoutMs: 5000,
      httpClient: CLIENT,
      cloudAuth: null,
      discovery: [],
      relabelConfigs: [],
      alertRelabelConfigs: [],
      ...config,
    };
    notifier.applyConfig({ alertRelabelConfigs, alertmanagers: [alertmanager] });
    notifier.setTargets(setName(0), [{ source: '0', targets: [...targets], labels: {} }]);
  }

  const metric = (name: string) =>
    registry.snapshot().find((family) => family.name === `prometheus_notifications_${name}`)!
      .samples[0]!.value;

  test('posts alerts with external labels to the path of the API', async () => {
    apply({ pathPrefix: '/am/', httpClient: { ...CLIENT, basicAuth: BASIC } });
    notifier.send([alert('A', { job: 'x' })]);
    await until('a post', () => posts.length === 1);
    expect(posts[0]).toMatchObject({
      url: '/am/api/v2/alerts',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Prometheus/3.14.0',
        authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`,
      },
      alerts: [
        {
          labels: { alertname: 'A', job: 'x', region: 'eu' },
          annotations: { summary: 'it broke' },
          startsAt: '2027-01-15T08:00:00.000Z',
          endsAt: '2027-01-15T08:04:00.000Z',
          generatorURL: 'http://host/graph?g0.expr=up&g0.tab=1',
        },
      ],
    });
    await until('it is counted', () => metric('sent_total') === 1);
    expect(metric('alertmanagers_discovered')).toBe(1);
  });
  const BASIC = { username: 'me', usernameFile: '', password: 'secret', passwordFile: '' };

  test('signs what it posts for Amazon', async () => {
    const settings = {
      region: 'eu-west-1',
      access_key: 'AKIDEXAMPLE',
      secret_key: 'secret',
      profile: '',
      role_arn: '',
      external_id: '',
      use_fips_sts_endpoint: false,
    };
    apply({ cloudAuth: { kind: 'aws', service: 'aps', settings } });
    notifier.send([alert('A')]);
    await until('it arrives', () => posts.length === 1);
    const { headers } = posts[0]!;
    expect(headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/aps\/aws4_request, SignedHeaders=.*host.*, Signature=[0-9a-f]{64}$/,
    );
    expect(headers['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/);
    expect(headers['content-type']).toBe('application/json');
  });

  test('relabels for all, then for one set', async () => {
    const all = [relabel({ sourceLabels: ['alertname'], regex: 'Drop', action: 'drop' })];
    const own = [relabel({ targetLabel: 'set', replacement: 'one' })];
    apply({ alertRelabelConfigs: own }, all);
    notifier.send([alert('Drop'), alert('Keep')]);
    await until('a post', () => posts.length === 1);
    expect(posts[0]!.alerts.map(({ labels }) => labels)).toEqual([
      { alertname: 'Keep', region: 'eu', set: 'one' },
    ]);
  });

  test('relabels targets, and names those that it drops', async () => {
    apply(
      {
        scheme: 'https',
        relabelConfigs: [
          relabel({ sourceLabels: ['__address__'], regex: 'bad.*', action: 'drop' }),
          relabel({ targetLabel: '__alerts_path__', replacement: '/other' }),
        ],
      },
      [],
      [{ __address__: 'good:1' }, { __address__: 'bad:1' }, { __address__: 'good:1' }],
    );
    expect(await notifier.alertmanagers()).toEqual({
      active: ['https://good:1/other'],
      dropped: ['https://bad:1/api/v2/alerts'],
    });
  });

  test('sends what waits in batches', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    apply();
    notifier.send([alert('first')]);
    await until('the first post', () => posts.length === 1);
    for (let i = 0; i < 7; i++) notifier.send([alert(`A${i}`)]);
    expect(metric('queue_length')).toBe(7);
    resolve();
    await until('all posts', () => posts.length === 4);
    expect(posts.map(({ alerts }) => alerts.length)).toEqual([1, 3, 3, 1]);
  });

  test('drops the oldest when the queue is full', async () => {
    notifier = create({ queueCapacity: 2 });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    apply();
    notifier.send([alert('first')]);
    await until('the first post', () => posts.length === 1);
    notifier.send([alert('A'), alert('B'), alert('C')]);
    expect(metric('dropped_total')).toBe(1);
    resolve();
    await until('the rest', () => posts.length === 2);
    expect(posts[1]!.alerts.map(({ labels }) => labels['alertname'])).toEqual(['B', 'C']);
  });

  test('counts what is refused as errors and goes on', async () => {
    status = 500;
    apply();
    notifier.send([alert('A'), alert('B')]);
    await until('errors', () => metric('errors_total') === 2);
    expect(metric('dropped_total')).toBe(2);
    status = 200;
    notifier.send([alert('A')]);
    await until('sent', () => metric('sent_total') === 1);
  });

  test.each([
    { drains: true, count: 3 },
    { drains: false, count: 1 },
  ])('when it stops and drains: $drains', async ({ drains, count }) => {
    notifier = create({ drains });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    apply();
    notifier.send([alert('first')]);
    await until('the first post', () => posts.length === 1);
    for (let i = 0; i < 4; i++) notifier.send([alert(`A${i}`)]);
    const stopped = notifier.stop();
    resolve();
    await stopped;
    expect(posts).toHaveLength(count);
  });

  test('keeps the queue of a set that is configured as before', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    apply();
    notifier.send([alert('first')]);
    await until('the first post', () => posts.length === 1);
    notifier.send([alert('second')]);
    apply();
    resolve();
    await until('the second', () => posts.length === 2);
  });

  test('keeps what comes before anybody is found', async () => {
    apply();
    notifier.applyConfig({ alertRelabelConfigs: [], alertmanagers: [] });
    posts = [];
    const config = { scheme: 'http', pathPrefix: '', timeoutMs: 5000, httpClient: CLIENT };
    const rest = { cloudAuth: null, discovery: [], relabelConfigs: [], alertRelabelConfigs: [] };
    notifier.applyConfig({ alertRelabelConfigs: [], alertmanagers: [{ ...config, ...rest }] });
    // What discovery says before its mechanisms have answered.
    notifier.setTargets(setName(0), []);
    notifier.send([alert('early')]);
    const found = [{ source: '0', targets: [{ __address__: address }], labels: {} }];
    notifier.setTargets(setName(0), found);
    await until('a post', () => posts.length === 1);
    notifier.setTargets(setName(0), []);
    notifier.send([alert('to nobody')]);
    notifier.setTargets(setName(0), found);
    notifier.send([alert('later')]);
    await until('another post', () => posts.length === 2);
    const names = posts.flatMap(({ alerts }) => alerts.map(({ labels }) => labels['alertname']));
    expect(names).toEqual(['early', 'later']);
  });

  test('forgets the figures of one that is gone', async () => {
    apply();
    notifier.send([alert('A')]);
    await until('sent', () => metric('sent_total') === 1);
    const connected = registry
      .snapshot()
      .find(({ name }) => name === 'net_conntrack_dialer_conn_established_total');
    expect(connected?.samples).toEqual([{ labels: ['alertmanager'], value: 1 }]);
    notifier.setTargets(setName(0), []);
    await until('forgotten', () =>
      registry
        .snapshot()
        .filter(({ labelNames }) => labelNames.includes('alertmanager'))
        .every(({ samples }) => samples.length === 0),
    );
    expect(await notifier.alertmanagers()).toEqual({ active: [], dropped: [] });
  });
});
