/** One headless Chromium for a test file; pages that tell when something went wrong in them. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { UI_DIST } from './ui-server.ts';

const CANDIDATES = [
  process.env.NARTHEX_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const chromiumPath = CANDIDATES.find((file) => file !== undefined && existsSync(file));

/** Why the browser tests cannot run here; undefined when they can. */
export const skipReason =
  chromiumPath === undefined ? 'no Chromium found; NARTHEX_CHROMIUM names one' : undefined;

if (skipReason !== undefined) {
  if (process.env.NARTHEX_REQUIRE) throw new Error(skipReason);
  console.log(`browser tests skipped: ${skipReason}`);
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: ARGS });
}

/** Builds the UI when it has not been built; a built one is taken as it is. */
export function ensureBuilt(): void {
  if (existsSync(path.join(UI_DIST, 'index.html'))) return;
  const root = path.resolve(UI_DIST, '../../..');
  const vite = path.join(root, 'node_modules/vite/bin/vite.js');
  const config = path.join(root, 'web/ui/vite.config.ts');
  execFileSync(process.execPath, [vite, 'build', '--config', config], {
    cwd: root,
    stdio: 'pipe',
    // That of the test runner would make it a build for development.
    env: { ...process.env, NODE_ENV: 'production' },
  });
}

export type Watched = {
  page: Page;
  /** Errors on the console and exceptions nobody caught. */
  troubles: string[];
};

export type PageOptions = {
  theme?: 'light' | 'dark';
  width?: number;
  height?: number;
};

/** Answers with an error status are logged by Chromium itself; tests that provoke them expect it. */
const PROVOKED = /Failed to load resource/;

export async function openPage(
  browser: Browser,
  url: string,
  { theme = 'light', width = 1440, height = 900 }: PageOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !PROVOKED.test(message.text())) troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  await page.goto(url);
  return { page, troubles };
}
