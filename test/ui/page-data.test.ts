import { describe, expect, test } from 'vitest';
import { parseSamples, ratePerSecond } from '../../web/ui/api/own-samples.ts';
import type { RuleGroup } from '../../web/ui/api/rules.ts';
import type { ActiveTarget, Targets } from '../../web/ui/api/targets.ts';
import { alertGroups, countStates } from '../../web/ui/pages/alerts/alert-groups.ts';
import { yamlParts } from '../../web/ui/pages/config/yaml-line.ts';
import { discoveredPools } from '../../web/ui/pages/discovery/found-targets.ts';
import { labelChanges } from '../../web/ui/pages/discovery/label-changes.ts';
import { filterGroups } from '../../web/ui/pages/rules/filter-groups.ts';
import { runtimeFacts } from '../../web/ui/pages/status/facts.ts';
import { targetHint } from '../../web/ui/pages/targets/target-hint.ts';
import { poolsOf } from '../../web/ui/pages/targets/target-pools.ts';
import { pairSelector } from '../../web/ui/pages/tsdb/pair-selector.ts';

describe('hints for failed scrapes', () => {
  // Error texts as Prometheus 3.14 and Node's HTTP client write them.
  test.each([
    [
      'Get "http://h:1/m": dial tcp 127.0.0.1:1: connect: connection refused',
      'Nothing listens on h:1',
    ],
    ['connect ECONNREFUSED 127.0.0.1:1', 'Nothing listens on h:1'],
    ['dial tcp: lookup h on 10.0.0.1:53: no such host', 'cannot be resolved'],
    ['getaddrinfo ENOTFOUND h', 'cannot be resolved'],
    ['Get "http://h:1/m": context deadline exceeded', 'scrape_timeout (10s)'],
    ['server returned HTTP status 401 Unauthorized', 'who asks'],
    ['server returned HTTP status 404 Not Found', 'nothing at /m'],
    ['server returned HTTP status 503 Service Unavailable', 'failed on its side'],
    [
      'tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'not trusted',
    ],
    ['http: server gave HTTP response to HTTPS client', 'plain HTTP'],
    ['sample_limit exceeded', 'sample_limit'],
    ['body size limit exceeded', 'body_size_limit'],
    [
      'non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified',
      'fallback_scrape_protocol',
    ],
    [
      'strconv.ParseFloat: parsing "is": invalid syntax while parsing: "this is"',
      'exposition format',
    ],
    ['expected a valid start token, got "<" ("INVALID") while parsing: "<"', 'exposition format'],
    ['unexpected EOF', 'closed half-way'],
  ])('%s', (lastError, expected) => {
    const hint = targetHint({ lastError, scrapeUrl: 'http://h:1/m', scrapeTimeout: '10s' });
    expect(hint).toContain(expected);
  });

  test('an unknown text gets none', () => {
    const facts = { lastError: 'strange', scrapeUrl: 'http://h:1/m', scrapeTimeout: '10s' };
    expect(targetHint(facts)).toBeUndefined();
  });
});

const target = (
  scrapePool: string,
  health: ActiveTarget['health'],
  name: string,
): ActiveTarget => ({
  discoveredLabels: { __address__: name },
  labels: { instance: name, job: scrapePool },
  scrapePool,
  scrapeUrl: `http://${name}/metrics`,
  globalUrl: `http://${name}/metrics`,
  lastError: '',
  lastScrape: '2026-03-01T00:00:00Z',
  lastScrapeDuration: 0.01,
  health,
  scrapeInterval: '15s',
  scrapeTimeout: '10s',
});

describe('targets in pools', () => {
  const targets = [
    target('calm', 'up', 'c:1'),
    target('bad', 'up', 'b:1'),
    target('bad', 'down', 'b:2'),
  ];

  test('put trouble first and count whole pools', () => {
    const pools = poolsOf(targets, { health: 'all', text: '' });
    expect(pools.map(({ name }) => name)).toEqual(['bad', 'calm']);
    expect(pools[0]!.targets.map(({ health }) => health)).toEqual(['down', 'up']);
  });

  test('filter by health and by text, but keep the counts', () => {
    const [pool, ...others] = poolsOf(targets, { health: 'up', text: 'instance=b' });
    expect(others).toEqual([]);
    expect(pool!.targets).toHaveLength(1);
    expect(pool!.counts).toEqual({ up: 1, down: 1, unknown: 0 });
  });

  test('discovery lists dropped ones beside them and knows how many are not listed', () => {
    const all: Targets = {
      activeTargets: targets,
      droppedTargets: [{ discoveredLabels: { __address__: 'd:1' }, scrapePool: 'bad' }],
      droppedTargetCounts: { bad: 5, calm: 0 },
    };
    const [bad] = discoveredPools(all, 'all', '');
    expect(bad).toMatchObject({ activeCount: 2, droppedCount: 5, keptDroppedCount: 1 });
    expect(discoveredPools(all, 'dropped', '').map(({ found }) => found.length)).toEqual([1]);
    expect(discoveredPools(all, 'all', 'd:1').map(({ name }) => name)).toEqual(['bad']);
  });

  test('relabelling is shown as what it changed', () => {
    expect(labelChanges({ a: '1', b: '2' }, { b: '3', c: '4' })).toEqual([
      { name: 'a', from: '1', to: undefined },
      { name: 'b', from: '2', to: '3' },
      { name: 'c', from: undefined, to: '4' },
    ]);
  });
});

