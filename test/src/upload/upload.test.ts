import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type FakeS3, startFakeS3 } from '../../support/fake-s3.ts';
import { PROMTOOLS } from '../../support/installed.ts';
import { TestServer, until } from '../support/server.ts';

const ACCOUNT = { accessKey: 'KEY', secretKey: 'SECRET', region: 'us-east-1' };
const CONFIG = 'global: {external_labels: {cluster: c1, replica: r1}}\n';
let server: TestServer | undefined;
let store: FakeS3 | undefined;
afterEach(async () => {
  await server?.remove();
  await store?.close();
});

/** A server with blocks of samples, stopped. */
async function withBlocks(config: string): Promise<{ server: TestServer; blocks: string[] }> {
  server = await TestServer.create(config);
  await server.startReady('--web.enable-admin-api');
  const now = Math.floor(Date.now() / 1000);
  const rows = Array.from({ length: 600 }, (_, i) => `m,${now - 60 * i},${i}`);
  await server.get('/api/v1/import', {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: ['metric,timestamp,value', ...rows].join('\n'),
  });
  let blocks: string[] = [];
  await until('there are blocks', async () => {
    const [status] = await server!.json<{ state: string; blocks: string[] }[]>('/api/v1/import');
    blocks = status!.blocks;
    return status!.state === 'done';
  });
  await server.kill('SIGTERM');
  return { server, blocks };
}

function bucketFile(at: TestServer, endpoint: string): string {
  const file = path.join(at.folder, 'bucket.yml');
  writeFileSync(
    file,
    `type: S3
config:
  bucket: thanos
  endpoint: ${endpoint}
  access_key: ${ACCOUNT.accessKey}
  secret_key: ${ACCOUNT.secretKey}
  insecure: true
`,
  );
  return `--storage.upload.objstore-config-file=${file}`;
}

describe('uploading', () => {
  test('puts every block into the bucket once, as Thanos wants it', async () => {
    const { server: running, blocks } = await withBlocks(CONFIG);
    store = await startFakeS3(ACCOUNT);
    const { objects, endpoint } = store;
    const flag = bucketFile(running, endpoint);
    await running.startReady(flag);
    await until('all are uploaded', () =>
      blocks.every((ulid) => objects.has(`thanos/${ulid}/meta.json`)),
    );
    await until('it is noted', async () => {
      return (await running.ownMetric('thanos_shipper_uploads_total')) === blocks.length;
    });
    const shipper = readFileSync(path.join(running.dataFolder, 'thanos.shipper.json'), 'utf8');
    expect(JSON.parse(shipper)).toEqual({ version: 1, uploaded: [...blocks].sort() });

    // Downloaded, it is a block like any other.
    const downloaded = path.join(running.folder, 'downloaded');
    for (const [key, content] of objects) {
      const file = path.join(downloaded, key.replace('thanos/', ''));
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
    for (const ulid of blocks) {
      const local = path.join(running.dataFolder, ulid);
      const meta = JSON.parse(readFileSync(path.join(downloaded, ulid, 'meta.json'), 'utf8'));
      const { thanos, ...rest } = meta as { thanos: unknown };
      expect(rest).toEqual(JSON.parse(readFileSync(path.join(local, 'meta.json'), 'utf8')));
      expect(thanos).toMatchObject({
        version: 1,
        labels: { cluster: 'c1', replica: 'r1' },
        downsample: { resolution: 0 },
        source: 'sidecar',
        segment_files: ['000001'],
        files: [{ rel_path: 'chunks/000001' }, { rel_path: 'index' }, { rel_path: 'meta.json' }],
      });
      for (const name of ['index', 'chunks/000001']) {
        const original = readFileSync(path.join(local, name));
        expect(original.equals(objects.get(`thanos/${ulid}/${name}`)!)).toBe(true);
      }
    }
    // Older ones look for a log, too.
    mkdirSync(path.join(downloaded, 'wal'));
    for (const promtool of PROMTOOLS) {
      const dumped = execFileSync(promtool, ['tsdb', 'dump', downloaded], { encoding: 'utf8' });
      expect(dumped.trim().split('\n')).toHaveLength(600);
    }
    expect(readdirSync(path.join(running.dataFolder, 'thanos', 'upload'))).toEqual([]);

    // Nothing is uploaded again, neither by what is noted here nor, without that, by what is there.
    await running.kill('SIGTERM');
    store.requests.length = 0;
    writeFileSync(path.join(running.dataFolder, 'thanos.shipper.json'), 'damaged');
    await running.startReady(flag);
    await until('it is found', () => running.log.includes('Block was uploaded before'));
    await until('it is noted again', () => {
      const text = readFileSync(path.join(running.dataFolder, 'thanos.shipper.json'), 'utf8');
      return blocks.every((ulid) => text.includes(ulid));
    });
    expect(store.requests.filter((request) => !request.startsWith('GET'))).toEqual([]);
  });

  test('needs external labels', async () => {
    const { server: running } = await withBlocks('scrape_configs: []\n');
    store = await startFakeS3(ACCOUNT);
    await running.startReady(bucketFile(running, store.endpoint));
    await until('it complains', () => running.log.includes('without external_labels'));
    expect(store.requests).toEqual([]);
  });

  test('with a bad file does not start', async () => {
    server = await TestServer.create('scrape_configs: []\n');
    const file = path.join(server.folder, 'bucket.yml');
    writeFileSync(file, 'type: AZURE\n');
    server.start(`--storage.upload.objstore-config-file=${file}`);
    expect((await server.ended).code).toBe(2);
    expect(server.log).toContain('only S3 is supported');
  });
});
