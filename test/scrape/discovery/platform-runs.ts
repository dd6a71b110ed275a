/** Runs a platform's discovery against its fake, here and in a real Prometheus. */
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Clock, Registry } from '../../../model/index.ts';
import {
  DEFAULT_PROXY_CONFIG,
  DEFAULT_TLS_CONFIG,
  type DiscoveryConfig,
  DiscoveryManager,
  type LabelRecord,
  type TargetGroup,
} from '../../../scrape/index.ts';
import { loadConfig } from '../../../src/config/index.ts';
import { JudgeServer } from '../support/judge-server.ts';
import { AWS } from './fakes/aws.ts';
import { BIG_CLOUDS } from './fakes/big-clouds.ts';
import { CONTAINERS } from './fakes/containers.ts';
import { EUROPEAN_CLOUDS } from './fakes/european-clouds.ts';
import { type Fake, type FakeServer, serveFake } from './fakes/fake.ts';
import { HOSTERS } from './fakes/hosters.ts';
import { KUBERNETES } from './fakes/kubernetes.ts';
import { OPENSTACK } from './fakes/openstack.ts';
import { REGISTRIES } from './fakes/registries.ts';

export const FAKES: readonly Fake[] = [
  ...AWS,
  ...BIG_CLOUDS,
  ...EUROPEAN_CLOUDS,
  ...HOSTERS,
  ...OPENSTACK,
  ...CONTAINERS,
  ...KUBERNETES,
  ...REGISTRIES,
];

/** What Prometheus 3.14.0 found at each fake; written by the oracle test when NARTHEX_RECORD is set. */
const RECORDED_FILE = path.join(import.meta.dirname, 'fakes/recorded-3.14.json');
export type Recorded = Readonly<Record<string, readonly LabelRecord[]>>;

export function readRecorded(): Recorded {
  return JSON.parse(readFileSync(RECORDED_FILE, 'utf8')) as Recorded;
}

export function writeRecorded(recorded: Recorded): void {
  writeFileSync(RECORDED_FILE, `${JSON.stringify(recorded, null, 1)}\n`);
}

const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

export type Discovery = {
  /** The newest list of a job, in order. */
  readonly found: (jobName: string) => readonly LabelRecord[];
  readonly failureCount: () => number;
  /** Of a family: the label values of each series, and its value or count. */
  readonly figures: (name: string) => Readonly<Record<string, number>>;
  readonly close: () => void;
};

/**
 * Discovery as a configuration file asks for it.
 * @param change  what the file cannot say
 */
export function discoverHere(
  yaml: string,
  change: (config: DiscoveryConfig) => DiscoveryConfig = (config) => config,
): Discovery {
  const folder = mkdtempSync(path.join(tmpdir(), 'narthex-platform-'));
  const file = path.join(folder, 'prometheus.yml');
  writeFileSync(file, yaml);
  const { jobs } = loadConfig(file);
  rmSync(folder, { recursive: true });
  const registry = new Registry();
  const manager = new DiscoveryManager({
    clock: realClock,
    registry,
    userAgent: 'Prometheus/3.14.0',
    parseYaml: () => null,
    onTargets: () => {},
    updateIntervalMs: 1,
  });
  manager.applyConfig(
    new Map(jobs.map(({ jobName, discovery }) => [jobName, discovery.map(change)])),
  );
  return {
    found: (jobName) => inOrder(flatten(manager.groupsOf(jobName))),
    failureCount: () =>
      registry
        .snapshot()
        .find(({ name }) => name === 'prometheus_sd_refresh_failures_total')!
        .samples.reduce((sum, { value }) => sum + value, 0),
    figures: (name) => {
      const family = registry.snapshot().find((one) => one.name === name)!;
      const shown = family.samples.map(
        (sample) => [sample.labels.join(), sample.count ?? sample.value] as const,
      );
      return Object.fromEntries(shown);
    },
    close: () => manager.stop(),
  };
}

export type Run = {
  readonly server: FakeServer;
  readonly found: () => readonly LabelRecord[];
  readonly failureCount: () => number;
  readonly figures: Discovery['figures'];
  readonly close: () => void;
};

