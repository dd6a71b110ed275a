/**
 * What `/api/v1/status/config` shows, beside what a real Prometheus shows of the same file: every
 * good file of the collection, and a small one for each section and each kind of discovery.
 */
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DAY_MS } from '../../../model/index.ts';
import { loadConfig, printConfig } from '../../../src/config/index.ts';
import { JUDGE_BINARY, JudgeServer } from '../../scrape/support/judge-server.ts';
import { conformanceFile } from '../support/conformance.ts';

const EMPTY = 'global: {}\n';
const FLAG_DEFAULTS = { retentionMs: 15 * DAY_MS, retentionBytes: 0, exemplarStorage: false };

type Entry = {
  readonly file: string;
  readonly kind: string;
  readonly verdict: string;
  readonly check: string;
  readonly agent?: boolean;
};
const manifest = conformanceFile('config/manifest.json');
const goodFiles =
  manifest === null
    ? []
    : (JSON.parse(readFileSync(manifest, 'utf8')) as Entry[])
        .filter(
          ({ kind, verdict, check, agent }) =>
            kind === 'config' && verdict === 'good' && check === 'load' && agent !== true,
        )
        .map(({ file }) => file);

/** These look at machines and files of their own when they are put in force. */
const NOT_IN_FORCE_HERE = new Set(['config/conf.good.yml']);

const job = (...lines: string[]) =>
  ['scrape_configs:', '- job_name: one', ...lines.map((line) => `  ${line}`), ''].join('\n');

const DISCOVERY = {
  aws: 'role: ec2, region: eu-west-1',
  azure: 'subscription_id: a, tenant_id: b, client_id: c, client_secret: d',
  consul: 'server: "127.0.0.1:1"',
  'consul with all': `server: "127.0.0.1:1", token: t, tags: [a], services: [b], node_meta: { c: d },
      filter: f, health_filter: g, allow_stale: false, path_prefix: /x, partition: p, namespace: n`,
  digitalocean: 'authorization: { credentials: x }',
  dns: 'names: [a.invalid.], type: a, port: 1',
  docker: 'host: "unix:///nowhere"',
  dockerswarm: 'host: "unix:///nowhere", role: tasks',
  ec2: 'region: eu-west-1, access_key: a, secret_key: b',
  eureka: 'server: "http://127.0.0.1:1/eureka"',
  file: 'files: [a.json]',
  gce: 'project: a, zone: b',
  hetzner: 'role: hcloud, authorization: { credentials: x }',
  http: 'url: "http://127.0.0.1:1/", basic_auth: { username: a, password: b }',
  ionos: 'datacenter_id: a',
  kubernetes: 'role: pod, api_server: "http://127.0.0.1:1"',
  'kubernetes with all': `role: endpoints, api_server: "http://u:p@127.0.0.1:1",
      namespaces: { names: [a] }, selectors: [ { role: pod, label: "a=b" } ],
      attach_metadata: { node: true, namespace: true }`,
  kuma: 'server: "http://127.0.0.1:1"',
  lightsail: 'region: eu-west-1, access_key: a, secret_key: b',
  linode: 'authorization: { credentials: x }',
  marathon: 'servers: ["http://127.0.0.1:1"]',
  nomad: 'server: "http://127.0.0.1:1"',
  openstack: 'role: instance, region: a, identity_endpoint: "http://127.0.0.1:1"',
  nerve: 'servers: ["127.0.0.1:1"], paths: [/a]',
  outscale: 'access_key: a, secret_key: b',
  ovhcloud: 'application_key: a, application_secret: b, consumer_key: c, service: vps',
  puppetdb: 'url: "http://127.0.0.1:1", query: q',
  scaleway: `role: instance, access_key: SCW00000000000000000,
      project_id: 11111111-1111-1111-1111-111111111111,
      secret_key: 11111111-1111-1111-1111-111111111111`,
  serverset: 'servers: ["127.0.0.1:1"], paths: [/a]',
  stackit: 'project: a',
  triton: 'account: a, dns_suffix: b, endpoint: c',
  uyuni: 'server: "http://127.0.0.1:1", username: a, password: b',
  vultr: 'authorization: { credentials: x }',
};

