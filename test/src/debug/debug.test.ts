import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuSamples, encodeProfile } from '../../../src/debug/pprof.ts';
import { TestServer } from '../support/server.ts';

test('time spent counts for the function at the leaf, idle time for none', () => {
  const frame = (functionName: string) => ({ functionName, url: 'file:///a.ts', lineNumber: 4 });
  const samples = cpuSamples(
    {
      nodes: [
        { id: 1, callFrame: frame('(root)'), children: [2, 3] },
        { id: 2, callFrame: frame('work'), children: [4] },
        { id: 3, callFrame: frame('(idle)') },
        { id: 4, callFrame: frame('') },
      ],
      startTime: 0,
      endTime: 100,
      samples: [4, 3, 4, 2],
      timeDeltas: [0, 10, 20, 30],
    },
    'main',
  );
  const thread = { name: 'thread main', file: '', line: 0 };
  const work = { name: 'work', file: 'file:///a.ts', line: 5 };
  expect(samples).toEqual([
    { stack: [{ ...work, name: '(anonymous)' }, work, thread], values: [2, 40_000] },
    { stack: [work, thread], values: [1, 0] },
  ]);
});

test('a profile is gzip of the documented message', () => {
  const stack = [{ name: 'f', file: 'a', line: 300 }];
  const profile = encodeProfile({
    types: [['n', 'count']],
    samples: [{ stack, values: [7] }],
    timeMs: 1_700_000_000_000,
    durationMs: 1000,
  });
  // Field by field: type, function, location, sample, period type, texts, times.
  expect(gunzipSync(profile).toString('hex')).toBe(
    [
      '0a0408011002',
      '2a06080110032004',
      '220908012205080110ac02',
      '120408011007',
      '5a0408011002',
      '3200',
      '32016e',
      '3205636f756e74',
      '320166',
      '320161',
      '488080a8b1e39fe7cb17',
      '508094ebdc03',
    ].join(''),
  );
});

describe('/debug/pprof', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.create('scrape_configs: []\n');
    await server.startReady('--web.enable-admin-api');
  });
  afterAll(() => server?.remove());

  test('tells of both threads that always run', async () => {
    const url = `http://127.0.0.1:${server.port}/debug/pprof/profile?seconds=1`;
    const response = await fetch(url);
    const message = gunzipSync(Buffer.from(await response.arrayBuffer())).toString('latin1');
    expect(message).toContain('nanoseconds');
    expect(message).toContain('thread main');
  });

  test.each([
    ['', 200, 'heapsnapshot'],
    ['trace?seconds=0.1', 200, '"timeDeltas"'],
    ['heapsnapshot', 200, '"snapshot"'],
    ['cmdline', 200, 'main'],
    ['nope', 404, 'Unknown profile'],
    ['profile?seconds=x', 400, 'seconds must be'],
  ])('%s', async (name, code, text) => {
    const answer = await server.get(`/debug/pprof/${name}`);
    expect(answer.status).toBe(code);
    expect(answer.text).toContain(text);
  });

  // As promtool asks for them; with its 30 seconds each it would take a minute.
  test.each(['block', 'goroutine', 'heap', 'mutex', 'threadcreate', 'allocs', 'fgprof'])(
    '%s is a profile',
    async (name) => {
      const url = `http://127.0.0.1:${server.port}/debug/pprof/${name}?seconds=0.2`;
      const bytes = gunzipSync(Buffer.from(await (await fetch(url)).arrayBuffer()));
      // It begins with what is counted.
      expect(bytes[0]).toBe(0x0a);
    },
  );
});
