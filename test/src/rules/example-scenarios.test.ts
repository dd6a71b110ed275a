/**
 * The alerts of examples/rules.yml on the sample app, each under its scenario: the app is told to go
 * wrong, a server scrapes it, and the alert fires. Only the waiting is shortened, from a minute to
 * seconds.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort, TestServer, until } from '../support/server.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../../examples');
const SCENARIOS = ['usual', 'errors', 'slow', 'sold-out'];
const LOAD = 15;

type Alert = { state: string; labels: Record<string, string>; annotations: Record<string, string> };
const apps: ChildProcess[] = [];
let server: TestServer;

beforeAll(async () => {
  const jobs: string[] = [];
  for (const scenario of SCENARIOS) {
    const port = await freePort();
    const args = [`--port=${port}`, `--scenario=${scenario}`, `--load=${LOAD}`];
    apps.push(
      spawn(process.execPath, [path.join(EXAMPLES, 'app/main.ts'), ...args], { stdio: 'ignore' }),
    );
    jobs.push(`{job_name: ${scenario}, static_configs: [{targets: ["127.0.0.1:${port}"]}]}`);
  }
  jobs.push(`{job_name: gone, static_configs: [{targets: ["127.0.0.1:${await freePort()}"]}]}`);
  server = await TestServer.create(`
global: {scrape_interval: 500ms, evaluation_interval: 500ms}
rule_files: [rules.yml]
scrape_configs: [${jobs.join(', ')}]
`);
  const rules = readFileSync(path.join(EXAMPLES, 'rules.yml'), 'utf8');
  const quick = rules.replaceAll('[1m]', '[15s]').replaceAll('for: 1m', 'for: 2s');
  expect(quick).not.toBe(rules);
  writeFileSync(path.join(server.folder, 'rules.yml'), quick);
  await server.startReady();
}, 60_000);
afterAll(async () => {
  for (const app of apps) app.kill('SIGKILL');
  await server?.remove();
});

async function firing(name: string, job: string): Promise<Alert | undefined> {
  const { alerts } = await server.json<{ alerts: Alert[] }>('/api/v1/alerts');
  return alerts.find(
    ({ state, labels }) =>
      state === 'firing' && labels['alertname'] === name && labels['job'] === job,
  );
}

test.each([
  ['TargetDown', 'gone', /does not answer$/],
  ['HighErrorRate', 'errors', /^\d+(\.\d+)?% of the requests to \/checkout fail$/],
  ['SlowRequests', 'slow', /^One in twenty requests to \S+ takes .+ or longer$/],
  ['LowStock', 'sold-out', /^Only [0-4] of ".+" left$/],
])(
  '%s fires under "%s"',
  async (name, job, summary) => {
    await until(`${name} fires`, async () => (await firing(name, job)) !== undefined, 90_000);
    const alert = await firing(name, job);
    expect(alert!.annotations['summary']).toMatch(summary);
    expect(alert!.annotations['runbook_url']).toMatch(/^docs\/guide\/runbooks.md#/);
  },
  100_000,
);

test('an app that is killed is down', async () => {
  expect(await firing('TargetDown', 'usual')).toBeUndefined();
  apps[0]!.kill('SIGKILL');
  await until(
    'it is told',
    async () => (await firing('TargetDown', 'usual')) !== undefined,
    30_000,
  );
}, 40_000);
