import { spawnSync } from 'node:child_process';
import { createServer as createSocketServer } from 'node:net';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort, TestServer, until } from './support/server.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');
const SELF = `
global: {scrape_interval: 200ms}
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]
`;
/** Some ten seconds of work, in small pieces, for ten thousand steps. */
const HEAVY = encodeURIComponent('quantile_over_time(0.5, vector(1)[10s:1ms])');

const toClean: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const clean of toClean.splice(0)) await clean();
});

async function serverWith(config: string): Promise<TestServer> {
  const server = await TestServer.create(config);
  toClean.push(() => server.remove());
  return server;
}

describe('the command line', () => {
  test.each([
    { args: ['--foo'], code: 1, says: "unknown long flag '--foo'" },
    { args: ['--query.timeout=abc'], code: 2, says: 'not a valid duration string: "abc"' },
    { args: ['--config.file=/nowhere.yml'], code: 2, says: 'open /nowhere.yml: no such file' },
    { args: ['--web.listen-address=foo'], code: 2, says: 'address foo: missing port in address' },
    { args: ['--web.external-url=:::'], code: 2, says: 'missing protocol scheme' },
    { args: ['--web.cors.origin=('], code: 2, says: 'could not compile CORS regex string' },
  ])('$args ends with code $code', ({ args, code, says }) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    expect(stderr).toContain(says);
    expect(status).toBe(code);
  });

  test('tells its version and its flags', () => {
    const ask = (flag: string) => spawnSync(process.execPath, [MAIN, flag], { encoding: 'utf8' });
    expect(ask('--version').stdout).toMatch(
      /^narthex, version \d+\.\d+\.\d+ \(branch: .*, revision: .*\)\n/,
    );
    expect(ask('--help').stdout).toContain('--config.file=prometheus.yml');
    expect(ask('-h').status).toBe(0);
  });
});

describe('a server', () => {
  test('scrapes, stores, answers, and stops with code 0', async () => {
    const server = await serverWith(SELF);
    await server.startReady();
    await until('its own series are there', async () => (await server.query('up')).size === 1);
    expect([...(await server.query('up')).values()]).toEqual([1]);
    const labels = await server.json<string[]>('/api/v1/labels');
    expect(labels).toContain('job');
    let text = '';
    // An interval lies between two scrapes, so this is the last one to be there.
    await until('an interval was measured', async () => {
      ({ text } = await server.get('/metrics'));
      return text.includes('\nprometheus_target_interval_length_seconds');
    });
    for (const name of [
      'prometheus_build_info',
      'prometheus_tsdb_head_series',
      'prometheus_engine_query_duration_seconds',
      'process_resident_memory_bytes',
    ]) {
      expect(text).toContain(`\n${name}`);
    }
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(server.log).toContain('See you next time!');

    await server.startReady();
    expect([...(await server.query('last_over_time(up[5m])')).values()]).toEqual([1]);
    expect(await server.kill('SIGINT')).toEqual({ code: 0, signal: null });
  });

  test('names the port and the flag when the port is taken', async () => {
    const server = await serverWith(SELF);
    const holder = createSocketServer();
    await new Promise<void>((resolve) => holder.listen(server.port, '127.0.0.1', resolve));
    toClean.push(() => new Promise((resolve) => holder.close(resolve)));
    server.start();
    expect((await server.ended).code).toBe(1);
    expect(server.log).toContain(
      `listen tcp 127.0.0.1:${server.port}: bind: address already in use`,
    );
    expect(server.log).toContain('--web.listen-address');
  });

  test('refuses a data folder that another one has open', async () => {
    const first = await serverWith(SELF);
    await first.startReady();
    const second = await serverWith(SELF);
    second.dataFolder = first.dataFolder;
    second.start();
    expect((await second.ended).code).toBe(1);
    expect(second.log).toContain('opening storage failed');
    expect(second.log).toContain(path.join(first.dataFolder, 'lock'));
    expect((await first.get('/-/ready')).status).toBe(200);
  });

  test('listens on several addresses', async () => {
    const server = await serverWith(SELF);
    const port = await freePort();
    await server.startReady(`--web.listen-address=127.0.0.1:${port}`);
    const { status } = await fetch(`http://127.0.0.1:${port}/-/healthy`);
    expect(status).toBe(200);
    expect((await server.get('/-/healthy')).status).toBe(200);
  });

  test('stops on request, when that is allowed', async () => {
    const server = await serverWith(SELF);
    await server.startReady('--web.enable-lifecycle');
    expect((await server.get('/-/quit', { method: 'POST' })).status).toBe(200);
    expect((await server.ended).code).toBe(0);
  });

  test('stops at once although a heavy query is under way', async () => {
    const server = await serverWith(SELF);
    await server.startReady();
    const query = server.get(`/api/v1/query_range?query=${HEAVY}&start=0&end=10000&step=1`);
    const outcome = query.then(
      ({ status }) => status,
      () => 'cut off',
    );
    await until(
      'it is under way',
      async () => (await server.ownMetric('prometheus_engine_queries')) === 1,
    );
    const askedMs = performance.now();
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - askedMs).toBeLessThan(3000);
    expect(await outcome).not.toBe(200);
  });

  test('remembers which queries were asked', async () => {
    const server = await serverWith(SELF);
    await server.startReady();
    for (let count = 0; count < 3; count++) await server.query('vector(1)');
    const { queries } = await server.json<{ queries: { query: string; count: number }[] }>(
      '/api/v1/status/top_queries',
    );
    expect(queries.find(({ query }) => query === 'vector(1)')).toMatchObject({ count: 3 });
  });

  test('frees its worker when a client goes away', async () => {
    const server = await serverWith(SELF);
    await server.startReady();
    const controller = new AbortController();
    const query = server.get(`/api/v1/query_range?query=${HEAVY}&start=0&end=10000&step=1`, {
      signal: controller.signal,
    });
    const outcome = query.then(
      () => 'answered',
      () => 'gone',
    );
    await until(
      'it is under way',
      async () => (await server.ownMetric('prometheus_engine_queries')) === 1,
    );
    controller.abort();
    expect(await outcome).toBe('gone');
    await until(
      'no query under way',
      async () => (await server.ownMetric('prometheus_engine_queries')) === 0,
      2000,
    );
  });
});

