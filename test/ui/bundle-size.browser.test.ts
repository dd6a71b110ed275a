import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureBuilt, launchBrowser, openPage, skipReason } from './support/browser.ts';
import { fakeApi, newFakeState } from './support/fake-api.ts';
import { startUiServer, UI_DIST, type UiServer } from './support/ui-server.ts';

/** Everything the browser fetches until the page stands, compressed. */
const FIRST_LOAD_BYTES_MAX = 300_000;
const PAGE_CHUNK_BYTES_MAX = 20_000;

describe.skipIf(skipReason !== undefined)('what is sent', () => {
  let browser: Browser;
  let server: UiServer;
  beforeAll(async () => {
    ensureBuilt();
    browser = await launchBrowser();
    server = await startUiServer(fakeApi(newFakeState()));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const load = async (address: string, sign: string) => {
    server.sent.length = 0;
    const { page } = await openPage(browser, server.url + address);
    await page.getByText(sign).first().waitFor();
    await page.waitForTimeout(800);
    await page.context().close();
    return server.sent.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  };

  test.each([
    ['the fresh query page', '/query', 'What would you like to know?'],
    ['the query page with a graph', '/query?g0.expr=wave&g0.tab=graph', 'wave'],
  ])('%s loads with at most 300 kB', async (_name, address, sign) => {
    const sizeBytes = await load(address, sign);
    console.log(`${address}: ${sizeBytes} bytes in ${server.sent.length} files`);
    expect(sizeBytes).toBeGreaterThan(100_000);
    expect(sizeBytes).toBeLessThanOrEqual(FIRST_LOAD_BYTES_MAX);
  });

  test('a page without an editor does not load the editor', async () => {
    const sizeBytes = await load('/targets', 'connection refused');
    console.log(`/targets: ${sizeBytes} bytes in ${server.sent.length} files`);
    expect(server.sent.some(({ name }) => name.startsWith('query-page'))).toBe(false);
    expect(sizeBytes).toBeLessThan(200_000);
  });
});

describe('what was built', () => {
  beforeAll(ensureBuilt);
  const names = () => readdirSync(path.join(UI_DIST, 'assets'));
  const sizeOf = (name: string) => statSync(path.join(UI_DIST, 'assets', name)).size;

  test('carries a brotli and a gzip copy beside every file worth it', () => {
    const plain = names().filter((name) => /\.(?:js|css)$/.test(name));
    expect(plain.length).toBeGreaterThan(10);
    for (const name of plain.filter((one) => sizeOf(one) >= 512)) {
      expect(names()).toContain(`${name}.br`);
      expect(names()).toContain(`${name}.gz`);
      expect(sizeOf(`${name}.br`)).toBeLessThan(sizeOf(name));
    }
  });

  test('names every file by its content, so that it can be kept for ever', () => {
    for (const name of names()) expect(name).toMatch(/-[\w-]{8}\.(?:js|css)(?:\.br|\.gz)?$/);
  });

  test('keeps pages other than the query page small', () => {
    const pages = names().filter((name) => /-page-[\w-]{8}\.js\.br$/.test(name));
    for (const name of pages.filter((one) => !one.startsWith('query-page'))) {
      expect(sizeOf(name), name).toBeLessThan(PAGE_CHUNK_BYTES_MAX);
    }
  });
});
