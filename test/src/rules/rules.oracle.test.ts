/** The same rules over the same target, run by a real Prometheus and by us. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROMETHEUS, PROMETHEUS_VERSION } from '../../support/installed.ts';
import { RealProgram } from '../support/real-program.ts';
import { freePort, sleep, TestServer } from '../support/server.ts';

const isOld = PROMETHEUS_VERSION.startsWith('2.');
const EXTERNAL_URL = 'http://shop.test:9090';

const RULES = `groups:
- name: shop
  ${isOld ? '' : 'labels: {team: checkout, severity: info}'}
  rules:
  - record: shop:load:sum
    expr: sum  by(kind)( load )
    labels: {from: rule}
  - alert: Busy
    expr: load > 4
    for: 2s
    labels: {severity: "{{ if gt $value 8.0 }}page{{ else }}ticket{{ end }}", region: "{{ $externalLabels.region }}"}
    annotations:
      summary: '{{ $labels.shop | title }} at {{ $value | humanize }} ({{ printf "%.1f" $value }})'
      all: '{{ range query "sort(load)" }}{{ .Labels.shop }}={{ .Value }};{{ end }}'
      bad: '{{ query "nothing" | first | value }}'
  - alert: Held
    expr: load{shop="a"} > 4
    keep_firing_for: 1h
  - alert: Never
    expr: load > 1000
  - alert: Slow
    expr: load > 4
    for: 1h
- name: from-recorded
  rules:
  - alert: SumHigh
    expr: shop:load:sum{kind="x"} > 10
- name: limited
  limit: 1
  rules:
  - {alert: Limited, expr: load > 4}
  - {record: limited, expr: load}
- name: broken
  rules:
  - {alert: Matrix, expr: "load[1m]"}
  - {alert: Same, expr: 'label_replace(load, "shop", "z", "", "")'}
  - {record: same, expr: '{__name__=~"load|other"}'}
  - {record: many, expr: "load * on(kind) load"}
  - {alert: Scalar, expr: "1 + 1"}
  - {record: histogram, expr: "histogram_quantile(0.5, load)"}
`;

const config = (target: string, alertmanager: string) => `
global:
  scrape_interval: 500ms
  evaluation_interval: 500ms
  external_labels: {region: eu}
rule_files: [rules.yml]
alerting:
  alert_relabel_configs:
  - {source_labels: [alertname], regex: Slow|Same, action: drop}
  - {regex: from, action: labeldrop}
  alertmanagers:
  - static_configs: [{targets: ["${alertmanager}"]}]
    path_prefix: /am
scrape_configs:
- job_name: load
  metric_relabel_configs: [{regex: instance, action: labeldrop}]
  static_configs: [{targets: ["${target}"]}]
`;

type Posted = {
  readonly labels: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
};

/** What a server says of its rules, times left out. */
type View = Readonly<Record<string, unknown>>;

function withoutTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTimes);
  if (value === null || typeof value !== 'object') return value;
  const dropped = /^(?:evaluationTime|lastEvaluation|activeAt|keepFiringSince|file)$/;
  return Object.fromEntries(
    Object.entries(value)
      // Older ones leave empty labels out.
      .filter(([key, member]) => !dropped.test(key) && !(key === 'labels' && isEmpty(member)))
      .map(([key, member]) => {
        // Older ones print `by(x)`.
        const text = key === 'query' ? String(member).replaceAll(/\b(by|on) ?\(/g, '$1 (') : member;
        // Which of two equals is named first is chance there.
        if (key === 'alerts' && Array.isArray(member)) return [key, sorted(withoutTimes(member))];
        if (key === 'lastError') return [key, String(member).replace(/: .*/, '')];
        return [key, withoutTimes(text)];
      }),
  );
}

function isEmpty(member: unknown): boolean {
  return Object.keys(member as object).length === 0;
}

function sorted(value: unknown): unknown {
  return (value as unknown[]).map((item) => JSON.stringify(item)).sort();
}

async function viewOf(ask: (route: string) => Promise<unknown>): Promise<View> {
  type Vector = { result: { metric: Record<string, string>; value: [number, string] }[] };
  const selector =
    '{__name__=~"ALERTS|ALERTS_FOR_STATE|shop:load:sum|limited|same|many|histogram"}';
  const vector = (await ask(`/api/v1/query?query=${encodeURIComponent(selector)}`)) as Vector;
  const series = vector.result.map(({ metric, value }) => [
    metric,
    metric['__name__'] === 'ALERTS_FOR_STATE' ? 'a time' : value[1],
  ]);
  const { groups } = (await ask('/api/v1/rules')) as { groups: { name: string }[] };
  const { alerts } = (await ask('/api/v1/alerts')) as { alerts: unknown[] };
  return {
    series: sorted(series.map(([metric, value]) => [sortedObject(metric as object), value])),
    rules: withoutTimes(groups),
    alerts: sorted(withoutTimes(alerts)),
  };
}

