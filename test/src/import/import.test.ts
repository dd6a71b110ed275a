import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { PROMTOOLS } from '../../support/installed.ts';
import { TestServer, until } from '../support/server.ts';

type Status = {
  readonly id: string;
  readonly state: string;
  readonly error: string | null;
  readonly samples: number;
  readonly writtenSamples: number;
  readonly series: number;
  readonly badLines: number;
  readonly badLineErrors: readonly { readonly line: number; readonly error: string }[];
  readonly tooOldSamples: number;
  readonly tooNewSamples: number;
  readonly conflictingSamples: number;
  readonly blocks: readonly string[];
};

const HOUR = 3600;
const toClean: TestServer[] = [];
afterEach(async () => {
  for (const server of toClean.splice(0)) await server.remove();
});

async function started(...flags: string[]): Promise<TestServer> {
  const server = await TestServer.create('scrape_configs: []\n');
  toClean.push(server);
  await server.startReady('--web.enable-admin-api', '--storage.tsdb.retention.time=10y', ...flags);
  return server;
}

async function post(
  server: TestServer,
  query: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const options = { method: 'POST', body, headers: { 'content-type': 'text/csv', ...headers } };
  const { status, text } = await server.get(`/api/v1/import?${query}`, options);
  return { code: status, ...(JSON.parse(text) as { data?: Status; error?: string }) };
}

async function finished(server: TestServer, id: string): Promise<Status> {
  let status: Status | undefined;
  await until('the import is finished', async () => {
    status = await server.json<Status>(`/api/v1/import/${id}`);
    return ['done', 'failed', 'canceled'].includes(status.state);
  });
  return status!;
}

/** Samples of the last `hours`, one a minute, in a wild order. */
function csvOf(hours: number, nowSeconds: number): string {
  const rows = Array.from({ length: hours * 60 }, (_, i) => {
    const minute = (i * 7919) % (hours * 60);
    return `${nowSeconds - minute * 60},imported,${minute},${minute % 3}`;
  });
  return ['timestamp,metric,value,part', ...rows].join('\n');
}

