/** A whole server with `--notifications.file`: alert, message, kill -9, end. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer, until } from '../../support/server.ts';

type Body = { status: string; alerts: { status: string; labels: Record<string, string> }[] };
const posts: Body[] = [];
let isDown = false;
const hook = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    if (!isDown) posts.push(JSON.parse(text));
    response.writeHead(isDown ? 503 : 200).end();
  });
});
let server: TestServer;

beforeAll(async () => {
  hook.listen(0, '127.0.0.1');
  await once(hook, 'listening');
  server = await TestServer.create(`
global: {scrape_interval: 200ms, evaluation_interval: 200ms, external_labels: {region: eu}}
rule_files: [rules.yml]
`);
  writeRule('vector(1)');
  write(
    'notifications.yml',
    `group_wait: 0s
group_interval: 1s
receivers:
- name: team
  webhook_configs: [{url: "http://127.0.0.1:${(hook.address() as AddressInfo).port}/secret"}]
`,
  );
});
afterAll(async () => {
  await server?.remove();
  hook.closeAllConnections();
  hook.close();
});

const file = (name: string) => path.join(server.folder, name);
const write = (name: string, text: string) => writeFileSync(file(name), text);
const writeRule = (expr: string) =>
  write(
    'rules.yml',
    `groups: [{name: g, rules: [{alert: Up, expr: ${expr}, labels: {job: self}}]}]`,
  );
const flags = () => [
  `--notifications.file=${file('notifications.yml')}`,
  '--web.enable-lifecycle',
  '--rules.alert.for-grace-period=0s',
];

test('a file with a mistake is refused at the start', async () => {
  const bad = await TestServer.create('');
  try {
    writeFileSync(path.join(bad.folder, 'n.yml'), 'receivers:\n- nam: a\n');
    bad.start(`--notifications.file=${path.join(bad.folder, 'n.yml')}`);
    expect(await bad.ended).toMatchObject({ code: 2 });
    expect(bad.log).toContain('n.yml:2:3: receivers[0].nam: unknown key; did you mean name?');
  } finally {
    await bad.remove();
  }
});

test('a change of the file is seen', async () => {
  const other = await TestServer.create('global: {}\n');
  const notifications = (text: string) => other.writeFile('n.yml', text);
  const receivers = async () => {
    const found = await other.json<{ receivers: { receiver: string }[] }>('/api/v1/receivers');
    return found.receivers.map(({ receiver }) => receiver).join();
  };
  try {
    notifications('receivers: [{name: one, webhook_configs: [{url: "http://127.0.0.1:1"}]}]');
    const flag = `--notifications.file=${path.join(other.folder, 'n.yml')}`;
    await other.startReady(flag, '--config.auto-reload', '--config.auto-reload-interval=1s');
    expect(await receivers()).toBe('one');
    notifications('receivers: [{name: two, webhook_configs: [{url: "http://127.0.0.1:1"}]}]');
    await until('the other one is there', async () => (await receivers()) === 'two');
    notifications('receivers: [{nam: three}]');
    await until('the mistake is told', () => other.log.includes('did you mean name?'));
    expect(await receivers()).toBe('two');
  } finally {
    await other.remove();
  }
}, 30_000);

test('an alert is told, once, and its end after a crash', async () => {
  await server.startReady(...flags());
  await until('it is told', () => posts.length === 1);
  expect(posts[0]).toMatchObject({
    status: 'firing',
    alerts: [{ status: 'firing', labels: { alertname: 'Up', region: 'eu', job: 'self' } }],
  });
  type Status = { receivers: { target: string; last?: string }[]; waiting: { error?: string }[] };
  const status = () => server.json<Status>('/api/v1/receivers');
  await until('it is noted', async () => (await status()).receivers[0]?.last !== undefined);
  expect(JSON.stringify(await status())).not.toContain('secret');
  const history = async () => {
    const { entries } = await server.json<{ entries: { deliveries: { url: string }[] }[] }>(
      '/api/v1/alerts/history?state[]=firing',
    );
    return entries[0]?.deliveries.map(({ url }) => url);
  };
  await until('history knows', async () => (await history())?.[0] === 'team (webhook)');

  await server.kill('SIGKILL');
  isDown = true;
  await server.startReady(...flags());
  const isFiring = async () => (await server.query('ALERTS{alertstate="firing"}')).size === 1;
  await until('it fires again', isFiring);
  writeRule('vector(1) > 7');
  expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
  await until('it has ended', async () => (await server.query('ALERTS')).size === 0);
  await until('its end waits', async () => (await status()).waiting[0]?.error !== undefined);
  await server.kill('SIGKILL');
  isDown = false;
  await server.startReady(...flags());
  await until('its end arrives', () => posts.length === 2);
  expect(posts[1]).toMatchObject({ status: 'resolved', alerts: [{ status: 'resolved' }] });
}, 60_000);
