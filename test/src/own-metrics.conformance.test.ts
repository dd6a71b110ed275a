/** Dashboards and alerts about a Prometheus must find what they ask for at our /metrics. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conformanceFile } from './support/conformance.ts';
import { TestServer, until } from './support/server.ts';

type Entry = { readonly name: string; readonly type: string; readonly labels: readonly string[] };

/**
 * What we do not show, and why. A figure that could only ever be a constant would be a lie: an
 * alert on it would never fire.
 */
const LEFT_OUT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^prometheus_remote_storage_string_interner_/, 'texts are not counted by their users'],
  [
    /^prometheus_api_.*without_metadata/,
    'metadata is not stored with samples, so none can be missing there',
  ],
  [
    /^prometheus_api_otlp_out_of_order_exemplars_total$/,
    'counted with those of other sources, as prometheus_tsdb_exemplar_out_of_order_…',
  ],
  [/^prometheus_sd_azure_cache_hit_total$/, 'network interfaces are not remembered'],
  [/^prometheus_treecache_watcher_goroutines$/, 'one connection watches a whole tree'],
  [
    /^prometheus_tsdb_selected_series_compaction/,
    'only stale series are compacted apart, see prometheus_tsdb_stale_series_compactions_…',
  ],
];

/** Family → type, and the label names of its series (none when it has no series). */
function parseFamilies(text: string): Map<string, { type: string; labels: Set<string> }> {
  const families = new Map<string, { type: string; labels: Set<string> }>();
  for (const line of text.split('\n')) {
    const declared = /^# TYPE (\S+) (\S+)/.exec(line);
    if (declared !== null) families.set(declared[1]!, { type: declared[2]!, labels: new Set() });
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', labels = ''] = /^([^{ ]+)(?:\{(.*)\})? /.exec(line) ?? [];
    const family = families.get(name) ?? families.get(name.replace(/_(?:sum|count|bucket)$/, ''));
    for (const [, label] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) family!.labels.add(label!);
  }
  return families;
}

const listed = conformanceFile('cli/own-metrics.json');

describe.skipIf(listed === null)('/metrics', () => {
  let server: TestServer;
  let families: ReturnType<typeof parseFamilies>;
  const wanted: Entry[] = listed === null ? [] : JSON.parse(readFileSync(listed, 'utf8'));

  beforeAll(async () => {
    server = await TestServer.create(`
global: {scrape_interval: 200ms, evaluation_interval: 200ms}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:1"]}]}]}
remote_write: [{url: "http://127.0.0.1:1/"}]
remote_read: [{url: "http://127.0.0.1:1/"}]
scrape_configs:
  - {job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}
  - {job_name: files, file_sd_configs: [{files: [targets.json]}]}
`);
    const targets = JSON.stringify([{ targets: [`127.0.0.1:${server.port}`] }]);
    writeFileSync(path.join(server.folder, 'targets.json'), targets);
    const rules = 'groups: [{name: g, rules: [{alert: A, expr: vector(1)}]}]';
    writeFileSync(path.join(server.folder, 'rules.yml'), rules);
    await server.startReady();
    await until('both jobs are scraped', async () => (await server.query('up == 1')).size === 2);
    await until('every family is there', async () => {
      families = parseFamilies((await server.get('/metrics')).text);
      return ['prometheus_sd_file_mtime_seconds', 'prometheus_notifications_sent_total'].every(
        (name) => families.has(name),
      );
    });
  });
  afterAll(() => server.remove());

  test('has the names of Prometheus 3.14, or a reason not to', () => {
    const reasons = new Map<string, string[]>();
    const unexplained: string[] = [];
    for (const { name } of wanted) {
      if (families.has(name)) continue;
      const reason = LEFT_OUT.find(([pattern]) => pattern.test(name))?.[1];
      if (reason === undefined) unexplained.push(name);
      else reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
    }
    for (const [reason, names] of reasons) {
      console.info(`left out, ${reason}:\n  ${names.join('\n  ')}`);
    }
    expect(unexplained).toEqual([]);
    const outdated = LEFT_OUT.map(([, reason]) => reason).filter((reason) => !reasons.has(reason));
    expect(outdated, 'reasons that explain nothing any more').toEqual([]);
  });

  test('counts the connections of every client', async () => {
    await until('alerts and samples were tried to be sent', async () => {
      const { text } = await server.get('/metrics');
      return ['alertmanager', 'remote_storage_write_client', 'remote_storage_read_client'].every(
        (dialer) => {
          const series = `net_conntrack_dialer_conn_failed_total{dialer_name="${dialer}",reason="refused"}`;
          return new RegExp(`^${RegExp.escape(series)} [1-9]`, 'm').test(text);
        },
      );
    });
  });

  test.skipIf(process.platform !== 'linux')(
    'tells of the process what the system tells',
    async () => {
      const { text } = await server.get('/metrics');
      const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)![1]);
      for (const name of [
        'process_cpu_seconds_total',
        'process_resident_memory_bytes',
        'process_virtual_memory_bytes',
        'process_open_fds',
        'process_network_receive_bytes_total',
        'process_network_transmit_bytes_total',
      ]) {
        expect(value(name), name).toBeGreaterThan(0);
      }
      expect(value('process_max_fds')).toBeGreaterThan(value('process_open_fds'));
      expect(Math.abs(Date.now() / 1000 - value('process_start_time_seconds'))).toBeLessThan(300);
    },
  );

  test('has the same types', () => {
    const differing = wanted.filter(
      ({ name, type }) => (families.get(name)?.type ?? type) !== type,
    );
    expect(differing.map(({ name }) => `${name}: ${families.get(name)!.type}`)).toEqual([]);
  });

  test('has the same labels', () => {
    const parts = new Set(['le', 'quantile']);
    const plain = (labels: Iterable<string>) => [...labels].filter((l) => !parts.has(l)).sort();
    const differing: string[] = [];
    for (const { name, labels } of wanted) {
      const family = families.get(name);
      if (family === undefined || family.labels.size === 0) continue;
      const [ours, theirs] = [plain(family.labels).join(), plain(labels).join()];
      if (ours !== theirs) differing.push(`${name}: ${ours} in place of ${theirs}`);
    }
    expect(differing).toEqual([]);
  });
});
