/** The UI as a real server serves it: NARTHEX_UI_URL names one that scrapes at least itself. */
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, openPage, skipReason } from './support/browser.ts';

const url = process.env.NARTHEX_UI_URL?.replace(/\/$/, '');
const reason = url === undefined ? 'NARTHEX_UI_URL names no server' : skipReason;
if (reason !== undefined) console.log(`the UI of a live server is not tested: ${reason}`);

describe.skipIf(reason !== undefined)('a live server', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
  });

  test('draws its own metrics', async () => {
    const address = `${url}/query?g0.expr=process_resident_memory_bytes&g0.tab=graph&g0.range_input=5m`;
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
    await page
      .getByRole('link', { name: /\/metrics/ })
      .first()
      .waitFor();
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
  ])('%s loads without errors and without barriers', async (path) => {
    const { page, troubles } = await openPage(browser, url + path);
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