describe('rules', () => {
  const base = { query: 'up == 0', health: 'ok', evaluationTime: 0, lastEvaluation: '' } as const;
  const alerting = (name: string, state: 'firing' | 'pending' | 'inactive') => ({
    ...base,
    type: 'alerting' as const,
    name,
    state,
    duration: 0,
    keepFiringFor: 0,
    alerts:
      state === 'firing' ? [{ labels: { zone: 'north' }, annotations: {}, state, value: '1' }] : [],
  });
  const group = (name: string, rules: RuleGroup['rules']): RuleGroup => ({
    name,
    file: 'f.yml',
    interval: 15,
    rules,
    evaluationTime: 0,
    lastEvaluation: '',
  });
  const groups = [
    group('quiet', [alerting('Q', 'inactive'), { ...base, type: 'recording', name: 'r' }]),
    group('loud', [alerting('P', 'pending'), alerting('F', 'firing')]),
    group('recording', [
      { ...base, type: 'recording', name: 'x', health: 'err', lastError: 'boom' },
    ]),
  ];

  test('alerts: the most urgent first, groups without alerts left out', () => {
    const shown = alertGroups(groups, { state: 'all', text: '' });
    expect(shown.map(({ name }) => name)).toEqual(['loud', 'quiet']);
    expect(shown[0]!.rules.map(({ name }) => name)).toEqual(['F', 'P']);
    expect(countStates(groups)).toEqual({ firing: 1, pending: 1, inactive: 1, unknown: 0 });
  });

  test('alerts: found by the labels of an instance', () => {
    const shown = alertGroups(groups, { state: 'all', text: 'zone=north' });
    expect(shown.flatMap(({ rules }) => rules.map(({ name }) => name))).toEqual(['F']);
  });

  test('rules: filtered by health and by what went wrong', () => {
    expect(filterGroups(groups, 'err', '').map(({ name }) => name)).toEqual(['recording']);
    expect(filterGroups(groups, 'all', 'boom').map(({ name }) => name)).toEqual(['recording']);
    expect(filterGroups(groups, 'ok', 'boom')).toEqual([]);
  });
});

describe('the server’s own figures', () => {
  test('are summed over series, and counters give rates', () => {
    const before = parseSamples('# HELP a b\na{x="1"} 1\na{x="2 }"} 2\nb 5\n', 1000);
    const now = parseSamples('a{x="1"} 11\na{x="2 }"} 12\nb 4\n', 6000);
    expect(before.byName.get('a')).toBe(3);
    expect(ratePerSecond(now, before, 'a')).toBe(4);
    expect(ratePerSecond(now, before, 'b')).toBeUndefined();
    expect(ratePerSecond(now, undefined, 'a')).toBeUndefined();
  });

  test('runtime facts come in our order, with unknown ones behind', () => {
    const facts = runtimeFacts({
      novelty: 7,
      GODEBUG: '',
      reloadConfigSuccess: false,
      lastConfigTime: '2026-03-01T00:00:00Z',
      startTime: '2026-03-01T00:00:00Z',
      GOMEMLIMIT: 2 ** 63,
    });
    expect(facts.map(({ name }) => name)).toEqual([
      'Started',
      'Last configuration reload',
      'Configuration loaded',
      'Memory limit',
      'novelty',
    ]);
    expect(facts[1]!.tone).toBe('bad');
    expect(facts[3]!.text).toBe('none');
  });

  test('a label pair becomes a selector, whatever its value holds', () => {
    expect(pairSelector('job=a=b"c')).toBe('{job="a=b\\"c"}');
  });
});

describe('YAML in colours', () => {
  test.each([
    ['global:', ['plain:', 'key:global:']],
    ['  scrape_interval: 15s', ['plain:  ', 'key:scrape_interval:', 'number: 15s']],
    ['- job_name: node', ['plain:- ', 'key:job_name:', 'string: node']],
    ['  - targets:', ['plain:  - ', 'key:targets:']],
    ['    - localhost:9090', ['string:    - localhost:9090']],
    ['  password: <secret>', ['plain:  ', 'key:password:', 'secret: <secret>']],
    ['  follow_redirects: true', ['plain:  ', 'key:follow_redirects:', 'number: true']],
  ])('%j', (line, parts) => {
    expect(yamlParts(line).map(({ kind, text }) => `${kind}:${text}`)).toEqual(parts);
    expect(
      yamlParts(line)
        .map(({ text }) => text)
        .join(''),
    ).toBe(line);
  });
});