export async function runHere(fake: Fake): Promise<Run> {
  const server = await serveFake(fake);
  // The real one takes no less than a second; here there is no need to wait so long.
  const job = jobOf(fake, server).replace('refresh_interval: 1s', 'refresh_interval: 50ms');
  const environment = Object.entries(fake.environment ?? {});
  for (const [name, value] of environment) {
    process.env[name] = value.replace('HOST', server.url.replace('http://', ''));
  }
  const discovery = discoverHere(`scrape_configs:\n${job}`, (config) => {
    if (fake.isLedByProxy !== true || config.kind !== 'platform') return config;
    const tls = { ...DEFAULT_TLS_CONFIG, insecureSkipVerify: true };
    const proxy = { ...DEFAULT_PROXY_CONFIG, proxyUrl: server.url, noProxy: '127.0.0.1' };
    return { ...config, httpClient: { ...config.httpClient, tls, proxy } };
  });
  return {
    server,
    found: () => inOrder(discovery.found(fake.name).map(server.withoutOwnPort)),
    failureCount: discovery.failureCount,
    figures: discovery.figures,
    close: () => {
      discovery.close();
      server.close();
      for (const [name] of environment) delete process.env[name];
    },
  };
}

/** What a real Prometheus has discovered and dropped, by job. */
export async function discoveredLabels(judge: JudgeServer): Promise<Record<string, LabelRecord[]>> {
  type Dropped = { readonly discoveredLabels: Record<string, string> };
  const { droppedTargets } = await judge.ask<{ droppedTargets: Dropped[] }>('targets', {
    state: 'dropped',
  });
  const found: Record<string, LabelRecord[]> = {};
  for (const { discoveredLabels: labels } of droppedTargets) {
    (found[labels['job']!] ??= []).push(withoutJob(labels));
  }
  for (const name of Object.keys(found)) found[name] = inOrder(found[name]!);
  return found;
}

/** What a real Prometheus finds at all of `fakes`, once it has found so many targets. */
export async function findInJudge(
  fakes: readonly Fake[],
  countOf: (fake: Fake) => number | null,
): Promise<Recorded> {
  const servers = await Promise.all(fakes.map(serveFake));
  const jobs = fakes.map((fake, index) => jobOf(fake, servers[index]!));
  const judge = await JudgeServer.start(`scrape_configs:\n${jobs.join('')}`);
  try {
    for (let attempt = 0; ; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      const all = await discoveredLabels(judge);
      const found = fakes.map(({ name }, index): [string, LabelRecord[]] => {
        return [name, inOrder((all[name] ?? []).map(servers[index]!.withoutOwnPort))];
      });
      const isDone = fakes.every((fake, index) => {
        const count = countOf(fake);
        // Without a number to wait for, wait long enough.
        return count === null ? attempt >= 40 : found[index]![1].length === count;
      });
      if (isDone || attempt >= 60) return Object.fromEntries(found);
    }
  } finally {
    judge.stop();
    for (const server of servers) server.close();
  }
}

function jobOf(fake: Fake, server: FakeServer): string {
  return `- job_name: "${fake.name}"
  relabel_configs: [ { action: drop, source_labels: [], regex: ".*" } ]
  ${fake.mechanism}_sd_configs: [ { ${server.settings(fake)} } ]
`;
}

const OF_JOB = /^(?:job|__scrape_\w+__|__\w+_histograms\w*__)$/;
/** What a job sets where discovery does not. */
const JOB_DEFAULTS: LabelRecord = { __scheme__: 'http', __metrics_path__: '/metrics' };

/** What comes from discovery; an empty label is none. */
function withoutJob(labels: LabelRecord): LabelRecord {
  const own = Object.entries(labels).filter(([name, value]) => {
    return value !== '' && !OF_JOB.test(name) && JOB_DEFAULTS[name] !== value;
  });
  return Object.fromEntries(own);
}

/** Labels of groups and targets together. */
function flatten(groups: readonly TargetGroup[]): LabelRecord[] {
  return groups.flatMap(({ labels, targets }) =>
    targets.map((target) => withoutJob({ ...labels, ...target })),
  );
}

function inOrder(labels: readonly LabelRecord[]): LabelRecord[] {
  const sorted = labels.map((one) =>
    Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))),
  );
  // Found twice, a target is one target nevertheless.
  const keys = new Set(sorted.map((one) => JSON.stringify(one)));
  return [...keys].sort().map((key) => JSON.parse(key) as LabelRecord);
}