function sortedObject(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe.skipIf(PROMETHEUS === null)(`rules, beside Prometheus ${PROMETHEUS_VERSION}`, () => {
  let load: Record<string, number> = { a: 1, b: 2 };
  const posted: Record<'theirs' | 'ours', Posted[]> = { theirs: [], ours: [] };
  const web = createServer((request, response) => void answer(request, response));
  let theirs: RealProgram;
  let ours: TestServer;
  let folder: string;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/metrics') {
      const lines = Object.entries(load).map(
        ([shop, value]) => `load{shop="${shop}",kind="x"} ${value}\n`,
      );
      response.setHeader('Content-Type', 'text/plain; version=0.0.4');
      response.end(`${lines.join('')}other{shop="a",kind="x"} 1\n`);
      return;
    }
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const who = request.headers['x-who'] ?? request.url!.split('/')[1]!;
    posted[who as 'theirs' | 'ours']?.push(...(JSON.parse(body) as Posted[]));
    response.end();
  }

  beforeAll(async () => {
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(web.address() as AddressInfo).port}`;
    folder = mkdtempSync(path.join(tmpdir(), 'narthex-rules-'));
    writeFileSync(path.join(folder, 'rules.yml'), RULES);
    writeFileSync(
      path.join(folder, 'prometheus.yml'),
      config(address, address).replace('path_prefix: /am', 'path_prefix: /theirs'),
    );
    ours = await TestServer.create(
      config(address, address).replace('path_prefix: /am', 'path_prefix: /ours'),
    );
    writeFileSync(path.join(ours.folder, 'rules.yml'), RULES);
    const port = await freePort();
    const flags = [`--web.external-url=${EXTERNAL_URL}`, '--rules.alert.resend-delay=1s'];
    theirs = await RealProgram.start(
      PROMETHEUS!,
      [
        `--config.file=${path.join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${path.join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        ...flags,
      ],
      `http://127.0.0.1:${port}`,
    );
    await ours.startReady(...flags);
  });

  afterAll(async () => {
    await theirs?.stop();
    await ours?.remove();
    web.closeAllConnections();
    web.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const theirView = () =>
    viewOf(async (route) => (await theirs.json<{ data: unknown }>(route)).data);
  const ourView = () => viewOf((route) => ours.json(route));

  /** Waits until both say the same and `text` is part of it; fails with the difference. */
  async function settled(...texts: readonly string[]): Promise<View> {
    const deadlineMs = performance.now() + 20_000;
    for (;;) {
      const [a, b] = await Promise.all([theirView(), ourView()]);
      const shown = JSON.stringify(a);
      const isComplete = texts.every((text) => shown.includes(text));
      const isLate = performance.now() > deadlineMs;
      if ((isComplete && shown === JSON.stringify(b)) || isLate) {
        expect(b).toEqual(a);
        for (const text of texts) expect(shown).toContain(text);
        return b;
      }
      await sleep(100);
    }
  }

  test('are equal while nothing matches', async () => {
    await settled('"query":"load > 4"', 'shop:load:sum', '"state":"firing","name":"Scalar"');
  });

  test('are equal while alerts wait and fire', async () => {
    load = { a: 5, b: 9.5 };
    const view = await settled(
      '"state":"firing","name":"Busy"',
      '"state":"firing","name":"SumHigh"',
      '"state":"pending","name":"Slow"',
      'exceeded limit of 1 with 2 alerts',
      'ALERTS_FOR_STATE',
    );
    const text = JSON.stringify(view);
    expect(text).toContain('A at 5 (5.0)');
    expect(text).toContain('a=5;b=9.5;');
    expect(text).toContain('first() called on vector with no elements');
  });

  test('are equal when alerts end', async () => {
    load = { a: 1, b: 8.5 };
    const view = await settled(
      '"state":"inactive","name":"SumHigh"',
      '"state":"firing","name":"Held"',
    );
    const busy = (view['alerts'] as string[]).filter((text) => text.includes('"Busy"'));
    expect(busy).toHaveLength(1);
    load = {};
    await settled('"state":"inactive","name":"Busy"', '"state":"firing","name":"Held"');
  });

  test('tell the same to an Alertmanager', async () => {
    const distinct = (all: readonly Posted[]) => [
      ...new Set(
        all.map(({ labels, annotations, generatorURL, startsAt, endsAt }) => {
          const isOver = Date.parse(endsAt) - Date.now() < 1000;
          expect(Date.parse(startsAt)).toBeLessThanOrEqual(Date.parse(endsAt));
          const query = generatorURL.replaceAll(/\b(by|on)(?:\+?%20?|\+)?%28/g, '$1(');
          const text = [sortedObject(labels), sortedObject(annotations ?? {}), query, isOver];
          return JSON.stringify(text);
        }),
      ),
    ];
    // What was told while values changed is not the same in both; how each alert ends is.
    const ends = (who: 'theirs' | 'ours') =>
      distinct(posted[who])
        .filter((text) => text.endsWith('true]') && text.includes('SumHigh'))
        .sort();
    expect(ends('ours').length).toBeGreaterThan(0);
    expect(ends('ours')).toEqual(ends('theirs'));
    const names = (who: 'theirs' | 'ours') =>
      [...new Set(posted[who].map(({ labels }) => JSON.stringify(sortedObject(labels))))].sort();
    expect(names('ours')).toEqual(names('theirs'));
    for (const { generatorURL } of posted.ours) {
      expect(generatorURL.startsWith(`${EXTERNAL_URL}/graph?g0.expr=`)).toBe(true);
    }
  });
});