describe('an import', () => {
  test('of old and new samples can be queried as a whole, and survives bad lines', async () => {
    const server = await started();
    const now = Math.floor(Date.now() / 1000);
    const bad = `${now},imported\nx,imported,1,1\n${now + HOUR},imported,1,1\n${now},imported,5,0`;
    const body = `${csvOf(48, now)}\n${bad}\n${now - 4000 * 24 * HOUR},imported,1,1\n`;
    const { code, data } = await post(server, '', gzipSync(body), { 'content-encoding': 'gzip' });
    expect(code).toBe(202);
    const done = await finished(server, data!.id);
    expect(done).toMatchObject({
      state: 'done',
      error: null,
      samples: 48 * 60 + 1,
      writtenSamples: 48 * 60 + 1,
      series: 3,
      badLines: 2,
      tooOldSamples: 1,
      tooNewSamples: 1,
      conflictingSamples: 1,
    });
    expect(done.badLineErrors.map(({ line }) => line)).toEqual([2882, 2883]);
    const counted = await server.query('sum(count_over_time(imported[3d]))');
    expect([...counted.values()]).toEqual([48 * 60]);
    const max = await server.query(`max(max_over_time(imported[3d]))`);
    expect([...max.values()]).toEqual([48 * 60 - 1]);
    for (const promtool of PROMTOOLS) {
      const listed = execFileSync(promtool, ['tsdb', 'list', server.dataFolder], {
        encoding: 'utf8',
      });
      for (const ulid of done.blocks) expect(listed).toContain(ulid);
    }
    const { text: figures } = await server.get('/metrics');
    expect(figures).toContain('narthex_import_samples_total 2881');

    // What comes later is not hidden by blocks that reach as far as now, not even after a restart.
    await server.kill('SIGKILL');
    await server.startReady('--web.enable-admin-api', '--storage.tsdb.retention.time=10y');
    expect([...(await server.query('sum(count_over_time(imported[3d]))')).values()]).toEqual([
      2880,
    ]);
    expect(existsSync(path.join(server.dataFolder, 'import', data!.id))).toBe(false);
  });

  test('can be tried first', async () => {
    const server = await started();
    const now = Math.floor(Date.now() / 1000);
    const lines = `# TYPE a gauge\na 1 ${now}\na 2\nb{x="y"} 3 ${now - HOUR}\n# EOF\n`;
    const { data } = await post(server, 'dry_run=true&format=openmetrics', lines);
    expect(await finished(server, data!.id)).toMatchObject({
      state: 'done',
      samples: 2,
      writtenSamples: 0,
      series: 2,
      badLineErrors: [{ line: 3, error: 'the sample has no timestamp' }],
      blocks: [],
    });
    expect((await server.query('a')).size).toBe(0);
  });

  test('can be canceled', async () => {
    const server = await started();
    const { data } = await post(server, '', csvOf(24 * 300, Math.floor(Date.now() / 1000)));
    const canceled = await server.get(`/api/v1/import/${data!.id}`, { method: 'DELETE' });
    expect(JSON.parse(canceled.text)).toMatchObject({ data: { state: 'canceled' } });
    const list = await server.json<Status[]>('/api/v1/import');
    expect(list.map(({ id, state }) => [id, state])).toEqual([[data!.id, 'canceled']]);
    await until('nothing is left', () => {
      const directory = path.join(server.dataFolder, 'import');
      return readdirSync(directory).length === 0;
    });
    expect((await server.query('count_over_time(imported[1y])')).size).toBe(0);
  });

  test('whose blocks were finished is finished after a crash, another one is not', async () => {
    const server = await started();
    const now = Math.floor(Date.now() / 1000);
    const { data } = await post(server, '', csvOf(1, now - 5 * HOUR));
    const { blocks } = await finished(server, data!.id);
    await server.kill('SIGKILL');
    const inside = (...names: string[]) => path.join(server.dataFolder, ...names);
    mkdirSync(inside('import', 'a', 'ready'), { recursive: true });
    mkdirSync(inside('import', 'b', 'blocks'), { recursive: true });
    for (const ulid of blocks) renameSync(inside(ulid), inside('import', 'a', 'ready', ulid));
    writeFileSync(inside('import', 'b', 'body'), 'x');
    await server.startReady('--storage.tsdb.retention.time=10y');
    expect([...(await server.query('sum(count_over_time(imported[1d]))')).values()]).toEqual([60]);
    expect(readdirSync(inside('import'))).toEqual([]);
  });

  test('that makes no sense is refused', async () => {
    const server = await started();
    for (const [query, type, error] of [
      ['', 'text/html', 'is no format of: openmetrics, text, jsonl, csv'],
      ['format=xml', 'text/csv', '"xml" is no format of'],
      ['dry_run=x', 'text/csv', 'unable to parse boolean'],
    ] as const) {
      const answer = await post(server, query, 'x', { 'content-type': type });
      expect(answer.code).toBe(400);
      expect(answer.error).toContain(error);
    }
  });

  test('with a body that cannot be read fails, and says why', async () => {
    const server = await started();
    const header = await post(server, '', 'a,b\n1,2\n');
    expect(await finished(server, header.data!.id)).toMatchObject({
      state: 'failed',
      error: 'the header has no column timestamp',
    });
    const broken = await post(server, '', 'no gzip', { 'content-encoding': 'gzip' });
    const { state, error } = await finished(server, broken.data!.id);
    expect(state).toBe('failed');
    expect(error).toContain('the body cannot be decompressed');
    expect((await server.get('/api/v1/import/nope')).status).toBe(404);
  });

  test('needs the admin API', async () => {
    const server = await TestServer.create('scrape_configs: []\n');
    toClean.push(server);
    await server.startReady();
    expect((await post(server, '', 'x')).error).toBe('admin APIs disabled');
  });
});
