import { AxeBuilder } from '@axe-core/playwright';
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

const PAGES = [
  { address: '/query', sign: 'What would you like to know?' },
  { address: '/query?g0.expr=wave&g0.tab=graph', sign: 'wave' },
  { address: '/query?g0.expr=up&g0.tab=table', sign: 'd:9100' },
  { address: '/query?g0.expr=sum(&g0.tab=table', sign: 'unclosed left parenthesis' },
  { address: '/alerts', sign: 'TargetDown' },
  { address: '/alert-history', sign: 'TargetDown' },
  { address: '/alert-why?event=7', sign: 'Samples kept when it happened' },
  { address: '/rules', sign: 'something went wrong' },
  { address: '/targets', sign: 'http://b:9100/metrics' },
  { address: '/service-discovery', sign: 'c:9100' },
  { address: '/status', sign: '3.14.0' },
  { address: '/tsdb-status', sign: 'http_requests_total' },
  { address: '/flags', sign: '--storage.tsdb.path' },
  { address: '/config', sign: 'scrape_interval' },
  { address: '/alertmanager-discovery', sign: 'http://am:9093' },
  { address: '/alertmanager-discovery', sign: 'Waiting messages (1)' },
  { address: '/query?g0.expr=sum(up)&g0.tab=explain', sign: 'Adds up all series together.' },
  { address: '/agent', sign: 'forwards what it collects' },
  { address: '/no-such-page', sign: 'There is no such page' },
];

