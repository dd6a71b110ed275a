import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  ensureBuilt,
  launchBrowser,
  openPage,
  skipReason,
  type Watched,
} from './support/browser.ts';
import { fakeApi, type FakeState, newFakeState } from './support/fake-api.ts';
import { startUiServer, type UiServer } from './support/ui-server.ts';

/** Machines with two busy cores are common. */
const eventually = <T>(look: () => T | Promise<T>) => expect.poll(look, { timeout: 15_000 });

describe.skipIf(skipReason !== undefined)('the query page', () => {
  let browser: Browser;
  let server: UiServer;
  let state: FakeState;
  let opened: Watched | undefined;

  beforeAll(async () => {
    ensureBuilt();
    state = newFakeState();
    browser = await launchBrowser();
    server = await startUiServer((request, response) => fakeApi(state)(request, response));
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });
  afterEach(async () => {
    await opened?.page.context().close();
    opened = undefined;
    state = newFakeState();
  });

  const open = async (address: string, options = {}) => {
    opened = await openPage(browser, server.url + address, options);
    return opened;
  };

  /** How many pixels of the plot are not transparent and not grey: lines, that is. */
  const colouredPixels = (watched: Watched) =>
    watched.page
      .locator('[data-testid=chart] canvas')
      .first()
      .evaluate((element) => {
        const canvas = element as HTMLCanvasElement;
        const pixels = canvas
          .getContext('2d')!
          .getImageData(0, 0, canvas.width, canvas.height).data;
        let count = 0;
        for (let at = 0; at < pixels.length; at += 4) {
          const [red, green, blue, alpha] = pixels.subarray(at, at + 4);
          const spread = Math.max(red!, green!, blue!) - Math.min(red!, green!, blue!);
          if (alpha! > 128 && spread > 60) count++;
        }
        return count;
      });

  test('offers examples made of metrics that exist, and runs one by a click', async () => {
    const { page, troubles } = await open('/');
    await page.getByRole('button', { name: /95th percentile latency/ }).click();
    await page.getByTestId('chart').waitFor();
    const url = new URL(page.url());
    expect(url.pathname).toBe('/query');
    expect(url.searchParams.get('g0.expr')).toBe(
      'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))',
    );
    expect(url.searchParams.get('g0.tab')).toBe('graph');
    expect(troubles).toEqual([]);
  });

  test('says so when nothing has been collected yet', async () => {
    state.metricNames = [];
    const { page } = await open('/query');
    await page.getByText('Nothing has been collected yet').waitFor();
  });

  test('runs what is typed when Enter is pressed, and draws it', async () => {
    const watched = await open('/query');
    const { page, troubles } = watched;
    await page.locator('.cm-content').click();
    await page.keyboard.type('wave');
    await page.keyboard.press('Escape');
    await page.locator('.cm-content').click();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Legend' }).getByText('series').first().waitFor();
    await page.getByTestId('chart').locator('canvas').first().waitFor();
    await eventually(() => colouredPixels(watched)).toBeGreaterThan(1000);
    expect(await page.getByRole('region', { name: 'Legend' }).locator('tbody tr').count()).toBe(3);
    expect(troubles).toEqual([]);
  });

  test('leaves a gap where there are no samples', async () => {
    const watched = await open('/query?g0.expr=wave&g0.tab=graph');
    await eventually(() => colouredPixels(watched)).toBeGreaterThan(1000);
    const whole = await colouredPixels(watched);
    await watched.page.goto(`${server.url}/query?g0.expr=gap&g0.tab=graph`);
    await eventually(() => colouredPixels(watched)).toBeGreaterThan(500);
    const withGap = await colouredPixels(watched);
    expect(withGap).toBeLessThan(whole * 0.8);
    expect(withGap).toBeGreaterThan(whole * 0.5);
  });

  test('zooms by dragging, and goes back with the browser', async () => {
    const watched = await open('/query?g0.expr=wave&g0.tab=graph&g0.range_input=1h');
    const { page } = watched;
    await eventually(() => colouredPixels(watched)).toBeGreaterThan(1000);
    const plot = (await page.locator('.u-over').boundingBox())!;
    const y = plot.y + plot.height / 2;
    await page.mouse.move(plot.x + plot.width / 2, y);
    await page.mouse.down();
    await page.mouse.move(plot.x + (plot.width * 3) / 4, y, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/end_input/);
    const zoomed = new URL(page.url()).searchParams.get('g0.range_input')!;
    expect(zoomed).toMatch(/^1[45]m/);
    await page.goBack();
    await eventually(() => new URL(page.url()).searchParams.get('g0.range_input')).toBe('1h');
  });

  test('shows values under the pointer and hides series from the legend', async () => {
    const watched = await open('/query?g0.expr=wave&g0.tab=graph');
    const { page } = watched;
    await eventually(() => colouredPixels(watched)).toBeGreaterThan(1000);
    const all = await colouredPixels(watched);
    const plot = (await page.locator('.u-over').boundingBox())!;
    await page.mouse.move(plot.x + 300, plot.y + 100);
    await page.getByTestId('chart-tip').waitFor();
    const rows = page.getByRole('region', { name: 'Legend' }).locator('tbody button');
    await rows.nth(1).click();
    expect(await rows.nth(0).getAttribute('aria-pressed')).toBe('false');
    expect(await rows.nth(1).getAttribute('aria-pressed')).toBe('true');
    await eventually(() => colouredPixels(watched)).toBeLessThan(all * 0.6);
  });

  test('stays responsive with thousands of series', async () => {
    state.manyCount = 5000;
    const watched = await open('/query?g0.expr=many&g0.tab=graph');
    const { page } = watched;
    await page.evaluate(() => {
      const long: number[] = [];
      Object.assign(window, { longTasks: long });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) long.push(entry.duration);
      }).observe({ type: 'longtask', buffered: true });
    });
    await page.getByText('5,000 series').first().waitFor();
    await page.getByText(/shows the first 1,000 of/).waitFor();
    await eventually(() => colouredPixels(watched)).toBeGreaterThan(5000);
    const plot = (await page.locator('.u-over').boundingBox())!;
    const startedMs = performance.now();
    for (let x = 100; x < 600; x += 25) await page.mouse.move(plot.x + x, plot.y + 120);
    await page.getByTestId('chart-tip').waitFor();
    expect(performance.now() - startedMs).toBeLessThan(2000);
    const longest = await page.evaluate(() =>
      Math.max(0, ...(window as unknown as { longTasks: number[] }).longTasks),
    );
    expect(longest).toBeLessThan(1500);
  });

  test('lists an instant result, filters it and sorts it', async () => {
    const { page, troubles } = await open('/query?g0.expr=up&g0.tab=table');
    const rows = page.locator('main table tbody tr');
    await eventually(() => rows.count()).toBe(4);
    await page.getByRole('button', { name: 'Value' }).click();
    expect(await rows.first().textContent()).toContain('d:9100');
    await page.getByRole('searchbox', { name: 'Filter series' }).fill('b:9100');
    await eventually(() => rows.count()).toBe(1);
    expect(troubles).toEqual([]);
  });

  test('shows a native histogram with its buckets', async () => {
    const { page, troubles } = await open('/query?g0.expr=native&g0.tab=table');
    await page.getByText('count 9').waitFor();
    await page.getByRole('button', { name: 'Show 3 buckets' }).click();
    await page.getByRole('cell', { name: '(1, 1.414]', exact: true }).waitFor();
    await page.getByRole('cell', { name: '[-1m, 1m]', exact: true }).waitFor();
    expect(troubles).toEqual([]);
  });

  test('calls a query off', async () => {
    const { page } = await open('/query?g0.expr=forever&g0.tab=table');
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped before there was a result').waitFor();
    await page.getByRole('button', { name: 'Run' }).waitFor();
  });

  test('shows where an expression is wrong', async () => {
    const { page } = await open('/query?g0.expr=sum(&g0.tab=table');
    const alert = page.getByRole('alert');
    await alert.getByText('unclosed left parenthesis').waitFor();
    expect(await alert.locator('pre').textContent()).toBe('sum(\n    ▲');
  });

  test('shows hints of the server, which can be put away', async () => {
    const { page } = await open('/query?g0.expr=rate(up[5m])&g0.tab=table');
    const hint = page.getByText('metric might not be a counter');
    await hint.waitFor();
    await page.getByRole('button', { name: 'Hide' }).click();
    await hint.waitFor({ state: 'detached' });
  });

  test('reads addresses of Prometheus 2, and /graph', async () => {
    const { page } = await open(
      '/graph?g0.expr=up&g0.tab=1&g1.expr=wave&g1.tab=0&g1.range_input=30m&g1.stacked=1',
    );
    await page.waitForURL(/\/query\?/);
    await page.getByRole('region', { name: 'Query up' }).locator('table').waitFor();
    const second = page.getByRole('region', { name: 'Query wave' });
    await second.getByTestId('chart').waitFor();
    expect(await second.getByRole('textbox', { name: 'Range' }).inputValue()).toBe('30m');
    expect(await second.getByRole('radio', { name: 'Stacked' }).isChecked()).toBe(true);
  });

  test('adds, duplicates and removes panels', async () => {
    const { page } = await open('/query?g0.expr=up&g0.tab=table');
    const panels = page.locator('section[aria-label^="Query "], section[aria-label="New query"]');
    await page.getByRole('button', { name: 'Add panel' }).click();
    await eventually(() => panels.count()).toBe(2);
    await panels.first().getByRole('button', { name: 'Panel menu' }).click();
    await page.getByRole('menuitem', { name: 'Duplicate' }).click();
    await eventually(() => panels.count()).toBe(3);
    await panels.last().getByRole('button', { name: 'Panel menu' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await eventually(() => panels.count()).toBe(2);
    expect(new URL(page.url()).searchParams.get('g1.expr')).toBe('up');
  });

  test('remembers queries and offers them again', async () => {
    const { page } = await open('/query?g0.expr=up&g0.tab=table');
    await page.locator('main table').waitFor();
    await page.goto(`${server.url}/query`);
    await page.getByRole('button', { name: 'Past queries' }).click();
    await page
      .getByRole('dialog', { name: 'Past queries' })
      .getByRole('button', { name: 'up', exact: true })
      .click();
    await page.locator('main table').waitFor();
  });

  test('finds a metric in the explorer and runs a query that suits its type', async () => {
    const { page, troubles } = await open('/query');
    await page.getByRole('button', { name: 'Explore metrics' }).first().click();
    const dialog = page.getByRole('dialog', { name: 'Explore metrics' });
    await dialog.getByRole('searchbox', { name: 'Search metrics' }).fill('requests');
    await dialog.getByRole('button', { name: /^http_requests_total/ }).click();
    await dialog.getByText('Requests served.').last().waitFor();
    await dialog.getByRole('button', { name: /Per second, by job/ }).click();
    await page.getByTestId('chart').waitFor();
    expect(new URL(page.url()).searchParams.get('g0.expr')).toBe(
      'sum by (job) (rate(http_requests_total[5m]))',
    );
    expect(troubles).toEqual([]);
  });

  test('completes metric names and formats the expression', async () => {
    const { page } = await open('/query');
    await page.locator('.cm-content').click();
    await page.keyboard.type('process_res');
    await page
      .locator('.cm-tooltip-autocomplete')
      .getByText('process_resident_memory_bytes')
      .waitFor();
    await page.waitForTimeout(150); // The completion list ignores keys that come at once.
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.locator('.cm-content').textContent())
      .toBe('process_resident_memory_bytes');
    await page.getByRole('button', { name: 'Format the expression' }).click();
    await eventually(() => page.locator('.cm-content').textContent()).toBe('sum by (job) (up)');
  });
});
