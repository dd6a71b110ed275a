/**
 * Configuration files that nobody meant to write: YAML in pieces, good files with something broken.
 * Each is taken or refused with an error that names a place in it; no other error, and no hang.
 */
import * as fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConfigError } from '../../../model/index.ts';
import { loadConfig, printConfig } from '../../../src/config/index.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'narthex-hostile-'));
const file = path.join(folder, 'prometheus.yml');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LOAD_MS_MAX = 2000;
const RUN_COUNT = 400;

const GOOD = `global:
  scrape_interval: 15s
  evaluation_interval: 1m
  external_labels: { site: here, team: "\${TEAM}" }
rule_files: [ "rules/*.yml" ]
alerting:
  alertmanagers:
  - scheme: https
    static_configs: [ { targets: ["a:9093"] } ]
    relabel_configs: [ { source_labels: [__address__], regex: "(.*):.*", target_label: host } ]
scrape_configs:
- job_name: one
  scrape_timeout: 5s
  honor_labels: true
  metrics_path: /m
  params: { a: [b, c] }
  body_size_limit: 10MB
  basic_auth: { username: u, password: p }
  tls_config: { min_version: TLS12, server_name: s }
  static_configs:
  - targets: ["x:1", "y:2"]
    labels: { a: b }
  relabel_configs:
  - { source_labels: [__address__], action: hashmod, modulus: 4, target_label: __tmp }
  metric_relabel_configs:
  - { action: labeldrop, regex: "a|b.*" }
- job_name: two
  file_sd_configs: [ { files: ["f/*.json"], refresh_interval: 1m } ]
  kubernetes_sd_configs: [ { role: pod, namespaces: { names: [a] } } ]
  ec2_sd_configs: [ { region: r, filters: [ { name: n, values: [v] } ] } ]
  oauth2: { client_id: c, client_secret: s, token_url: "http://t/", scopes: [a] }
  proxy_url: "http://proxy:1"
remote_write:
- url: "http://w/api"
  queue_config: { max_shards: 3, batch_send_deadline: 5s }
  write_relabel_configs: [ { action: keep, source_labels: [__name__], regex: "up" } ]
remote_read: [ { url: "http://r/api", read_recent: true } ]
storage: { tsdb: { out_of_order_time_window: 30m } }
`;
const TOKENS = [
  ['global', 'scrape_configs', 'job_name', 'relabel_configs', 'static_configs', 'targets'],
  ['scrape_interval', 'regex', 'action', 'remote_write', 'url', 'params', 'unknown_key'],
  [':', ': ', '- ', '-', '\n', '\n  ', '\n    ', '{', '}', '[', ']', ',', '"', "'", '#', '|', '>'],
  ['&a', '*a', '<<: *a', '!!binary', '!tag', '---', '...', '%YAML 1.1', '?', '@', '`', '~'],
  ['15s', '-1s', '1y1y', '1e400', '0x10', 'yes', 'null', 'http://[', '$1', '${', '(', 'a{1001}'],
  ['? [a]\n: b\n', '? {a: b}\n: c\n'],
  ['\t', '\0', '\u2028', '\ufeff', 'é', '\ud800', '9'.repeat(40), 'x'.repeat(500)],
].flat();

const soup = fc
  .array(fc.constantFrom(...TOKENS), { maxLength: 40 })
  .map((tokens) => Buffer.from(tokens.join('')));
const damage = fc.record({
  at: fc.nat(GOOD.length),
  cut: fc.nat(25),
  put: fc.oneof(
    fc.constantFrom('', ...TOKENS).map((token) => Buffer.from(token)),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  ),
});
const broken = fc.array(damage, { minLength: 1, maxLength: 3 }).map((damages) =>
  damages.reduce((text, { at, cut, put }) => {
    const start = at % (text.length + 1);
    return Buffer.concat([text.subarray(0, start), put, text.subarray(start + cut)]);
  }, Buffer.from(GOOD)),
);
/** A good file with lines put elsewhere, or twice. */
const LINES = GOOD.trimEnd().split('\n');
const moved = fc
  .array(fc.record({ from: fc.nat(LINES.length - 1), to: fc.nat(LINES.length), cut: fc.nat(2) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map((moves) => {
    const lines = [...LINES];
    for (const { from, to, cut } of moves) lines.splice(to, cut === 2 ? 1 : 0, LINES[from]!);
    return Buffer.from(`${lines.join('\n')}\n`);
  });
const FLAGS = { retentionMs: 0, retentionBytes: 0, exemplarStorage: false };

test('the file that is broken below is good', () => {
  writeFileSync(file, GOOD);
  expect(loadConfig(file, { environment: {} }).jobs.length).toBe(2);
});

test('a hostile file is taken, or refused with a place in it', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 3, arbitrary: broken }, { weight: 2, arbitrary: moved }, soup),
      (text) => {
        writeFileSync(file, text);
        const beganMs = performance.now();
        try {
          const config = loadConfig(file, { environment: {} });
          expect(printConfig(config, FLAGS)).toContain('global:');
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.message).toMatch(/prometheus\.yml(?::\d+(?::\d+)?)?: ./);
          expect(error.message).not.toMatch(/undefined|\[object/);
        }
        expect(performance.now() - beganMs).toBeLessThan(LOAD_MS_MAX);
      },
    ),
    { numRuns: RUN_COUNT },
  );
});

test('aliases of aliases do not eat the memory', () => {
  const levels = Array.from(
    { length: 30 },
    (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}]`,
  );
  writeFileSync(file, `a0: &a0 [x]\n${levels.join('\n')}\n`);
  const beganMs = performance.now();
  expect(() => loadConfig(file, { environment: {} })).toThrow(ConfigError);
  expect(performance.now() - beganMs).toBeLessThan(LOAD_MS_MAX);
});