const TEXTS: Readonly<Record<string, string>> = {
  'no section at all': '{}\n',
  'sections without content': 'global:\nruntime:\nalerting:\nstorage:\notlp:\nscrape_configs:\n',
  'a job without anything': job(),
  'a job with everything about histograms': job(
    'scrape_native_histograms: true',
    'always_scrape_classic_histograms: true',
    'convert_classic_histograms_to_nhcb: true',
    'native_histogram_bucket_limit: 10',
    'native_histogram_min_bucket_factor: 1.1',
    'extra_scrape_metrics: true',
  ),
  'a job with limits': job(
    'body_size_limit: 10MB',
    'sample_limit: 1',
    'target_limit: 2',
    'label_limit: 3',
    'label_name_length_limit: 4',
    'label_value_length_limit: 5',
    'keep_dropped_targets: 6',
  ),
  'a job with parameters and odd texts': job(
    'params: { b: [x, "yes", "1"], a: ["a: b", "#", " c ", "\\n", "é"] }',
    'static_configs: [ { targets: ["a:1", "[::1]:2"], labels: { q: "null", r: "" } } ]',
  ),
  'a job with relabelling': job(
    'relabel_configs:',
    '- { source_labels: [a, b], target_label: c }',
    '- { action: drop, source_labels: [a], regex: "x|y" }',
    '- { action: labelmap, regex: "__meta_(.+)", replacement: "$1" }',
    '- { action: hashmod, source_labels: [a], modulus: 8, target_label: __tmp }',
    '- { action: keepequal, source_labels: [a], target_label: b }',
  ),
  'a job with targets that relabelling makes parameters': job(
    'metrics_path: /probe',
    'params: { module: [http_2xx] }',
    'static_configs: [ { targets: ["https://example.com/a?b=c"] } ]',
    'relabel_configs:',
    '- { source_labels: [__address__], target_label: __param_target }',
    '- { target_label: __address__, replacement: "127.0.0.1:9115" }',
  ),
  'a job with credentials': job(
    'basic_auth: { username: a, password: b }',
    'tls_config: { ca: x, insecure_skip_verify: true, min_version: TLS12 }',
    'proxy_url: "http://user:word@proxy:1"',
    'http_headers: { X-A: { values: [a], secrets: [b], files: [c] } }',
  ),
  'a job with a bearer token': job('bearer_token: secret'),
  'a job with OAuth2': job(
    'oauth2: { client_id: a, client_secret: b, token_url: "http://c", scopes: [d] }',
  ),
  'alerting and remote ends': `alerting:
  alertmanagers: [ { static_configs: [ { targets: ["127.0.0.1:1"] } ] } ]
remote_write: [ { url: "http://127.0.0.1:1/a", name: n, headers: { A: b } } ]
remote_read: [ { url: "http://127.0.0.1:1/b" } ]
`,
  'storage and tracing': `storage:
  tsdb: { out_of_order_time_window: 30m, retention: { time: 2d, size: 1GB } }
tracing: { endpoint: "127.0.0.1:1", client_type: http, sampling_fraction: 0.5 }
`,
  ...Object.fromEntries(
    Object.entries(DISCOVERY).map(([name, text]) => [
      `discovery by ${name}`,
      job(`${name.split(' ')[0]}_sd_configs: [ { ${text} } ]`),
    ]),
  ),
};

describe.skipIf(JUDGE_BINARY === null)('beside a real Prometheus', () => {
  let judge: JudgeServer;
  beforeAll(async () => {
    judge = await JudgeServer.start(EMPTY, [
      '--web.enable-lifecycle',
      '--enable-feature=xor2-encoding',
      '--log.format=json',
    ]);
    if (manifest !== null) cpSync(path.dirname(manifest), judge.folder, { recursive: true });
  });
  afterAll(() => judge.stop());

  /** Both take the text, and print the same. */
  async function compare(text: string): Promise<void> {
    expect(await judge.reload(text), 'the real one takes it').toBe(true);
    const { yaml } = await judge.ask<{ yaml: string }>('status/config');
    expect(printConfig(loadConfig(judge.configFile), FLAG_DEFAULTS)).toBe(yaml);
  }

  test.each(Object.entries(TEXTS))('%s', (_, text) => compare(text));

  test.each(goodFiles.filter((file) => !NOT_IN_FORCE_HERE.has(file)))('%s', (file) =>
    // A file counts as lying in the folder of the configuration, whatever its own is.
    compare(readFileSync(path.join(path.dirname(manifest!), file), 'utf8')),
  );
});