describe('reloading', () => {
  const job = (name: string) =>
    `scrape_configs: [{job_name: ${name}, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]\n`;
  const pools = (server: TestServer) =>
    server.json<{ scrapePools: string[] }>('/api/v1/scrape_pools').then((d) => d.scrapePools);

  test('by HTTP takes another configuration', async () => {
    const server = await serverWith(job('one'));
    await server.startReady('--web.enable-lifecycle');
    expect(await pools(server)).toEqual(['one']);
    server.writeConfig(job('two'));
    expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
    expect(await pools(server)).toEqual(['two']);
    const { yaml } = await server.json<{ yaml: string }>('/api/v1/status/config');
    expect(yaml).toContain('- job_name: two\n');
  });

  test('keeps the old configuration when the new one is wrong, and says where it is', async () => {
    const server = await serverWith(job('one'));
    await server.startReady('--web.enable-lifecycle');
    server.writeConfig(`${job('two')}globl: {}\n`);
    const { status, text } = await server.get('/-/reload', { method: 'POST' });
    expect(status).toBe(500);
    expect(text).toContain(`${server.configFile}:2:1: globl: unknown key; did you mean global?`);
    expect(await pools(server)).toEqual(['one']);
    expect(await server.ownMetric('prometheus_config_last_reload_successful')).toBe(0);
    const notifications = await server.json<{ text: string }[]>('/api/v1/notifications');
    expect(notifications.map((n) => n.text)).toContain('Configuration reload has failed.');

    server.writeConfig(job('three'));
    expect((await server.get('/-/reload', { method: 'POST' })).status).toBe(200);
    expect(await server.ownMetric('prometheus_config_last_reload_successful')).toBe(1);
    expect(await server.json('/api/v1/notifications')).toEqual([]);
  });

  test('by SIGHUP and by itself', async () => {
    const server = await serverWith(job('one'));
    await server.startReady('--config.auto-reload', '--config.auto-reload-interval=1s');
    server.writeConfig(job('two'));
    void server.kill('SIGHUP');
    await until('the signal is heard', async () => (await pools(server))[0] === 'two');
    server.writeConfig('scrape_configs: [{job_nam: wrong}]\n');
    await until('what is wrong is told', () => server.log.includes('did you mean job_name?'));
    void server.kill('SIGHUP');
    const success = 'prometheus_config_last_reload_successful';
    await until('the signal is heard', async () => (await server.ownMetric(success)) === 0);
    expect(await pools(server)).toEqual(['two']);
    server.writeConfig(job('three'));
    await until('the change is seen', async () => (await pools(server))[0] === 'three');
  });
});
