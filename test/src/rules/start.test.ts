import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { TestServer, until } from '../support/server.ts';

let server: TestServer | null = null;
afterEach(() => server?.remove());

const BAD = 'groups: [{name: a, rules: [{alert: X, expr: "up +"}]}]';

test('a server does not start with a bad rule file, and says what is wrong with it', async () => {
  server = await TestServer.create('rule_files: [bad.yml]\n');
  writeFileSync(path.join(server.folder, 'bad.yml'), BAD);
  server.start();
  expect(await server.ended).toMatchObject({ code: 2 });
  expect(server.log).toMatch(
    /bad\.yml:1:39: groups\[0\]\.rules\[0\]\.expr: could not parse expression: 1:5: parse error/,
  );
});

test('rules come and go with a reload', async () => {
  server = await TestServer.create(`
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: ["rules/*.yml"]
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]
`);
  mkdirSync(path.join(server.folder, 'rules'));
  const file = path.join(server.folder, 'rules', 'one.yml');
  await server.startReady('--web.enable-lifecycle');
  const reload = () => server!.get('/-/reload', { method: 'POST' });
  const groups = async () => {
    const data = await server!.json<{ groups: { name: string; rules: { health: string }[] }[] }>(
      '/api/v1/rules',
    );
    return data.groups.map(({ name, rules }) => `${name} ${rules[0]!.health}`);
  };
  expect(await groups()).toEqual([]);
  writeFileSync(file, 'groups: [{name: g, rules: [{record: up:count, expr: count(up)}]}]');
  expect((await reload()).status).toBe(200);
  await until('it is evaluated', async () => (await groups())[0] === 'g ok');
  await until('it is stored', async () => (await server!.query('up:count == 1')).size === 1);
  rmSync(file);
  expect((await reload()).status).toBe(200);
  expect(await groups()).toEqual([]);
  await until('its series has ended', async () => (await server!.query('up:count')).size === 0);
});

test('with --rules.quarantine a bad group is left out, loudly, and the others run', async () => {
  server = await TestServer.create(`
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: [mixed.yml]
`);
  const file = path.join(server.folder, 'mixed.yml');
  const good = '{name: good, rules: [{record: one, expr: vector(1)}]}';
  writeFileSync(file, `groups: [${good}, {name: bad, rules: [{alert: X, expr: "up +"}]}]`);
  await server.startReady('--rules.quarantine', '--web.enable-lifecycle');
  await until('the good one runs', async () => (await server!.query('one == 1')).size === 1);
  expect(await server.ownMetric('narthex_rule_groups_quarantined')).toBe(1);
  expect(server.log).toMatch(/level=ERROR msg="Rule group quarantined.*group=bad.*mixed.yml:1:9\d/);
  const board = await server.json<{ text: string }[]>('/api/v1/notifications');
  expect(board.map(({ text }) => text)).toEqual([
    expect.stringMatching(/^Rule group "bad" of .*mixed.yml quarantined/),
  ]);
  const { quarantined } = await server.json<{ quarantined: object[] }>('/api/v1/rules/check');
  expect(quarantined).toEqual([{ file, group: 'bad', error: expect.stringContaining('expr') }]);
  writeFileSync(file, `groups: [${good}]`);
  expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
  expect(await server.ownMetric('narthex_rule_groups_quarantined')).toBe(0);
  expect(await server.json('/api/v1/notifications')).toEqual([]);
});
