/** Snapshots as archives: what a client unpacks is a data directory, and nothing of it stays here. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLogger, type LogRecord, Matcher, SimulatedClock } from '../../model/index.ts';
import { Snapshots } from '../../src/snapshots.ts';
import { openDb } from '../../tsdb/index.ts';
import { PROMTOOLS } from '../support/installed.ts';
import { promtool } from '../tsdb/support/tools.ts';
import { lz4Content, tarContent } from '../tsdb/support/unpack.ts';
import { TestServer, until } from './support/server.ts';

let scratch = '';
beforeEach(() => (scratch = mkdtempSync(path.join(tmpdir(), 'narthex-snapshots-'))));
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test('a running server gives its data away in one stream', async () => {
  const config = `scrape_configs:
- job_name: self
  scrape_interval: 1s
  static_configs: [ { targets: ["127.0.0.1:PORT"] } ]
`;
  const server = await TestServer.create(config);
  try {
    await server.startReady('--web.enable-admin-api');
    await until('something is stored', async () => (await server.query('up')).size > 0);
    const url = `http://127.0.0.1:${server.port}/api/v1/admin/tsdb/snapshot?archive=lz4`;
    const response = await fetch(url, { method: 'POST' });
    expect(response.status).toBe(200);
    const [, name] = /filename="(.+)\.tar\.lz4"/.exec(
      response.headers.get('content-disposition')!,
    )!;
    const entries = tarContent(lz4Content(Buffer.from(await response.arrayBuffer())));
    for (const [file, content] of entries) {
      const target = path.join(scratch, file);
      if (content === null) mkdirSync(target);
      else writeFileSync(target, content);
    }
    expect(readdirSync(path.join(server.dataFolder, 'snapshots'))).toEqual([]);

    const directory = path.join(scratch, name!);
    mkdirSync(path.join(directory, 'wal')); // promtool wants one
    for (const tool of PROMTOOLS) {
      expect(promtool(tool, 'tsdb', 'list', directory)).toMatch(/^01[0-9A-Z]{24} /m);
      expect(promtool(tool, 'tsdb', 'dump', '--match={__name__="up"}', directory)).toContain(
        'job="self"} 1 ',
      );
    }
    const db = openDb({ directory, clock: new SimulatedClock(Date.now()), retentionMs: 0 });
    const querier = db.querier(-Infinity, Infinity);
    const range = { minMs: -Infinity, maxMs: Infinity };
    const { labels } = querier.select([new Matcher('__name__', '=', 'up')], range);
    expect(labels.map((one) => one.get('job'))).toEqual(['self']);
    querier.close();
    await db.close();
  } finally {
    await server.remove();
  }
});

describe('what an archive is made of is removed', () => {
  const said: LogRecord[] = [];
  const make = (link?: (directory: string) => void) =>
    new Snapshots({
      dataDirectory: scratch,
      clock: new SimulatedClock(0),
      logger: createLogger((record) => said.push(record), { level: 'error', nowMs: () => 0 }),
      link: async ({ directory }) => {
        mkdirSync(directory, { recursive: true });
        writeFileSync(path.join(directory, 'index'), new Uint8Array(1_000_000));
        link?.(directory);
      },
    });
  const left = () => readdirSync(path.join(scratch, 'snapshots'));

  test('when it was read', async () => {
    const { chunks } = await make().archive({ skipHead: false }, new AbortController().signal);
    expect(left().length).toBe(1);
    let sizeBytes = 0;
    for await (const chunk of chunks) sizeBytes += chunk.length;
    expect(sizeBytes).toBeGreaterThan(1000);
    expect(left()).toEqual([]);
  });

  test('when its reader leaves in the middle', async () => {
    const { chunks } = await make().archive({ skipHead: false }, new AbortController().signal);
    for await (const _ of chunks) break;
    expect(left()).toEqual([]);
  });

  test('when its reader leaves before the first byte', async () => {
    const client = new AbortController();
    await make().archive({ skipHead: false }, client.signal);
    client.abort();
    await until('it is removed', () => left().length === 0);
  });

  test('when its reader leaves while it is made', async () => {
    const client = new AbortController();
    const snapshots = make(() => client.abort());
    await expect(snapshots.archive({ skipHead: false }, client.signal)).rejects.toThrow('abort');
    expect(left()).toEqual([]);
  });

  test('when it cannot be made', async () => {
    const snapshots = make(() => {
      throw new Error('no space left');
    });
    const { signal } = new AbortController();
    await expect(snapshots.archive({ skipHead: false }, signal)).rejects.toThrow('no space left');
    expect(left()).toEqual([]);
  });

  test('when the server died in the middle, with the next one; one that is read stays', async () => {
    const { signal } = new AbortController();
    mkdirSync(path.join(scratch, 'snapshots', 'old.tmp-for-archive'), { recursive: true });
    mkdirSync(path.join(scratch, 'snapshots', 'made-on-purpose'));
    const snapshots = make();
    const first = await snapshots.archive({ skipHead: false }, signal);
    expect(left().length).toBe(2);
    const second = await snapshots.archive({ skipHead: false }, signal);
    expect(left().length).toBe(3);
    for (const { chunks } of [first, second]) for await (const _ of chunks);
    expect(left()).toEqual(['made-on-purpose']);
  });

  test('when a file becomes shorter meanwhile, which is logged', async () => {
    const { chunks } = await make().archive({ skipHead: false }, new AbortController().signal);
    const read = async () => {
      let chunkCount = 0;
      for await (const _ of chunks) {
        // The first one is made before the file is opened.
        if (chunkCount++ === 0) continue;
        truncateSync(path.join(scratch, 'snapshots', left()[0]!, 'index'), 1000);
      }
    };
    await expect(read()).rejects.toThrow('file became shorter');
    expect(said.map(({ message }) => message)).toEqual(['A snapshot could not be streamed']);
    expect(left()).toEqual([]);
  });
});
