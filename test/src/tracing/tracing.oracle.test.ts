/** The same actions, traced by a real Prometheus and by us. */
import { expect, test } from 'vitest';
import { JUDGE_BINARY } from '../../support/judge.ts';
import { until } from '../support/server.ts';
import { serversOfTests } from '../support/servers.ts';
import type { Received } from './support/collector.ts';
import { RULES, type Scene, scenesOfTests } from './support/scene.ts';

const servers = serversOfTests();
const begin = scenesOfTests();

/** Spans that one has and we have not: one for every node of an expression, and a second queue. */
const NOT_OURS = [
  /promqlInnerEval eval /,
  /^\/(rule|(GET|POST) \/api\/v1\/query\w*)\/promqlExecQueue$/,
];
/** A question to another server: there a part of the query, here a trace of its own. */
const REMOTE_READ = /Remote Read/;
/** Likewise of attributes. Headers may hold secrets. */
const ATTRIBUTES_NOT_OURS = /^http\.request\.header\.|^HTTP (GET|POST) network\.protocol\.version$/;

type Traced = {
  readonly lines: ReadonlySet<string>;
  /** `<span> <attribute>`. */
  readonly attributes: ReadonlySet<string>;
  /** `<span> <kind> <status>`. */
  readonly kinds: ReadonlySet<string>;
  readonly resource: readonly string[];
  readonly told: Readonly<Record<string, boolean>>;
};

async function trace(scene: Scene, program: readonly string[] | undefined): Promise<Traced> {
  const server = await servers.create(scene.config(scene.tracing('sampling_fraction: 1')), program);
  server.writeFile('rules.yml', RULES);
  await server.startReady();
  const { parents, collector } = scene;
  const isTold = (path: string) => (parents.get(path) ?? []).some((parent) => parent !== '');
  // Prometheus gives discovery five seconds before the first scrape.
  await until('a remote write', () => isTold('/write'), 30_000);
  await until('a failing scrape', () => isTold('/missing'));
  await until('an alert', () => parents.has('/api/v2/alerts'));
  await scene.ask(server);
  await server.kill('SIGTERM');
  const { spans } = collector;
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const lineOf = (span: Received): string => {
    const parent = byId.get(span.parentSpanId);
    return `${parent === undefined ? '' : lineOf(parent)}/${span.name}`;
  };
  return {
    lines: new Set(spans.map(lineOf).filter(isWanted)),
    attributes: new Set(
      spans
        .filter((span) => isWanted(lineOf(span)))
        .flatMap(({ name, attributes }) => Object.keys(attributes).map((key) => `${name} ${key}`)),
    ),
    kinds: new Set(
      spans
        .filter((span) => isWanted(lineOf(span)))
        .map(({ name, kind, status }) => `${name} ${kind} ${status.code}`),
    ),
    resource: Object.keys(spans[0]!.resource).sort(),
    told: Object.fromEntries(
      ['/metrics', '/write', '/read', '/api/v2/alerts'].map((p) => [p, isTold(p)]),
    ),
  };
}

/** Nor is how often a test has to ask whether the server is ready. */
function isWanted(line: string): boolean {
  return !line.startsWith('/GET /-/ready') && !REMOTE_READ.test(line);
}

test.skipIf(JUDGE_BINARY === null)(
  'spans have the names, places, kinds and attributes that Prometheus gives them',
  async () => {
    const theirs = await trace(await begin('http'), [JUDGE_BINARY!]);
    const ours = await trace(await begin('grpc'), undefined);
    const shared = [...theirs.lines].filter((line) => !NOT_OURS.some((re) => re.test(line)));
    expect([...ours.lines].sort()).toEqual(shared.sort());
    const names = new Set([...ours.lines].map((line) => line.slice(line.lastIndexOf('/HTTP') + 1)));
    expect(names.size).toBeGreaterThan(10);
    const wanted = [...theirs.attributes].filter(
      (attribute) =>
        !ATTRIBUTES_NOT_OURS.test(attribute) &&
        !/http\.request\.header\./.test(attribute) &&
        !attribute.startsWith('promqlInnerEval eval '),
    );
    expect([...ours.attributes].sort()).toEqual(wanted.sort());
    const kinds = [...theirs.kinds].filter((kind) => !kind.startsWith('promqlInnerEval eval '));
    expect([...ours.kinds].sort()).toEqual(kinds.sort());
    expect(ours.resource).toEqual(theirs.resource);
    expect(ours.told).toEqual(theirs.told);
  },
  90_000,
);
