/** A real Alertmanager receives what our rules find, and hears when it is over. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RealProgram } from '../support/real-program.ts';
import { freePort, TestServer, until } from '../support/server.ts';

const ALERTMANAGER = ((): string | null => {
  const found = spawnSync('sh', ['-c', 'command -v prometheus-alertmanager alertmanager'], {
    encoding: 'utf8',
  });
  const file = found.stdout.trim().split('\n')[0] ?? '';
  if (file !== '') return file;
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error('no alertmanager');
  console.info('skipped: no alertmanager');
  return null;
})();

const RULES = `groups:
- name: g
  rules:
  - alert: Up
    expr: up >= 0
    labels: {severity: page}
    annotations: {runbook_url: "http://runbooks/{{ $labels.job }}"}
`;

const config = (jobName: string) => `
global: {scrape_interval: 300ms, evaluation_interval: 300ms, external_labels: {cluster: c1}}
rule_files: ["rules*.yml"]
alerting:
  alertmanagers: [{file_sd_configs: [{files: [am.json]}]}]
scrape_configs:
  - {job_name: ${jobName}, static_configs: [{targets: ["127.0.0.1:PORT"]}]}
`;

type Received = {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly endsAt: string;
  readonly status: { readonly state: string };
};

describe.skipIf(ALERTMANAGER === null)('a real Alertmanager', () => {
  let alertmanager: RealProgram;
  let server: TestServer;

  beforeAll(async () => {
    const port = await freePort();
    server = await TestServer.create(config('self'));
    writeFileSync(path.join(server.folder, 'rules.yml'), RULES);
    const target = `127.0.0.1:${port}`;
    writeFileSync(path.join(server.folder, 'am.json'), JSON.stringify([{ targets: [target] }]));
    const amConfig = path.join(server.folder, 'am.yml');
    writeFileSync(amConfig, 'route: {receiver: none}\nreceivers: [{name: none}]\n');
    alertmanager = await RealProgram.start(
      ALERTMANAGER!,
      [
        `--config.file=${amConfig}`,
        `--storage.path=${path.join(server.folder, 'am')}`,
        `--web.listen-address=${target}`,
        '--cluster.listen-address=',
      ],
      `http://${target}`,
    );
    await server.startReady('--web.enable-lifecycle', '--rules.alert.resend-delay=5s');
  });
  afterAll(async () => {
    await alertmanager?.stop();
    await server?.remove();
  });

  const received = () => alertmanager.json<Received[]>('/api/v2/alerts');

  test('hears of an alert', async () => {
    await until('it is there', async () => (await received()).length === 1);
    const [alert] = await received();
    expect(alert).toMatchObject({
      labels: { alertname: 'Up', job: 'self', severity: 'page', cluster: 'c1' },
      annotations: { runbook_url: 'http://runbooks/self' },
      status: { state: 'active' },
    });
    const { activeAlertmanagers } = await server.json<{ activeAlertmanagers: { url: string }[] }>(
      '/api/v1/alertmanagers',
    );
    expect(activeAlertmanagers).toEqual([{ url: `${alertmanager.url}/api/v2/alerts` }]);
  });

  test('keeps it over a restart of the server', async () => {
    await server.kill('SIGTERM');
    const restartedMs = Date.now();
    await server.startReady('--web.enable-lifecycle', '--rules.alert.resend-delay=5s');
    await until('it fires again', async () => {
      const { alerts } = await server.json<{ alerts: unknown[] }>('/api/v1/alerts');
      return JSON.stringify(alerts).includes('"state":"firing"');
    });
    // From then on the scrape loop knows the series, and ends them when the job goes.
    await until('it is scraped', async () => {
      const times = await server.query('timestamp(up)');
      return [...times.values()].some((time) => time * 1000 > restartedMs);
    });
    await until('it is there', async () => (await received()).length === 1);
  });

  test('is told when it is over', async () => {
    server.writeConfig(config('other'));
    expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
    // Alertmanager leaves out what has ended.
    await until('the old one is over, the new one there', async () => {
      const [alert, ...others] = await received();
      return alert?.labels['job'] === 'other' && others.length === 0;
    });
  });

  test('what became of alerts is remembered, over the restart too', async () => {
    type Event = {
      readonly from: string;
      readonly to: string;
      readonly labels: Record<string, string>;
      readonly deliveries: readonly { readonly url: string; readonly error?: string }[];
    };
    const url = `${alertmanager.url}/api/v2/alerts`;
    const history = async () => {
      const { entries } = await server.json<{ entries: Event[] }>(
        '/api/v1/alerts/history?alertname=Up',
      );
      return entries.toReversed().map(({ from, to, labels, deliveries }) => {
        const told = deliveries.map((delivery) => `${delivery.url} ${delivery.error ?? 'ok'}`);
        return [labels['job'], from, to, ...told].join(' ');
      });
    };
    const told = (text: string) => `${text} ${url} ok`;
    const ofJob = (job: string) => async () =>
      (await history()).filter((text) => text.startsWith(job));
    await expect
      .poll(ofJob('self'), { timeout: 5000 })
      .toEqual([
        'self inactive pending',
        told('self pending firing'),
        'self inactive pending',
        told('self pending firing'),
        told('self firing inactive'),
      ]);
    await expect
      .poll(ofJob('other'), { timeout: 5000 })
      .toEqual(['other inactive pending', told('other pending firing')]);
  });

  test('a bad rule file changes nothing', async () => {
    writeFileSync(
      path.join(server.folder, 'rules2.yml'),
      'groups: [{name: x, rules: [{alert: A}]}]',
    );
    const { status, text } = await server.get('/-/reload', { method: 'POST' });
    expect(status).toBe(500);
    expect(text).toMatch(/rules2\.yml:1:\d+: .*field 'expr' must be set in rule/);
    const { groups } = await server.json<{ groups: unknown[] }>('/api/v1/rules');
    expect(groups).toHaveLength(1);
  });
});
