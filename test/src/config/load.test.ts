/** Reading configuration files: what is refused, where it says so, and what it keeps to itself. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PLATFORM_MECHANISMS } from '../../../scrape/discovery/platforms.ts';
import { DISCOVERY_MECHANISMS } from '../../../src/config/discovery-shapes.ts';
import { loadConfig, printConfig } from '../../../src/config/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const load = (text: string, environment: Record<string, string> = {}) =>
  loadConfig(write('prometheus.yml', text), { environment });

function mistake(text: string): string {
  try {
    load(text);
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder}/`, '');
  }
  throw new Error('taken');
}

describe('a mistake', () => {
  test.each([
    ['globl: {}\n', 'prometheus.yml:1:1: globl: unknown key; did you mean global?'],
    ['\u2028: 1\n', 'prometheus.yml:1:1: "\\u2028": unknown key'],
    [
      'scrape_configs:\n- job_name: a\n  scrape_intervall: 1s\n',
      'prometheus.yml:3:3: scrape_configs[0].scrape_intervall: unknown key; did you mean scrape_interval?',
    ],
    [
      'scrape_configs:\n- job_name: a\n  file_sd_config: []\n',
      'prometheus.yml:3:3: scrape_configs[0].file_sd_config: unknown key; did you mean file_sd_configs?',
    ],
    [
      'scrape_configs:\n- job_name: a\n  kubernetes_sd_configs:\n  - rol: pod\n',
      'prometheus.yml:4:5: scrape_configs[0].kubernetes_sd_configs[0].rol: unknown key; did you mean role?',
    ],
    [
      'global:\n  scrape_interval: fast\n',
      'prometheus.yml:2:20: global.scrape_interval: not a valid duration string: "fast", expected a duration such as 15s or 1h30m',
    ],
    [
      'scrape_configs:\n- job_name: a\n- job_name: a\n',
      'prometheus.yml:3:3: scrape_configs[1].job_name: found multiple scrape configs with job name "a"',
    ],
    [
      'scrape_configs:\n- job_name: a\n  static_configs:\n  - targets: ["http://a/metrics"]\n',
      'prometheus.yml:4:15: scrape_configs[0].static_configs[0].targets[0]: "http://a/metrics" is not a valid hostname, expected host:port without scheme or path',
    ],
  ])('in %j is named with its place', (text, message) => {
    expect(mistake(text)).toBe(message);
  });

  test('does not hide the others', () => {
    const message = mistake('globl: {}\nscrape_configs:\n- job_nam: a\n');
    expect(message).toContain('prometheus.yml:1:1: globl: unknown key');
    expect(message).toContain('prometheus.yml:3:3: scrape_configs[0].job_nam: unknown key');
  });

  test('in a file of scrape_config_files is placed there', () => {
    write('jobs/b.yml', 'scrape_configs:\n- job_name: two\n  schem: https\n');
    const message = mistake('scrape_config_files: [jobs/*.yml]\n');
    expect(message).toBe(
      'jobs/b.yml:3:3: scrape_configs[0].schem: unknown key; did you mean scheme?',
    );
  });
});

describe('scrape_config_files', () => {
  test('bring in jobs with the global settings, and are watched', () => {
    write('jobs/a.yml', 'scrape_configs: [ { job_name: two } ]\n');
    write('jobs/b.yml', 'scrape_configs: [ { job_name: three, scrape_interval: 5s } ]\n');
    write('jobs/c.txt', 'scrape_configs: [ { job_name: four } ]\n');
    const config = load(`global: { scrape_interval: 7s }
scrape_configs: [ { job_name: one } ]
scrape_config_files: [ "jobs/*.yml" ]
`);
    const intervals = config.jobs.map(({ jobName, scrapeIntervalMs }) => [
      jobName,
      scrapeIntervalMs,
    ]);
    expect(intervals).toEqual([
      ['one', 7000],
      ['two', 7000],
      ['three', 5000],
    ]);
    const watched = config.watchedFiles.map((file) => path.relative(folder, file));
    expect(watched).toEqual(['prometheus.yml', 'jobs/a.yml', 'jobs/b.yml']);
  });

  test('may not use the name of another job', () => {
    write('jobs/a.yml', 'scrape_configs: [ { job_name: one } ]\n');
    const message = mistake(
      'scrape_configs: [ { job_name: one } ]\nscrape_config_files: [ "jobs/*.yml" ]\n',
    );
    expect(message).toContain('jobs/a.yml:1:21: ');
    expect(message).toContain('found multiple scrape configs with job name "one", first found in');
  });
});

test('external labels take values from the environment, and nothing else does', () => {
  const config = load(
    `global:
  external_labels: { a: "\${REGION}-x", b: "$REGION", c: "$$REGION", d: "\${NOT_SET}y" }
scrape_configs: [ { job_name: "$REGION" } ]
`,
    { REGION: 'eu' },
  );
  expect(config.externalLabels).toEqual({ a: 'eu-x', b: 'eu', c: '$REGION', d: 'y' });
  expect(config.warnings).toEqual(['Empty environment variable NOT_SET in external_labels']);
  expect(config.jobs[0]!.jobName).toBe('$REGION');
});

test('no secret is printed', () => {
  const secret = 'do-not-tell';
  const config = load(`
scrape_configs:
- job_name: a
  basic_auth: { username: u, password: ${secret} }
  tls_config: { cert: c, key: ${secret} }
  http_headers: { X-Key: { secrets: [${secret}] } }
  proxy_url: "http://u:${secret}@proxy:1"
  proxy_connect_header: { A: [${secret}] }
  consul_sd_configs: [ { token: ${secret} } ]
  uyuni_sd_configs: [ { server: "http://a", username: u, password: ${secret} } ]
- job_name: b
  authorization: { credentials: ${secret} }
  ec2_sd_configs: [ { region: r, access_key: a, secret_key: ${secret} } ]
  kubernetes_sd_configs: [ { role: pod, api_server: "https://u:${secret}@a" } ]
- job_name: c
  oauth2: { client_id: a, client_secret: ${secret}, token_url: "http://a" }
  openstack_sd_configs: [ { role: instance, region: r, password: ${secret} } ]
remote_write: [ { url: "http://u:${secret}@a", bearer_token: ${secret} } ]
`);
  const flags = { retentionMs: 1, retentionBytes: 0, exemplarStorage: false };
  const printed = printConfig(config, flags);
  expect(printed).not.toContain(secret);
  expect(printed.match(/<secret>/g)!.length).toBe(11);
});

test('every kind of discovery that can be configured exists', () => {
  const missing = DISCOVERY_MECHANISMS.filter(
    (name) => !PLATFORM_MECHANISMS.has(name) && !['dns', 'file', 'http', 'static'].includes(name),
  );
  expect(missing).toEqual([]);
});
