/**
 * Pages of real programs, scraped by a real Prometheus and by us with the same configuration: both
 * must store the same series and values.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exactPrometheus, PROMETHEUS } from '../support/installed.ts';
import { TestServer, until } from '../src/support/server.ts';
import { JudgeServer } from './support/judge-server.ts';
import { freezePages, type RealTarget, startRealTargets } from './support/real-targets.ts';

type Series = {
  readonly metric: Record<string, string>;
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, unknown];
};

/** A server's own measure of its scrapes; times differ between two servers. */
const OWN =
  'up|scrape_duration_seconds|scrape_samples_scraped|scrape_samples_post_metric_relabeling|scrape_series_added';

/** Label set → value, as both APIs show it. */
function comparable(series: readonly Series[]): Map<string, string> {
  const entries = series.map(({ metric, value, histogram }): [string, string] => {
    // Servers before 3.0 keep the spelling of bounds.
    const labels = Object.entries(metric).map(([name, text]) => {
      const isBound = name === 'le' || name === 'quantile';
      return [name, isBound ? String(Number(text.replace('Inf', 'Infinity'))) : text];
    });
    const key = JSON.stringify(labels.sort(([a], [b]) => (a! < b! ? -1 : 1)));
    return [key, JSON.stringify(value?.[1] ?? histogram?.[1])];
  });
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe.skipIf(PROMETHEUS === null)('beside a real Prometheus', () => {
  let targets: RealTarget[] = [];
  let frozen: { address: string; close: () => void } | undefined;

  beforeAll(async () => {
    targets = await startRealTargets();
    frozen = await freezePages();
    const gateway = targets.find(({ name }) => name === 'pushgateway');
    if (gateway === undefined) return;
    const group = `http://${gateway.address}/metrics/job/batch/instance/somewhere/team/shop`;
    const body =
      '# TYPE last_success gauge\nlast_success 1.5e9\n# TYPE runs counter\nruns{kind="a"} 7\n';
    const { ok } = await fetch(group, { method: 'PUT', body });
    if (!ok) throw new Error('the gateway takes nothing');
  }, 30_000);
  afterAll(() => {
    for (const { stop } of targets) stop();
    frozen?.close();
  });

  function configOf(globals: string): string {
    const job = (target: RealTarget) => `
- job_name: "${target.name}"
  metrics_path: /${target.address}/metrics
  honor_labels: ${target.name === 'pushgateway'}
  static_configs: [ { targets: ["${frozen?.address}"], labels: { site: here } } ]`;
    const [first] = targets;
    const blackbox = targets.find(({ name }) => name === 'blackbox exporter');
    const probe = `
- job_name: probe
  metrics_path: /${blackbox?.address}/probe
  params: { module: [http_2xx] }
  static_configs: [ { targets: ["http://${first?.address}/metrics", "http://127.0.0.1:1/"] } ]
  relabel_configs:
  - { source_labels: [__address__], target_label: __param_target }
  - { source_labels: [__param_target], target_label: instance }
  - { target_label: __address__, replacement: "${frozen?.address}" }`;
    const jobs = targets.map(job).join('') + (blackbox === undefined ? '' : probe);
    return `global: { scrape_interval: 1s, scrape_timeout: 1s${globals} }\nscrape_configs:${jobs}\n`;
  }

  /** What both have stored once every target has been scraped. */
  async function scrapedByBoth(
    config: string,
  ): Promise<[Map<string, string>, Map<string, string>]> {
    const count =
      config.split('job_name').length - 1 + (config.includes('job_name: probe') ? 1 : 0);
    const query = `{__name__!="",__name__!~"${OWN}"}`;
    const judge = await JudgeServer.start(config, [], PROMETHEUS!);
    const ours = await TestServer.create(config);
    try {
      await judge.scrapedTargets(count);
      const theirs = await judge.series(query);
      await ours.startReady();
      type Targets = { activeTargets: { health: string }[] };
      await until('every target is scraped', async () => {
        const { activeTargets } = await ours.json<Targets>('/api/v1/targets');
        return activeTargets.filter(({ health }) => health === 'up').length === count;
      });
      const route = `/api/v1/query?query=${encodeURIComponent(query)}`;
      const { result } = await ours.json<{ result: Series[] }>(route);
      return [comparable(result), comparable(theirs)];
    } finally {
      judge.stop();
      await ours.remove();
    }
  }

  test('pages of real programs are stored alike', { timeout: 60_000 }, async () => {
    if (targets.length === 0) return;
    const [ours, theirs] = await scrapedByBoth(configOf(''));
    expect(theirs.size).toBeGreaterThan(100);
    expect(ours).toEqual(theirs);
  });

  test.skipIf(exactPrometheus() === null)(
    'and by protobuf with native histograms, and classic ones converted',
    { timeout: 60_000 },
    async () => {
      if (targets.length === 0) return;
      const [ours, theirs] = await scrapedByBoth(
        configOf(', scrape_native_histograms: true, convert_classic_histograms_to_nhcb: true'),
      );
      expect([...theirs.values()].some((value) => value.includes('buckets'))).toBe(true);
      expect(ours).toEqual(theirs);
    },
  );
});
