/** The UI as `bin/narthex` serves it, with the sample app to look at. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AS_INSTALLED, freePort, TestServer, until } from '../src/support/server.ts';
import { ensureBuilt, launchBrowser, openPage, skipReason } from './support/browser.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

describe.skipIf(skipReason !== undefined)('a live server beside the sample app', () => {
  let browser: Browser;
  let server: TestServer;
  let app: ChildProcess;
  let url: string;

  beforeAll(async () => {
    ensureBuilt();
    const appPort = await freePort();
    app = spawn(process.execPath, [path.join(ROOT, 'examples/app/main.ts'), `--port=${appPort}`], {
      stdio: 'ignore',
    });
    server = await TestServer.create(
      `
global: {scrape_interval: 500ms}
scrape_configs:
  - {job_name: narthex, static_configs: [{targets: ["localhost:PORT"]}]}
  - {job_name: app, static_configs: [{targets: ["localhost:${appPort}"]}]}
`,
      AS_INSTALLED,
    );
    url = `http://127.0.0.1:${server.port}`;
    await server.startReady();
    browser = await launchBrowser();
    await until(
      'the app was scraped several times',
      // Long enough ago for a graph, whose last step may lie a second back.
      async () => (await server.query('rate(app_requests_total[10s] offset 3s) > 0')).size > 0,
      30_000,
    );
  });
  afterAll(async () => {
    await browser?.close();
    app?.kill('SIGKILL');
    await server?.remove();
  });

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
  });

  test.each([
    ['the request rate of the app', 'sum(rate(app_requests_total[10s]))'],
    ['its own memory', 'process_resident_memory_bytes{job="narthex"}'],
  ])('draws %s', async (_title, expr) => {
    const address = `${url}/query?g0.expr=${encodeURIComponent(expr)}&g0.tab=graph&g0.range_input=5m`;
    const { page, troubles } = await openPage(browser, address);
    await page.getByRole('region', { name: 'Legend' }).waitFor();
    const isDrawn = () =>
      page
        .locator('[data-testid=chart] canvas')
        .first()
        .evaluate((element) => {
          const canvas = element as HTMLCanvasElement;
          const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
          return data.some((_, at) => at % 4 === 0 && Math.abs(data[at]! - data[at + 2]!) > 60);
        });
    await expect.poll(isDrawn, { timeout: 15_000 }).toBe(true);
    expect(troubles).toEqual([]);
  });

  test('lists what is up', async () => {
    const { page } = await openPage(browser, `${url}/query?g0.expr=up&g0.tab=table`);
    await page.locator('main table tbody tr').first().waitFor();
  });

  test('lists its targets', async () => {
    const { page } = await openPage(browser, `${url}/targets`);
    const links = page.getByRole('link', { name: /\/metrics/ });
    await expect.poll(() => links.count()).toBe(2);
    expect(await page.getByText('down', { exact: true }).count()).toBe(0);
  });

  test.each([
    '/query',
    '/alerts',
    '/rules',
    '/targets',
    '/service-discovery',
    '/status',
    '/tsdb-status',
    '/flags',
    '/config',
    '/alertmanager-discovery',
  ])('%s loads without errors and without barriers', async (route) => {
    const { page, troubles } = await openPage(browser, url + route);
    await page.locator('h1').first().waitFor({ state: 'attached' });
    // Everything that was asked for has been answered when no placeholder is left.
    await page.locator('main [role=status]').first().waitFor({ state: 'detached' });
    await page.waitForTimeout(500);
    expect(await page.getByText('That did not work').count()).toBe(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    expect(troubles).toEqual([]);
  });
});
