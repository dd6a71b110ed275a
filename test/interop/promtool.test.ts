/** The commands of promtool that ask a server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROMTOOLS } from '../support/installed.ts';
import { TestServer, until } from '../src/support/server.ts';

const run = promisify(execFile);

describe.skipIf(PROMTOOLS.length === 0)('promtool', () => {
  let server: TestServer;
  let url: string;
  beforeAll(async () => {
    server = await TestServer.create(`global: {scrape_interval: 1s}
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]
`);
    await server.startReady();
    url = `http://127.0.0.1:${server.port}`;
    await until('something is scraped', async () => (await server.query('up')).size > 0);
  });
  afterAll(() => server?.remove());

  const ask = async (tool: string, ...args: string[]) => (await run(tool, args)).stdout;

  test.each(PROMTOOLS)('%s', async (tool) => {
    expect(await ask(tool, 'query', 'instant', url, 'up')).toMatch(
      /^up\{instance="127\.0\.0\.1:\d+", job="self"\} => 1 @\[\d/,
    );
    expect(await ask(tool, 'query', 'instant', '-o', 'json', url, '1 + 1')).toContain('"2"');
    expect(await ask(tool, 'query', 'range', '--step=1s', url, 'up')).toContain('1 @[');
    expect(await ask(tool, 'query', 'series', '--match=up', url)).toContain('__name__="up"');
    const labels = await ask(tool, 'query', 'labels', url, 'job');
    expect(labels.trim()).toBe('self');
    // Older ones do not have these.
    const asked = await run(tool, ['check', '--help']);
    const help = asked.stdout + asked.stderr;
    for (const what of ['healthy', 'ready'].filter((name) => help.includes(`check ${name}`))) {
      const { stderr } = await run(tool, ['check', what, `--url=${url}`]);
      expect(stderr).toContain('SUCCESS');
    }
    const failing = ask(tool, 'query', 'instant', url, 'up[');
    await expect(failing).rejects.toThrow('parse error');
  });
});