describe.skipIf(skipReason !== undefined)('every page', () => {
  let browser: Browser;
  let server: UiServer;
  let prefixed: UiServer;
  let state: FakeState;
  let opened: Watched | undefined;

  beforeAll(async () => {
    ensureBuilt();
    state = newFakeState();
    browser = await launchBrowser();
    const api = (...args: Parameters<ReturnType<typeof fakeApi>>) => fakeApi(state)(...args);
    server = await startUiServer(api);
    prefixed = await startUiServer(api, '/monitoring/north');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await prefixed?.close();
  });
  afterEach(async () => {
    await opened?.page.context().close();
    opened = undefined;
    state = newFakeState();
  });

  const open = async (url: string, options = {}) => {
    opened = await openPage(browser, url, options);
    return opened;
  };

  const violations = async ({ page }: Watched, rules?: string[]) => {
    // Colours in transition are neither the old nor the new ones.
    await page.waitForTimeout(250);
    const axe = new AxeBuilder({ page });
    if (rules !== undefined) axe.withRules(rules);
    const { violations: found } = await axe.analyze();
    return found.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 140)}`),
    );
  };

  test.each(PAGES)(
    '$address: no errors, no barriers in light and dark, fits 400 pixels',
    async ({ address, sign }) => {
      const watched = await open(server.url + address);
      const { page } = watched;
      await page.getByText(sign).first().waitFor();
      expect(await violations(watched)).toEqual([]);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.locator('html[data-mantine-color-scheme=dark]').waitFor();
      expect(await violations(watched, ['color-contrast'])).toEqual([]);
      await page.setViewportSize({ width: 400, height: 800 });
      await page.waitForTimeout(150);
      const widthPx = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(widthPx).toBeLessThanOrEqual(400);
      expect(watched.troubles).toEqual([]);
    },
  );

  test.each(PAGES.slice(1, 6))('$address works under a route prefix', async ({ address, sign }) => {
    const { page, troubles } = await open(prefixed.url + address);
    await page.getByText(sign).first().waitFor();
    await page.getByRole('link', { name: 'Targets' }).first().click();
    await page.getByText('connection refused').waitFor();
    expect(new URL(page.url()).pathname).toBe('/monitoring/north/targets');
    expect(troubles).toEqual([]);
  });

  test('dialogs open, have no barriers, and close with Escape', async () => {
    const watched = await open(`${server.url}/query`);
    const { page } = watched;
    await page.getByText('What would you like to know?').waitFor();
    for (const name of ['Settings', 'Keyboard shortcuts', 'Explore metrics']) {
      await page.getByRole('button', { name }).first().click();
      await page.getByRole('dialog').waitFor();
      await page.waitForTimeout(200);
      expect(await violations(watched)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    expect(watched.troubles).toEqual([]);
  });

  test('the target page explains a failure and filters by health', async () => {
    const { page } = await open(`${server.url}/targets`);
    await page.getByText('connection refused').waitFor();
    await page.getByText(/Nothing listens on b:9100/).waitFor();
    await page.getByText('Up 1').click();
    await page.getByText('connection refused').waitFor({ state: 'detached' });
    expect(page.url()).toContain('health=up');
    await page.getByRole('button', { name: 'Show details' }).click();
    await page.getByText('Discovered as').waitFor();
  });

  test('an alert opens to its expression and its instances', async () => {
    const watched = await open(`${server.url}/alerts`);
    const { page } = watched;
    await page.getByRole('button', { name: /TargetDown/ }).click();
    await page.getByText('b:9100 is down').waitFor();
    expect(await violations(watched)).toEqual([]);
    await page.getByRole('link', { name: 'Open' }).click();
    await page.waitForURL(/query/);
    expect(new URL(page.url()).searchParams.get('g0.expr')).toBe('up == 0');
  });

  test('a bar of the history leads to the reason', async () => {
    const { page, troubles } = await open(`${server.url}/alert-history`);
    await page.getByText('1 failed').waitFor();
    await page.getByRole('link', { name: /^firing from/ }).click();
    await page.waitForURL(/alert-why/);
    await page.getByText('the nearest of 1 is 1').first().waitFor();
    await page.getByRole('button', { name: 'Show 2 more' }).click();
    await page.getByText('e:9100').waitFor();
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByText('Only this alert').waitFor();
    expect(troubles).toEqual([]);
  });

  test('a rule that reads what does not exist says so', async () => {
    const { page } = await open(`${server.url}/rules`);
    await page.getByText('Nothing that this rule looks at exists').waitFor();
    await page.getByText('there is no metric up').waitFor();
    await page.getByText('Group broken is quarantined').waitFor();
  });

  test('empty pages teach how to fill them', async () => {
    state.groups = [];
    state.targets = [];
    const { page } = await open(`${server.url}/alerts`);
    await page.getByText('No alerting rules yet').waitFor();
    await page.goto(`${server.url}/rules`);
    await page.getByText('No rules yet').waitFor();
    await page.goto(`${server.url}/targets`);
    await page.getByText('There is nothing to scrape yet').waitFor();
  });

  test('keys lead to pages and to the filter', async () => {
    const { page } = await open(`${server.url}/query`);
    await page.getByText('What would you like to know?').waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.waitForURL(/targets/);
    await page.getByText('connection refused').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('no such thing');
    await page.getByText('No target passes these filters').waitFor();
  });

  test('choices of theme and time zone last', async () => {
    const { page } = await open(`${server.url}/tsdb-status`);
    await page.getByText('Newest sample').waitFor();
    await page.getByRole('button', { name: /Time zone/ }).click();
    await page.getByRole('button', { name: 'Theme: as the system' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await page.reload();
    await page.getByRole('button', { name: /Time zone: UTC/ }).waitFor();
    expect(await page.getAttribute('html', 'data-mantine-color-scheme')).toBe('dark');
    await page.getByText('2023-11-14 23:13:20').waitFor();
  });

  test('a server that reads its log shows how far it is, and then the page', async () => {
    state.ready = 'starting';
    state.replay = { min: 1, max: 10, current: 4 };
    const watched = await open(`${server.url}/targets`);
    const { page } = watched;
    await page.getByText('Segment 4 of 10 (40%)').waitFor();
    expect(await violations(watched)).toEqual([]);
    state.ready = 'ready';
    await page.getByText('connection refused').waitFor();
  });

  test('a server that goes away is missed, and welcomed back', async () => {
    const { page } = await open(`${server.url}/flags`);
    await page.getByText('--storage.tsdb.path').waitFor();
    await page.context().route('**/-/ready', (route) => route.abort());
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
    await page.getByText('The server does not answer').waitFor({ timeout: 20_000 });
    await page.context().unroute('**/-/ready');
    await page
      .getByText('The server does not answer')
      .waitFor({ state: 'detached', timeout: 20_000 });
  });
});
