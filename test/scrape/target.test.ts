/** Labels, URLs and messages are those of Prometheus 3.14. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_RELABEL_CONFIG, type RelabelConfig, Relabeler } from '../../model/index.ts';
import type { LabelRecord, ScrapeConfig } from '../../scrape/index.ts';
import { globalUrlOf } from '../../scrape/global-url.ts';
import { targetsOfGroup } from '../../scrape/target.ts';
import { scrapeConfig } from './support/fake-targets.ts';

function outcomeOf(
  labels: LabelRecord,
  config: Partial<ScrapeConfig> = {},
  relabel: LabelRecord = {},
) {
  const rules: RelabelConfig[] = [];
  for (const [targetLabel, replacement] of Object.entries(relabel)) {
    rules.push({ ...DEFAULT_RELABEL_CONFIG, targetLabel, replacement });
  }
  const group = { source: '', labels: { group: 'g', own: 'group' }, targets: [labels] };
  return targetsOfGroup(group, scrapeConfig(config), new Relabeler(rules))[0]!;
}

function targetOf(...args: Parameters<typeof outcomeOf>) {
  const outcome = outcomeOf(...args);
  if (outcome.kind !== 'target') throw new Error(JSON.stringify(outcome));
  return outcome.target;
}

test('a target has its own labels, those of its group, and those of its job', () => {
  const target = targetOf({ __address__: 'a:1', own: 'target', __meta_x: 'y', __tmp: 'z' });
  expect(target.labels.toObject()).toEqual({
    group: 'g',
    instance: 'a:1',
    job: 'job',
    own: 'target',
  });
  expect(target.discoveredLabels.toObject()).toMatchObject({ __meta_x: 'y', __scheme__: 'http' });
});

describe('a URL', () => {
  test.each<[LabelRecord, Partial<ScrapeConfig>, string]>([
    [{}, {}, 'http://a:1/metrics'],
    [{ __scheme__: 'https' }, {}, 'https://a:1/metrics'],
    [{ __scheme__: 'ftp' }, {}, 'ftp://a:1/metrics'],
    [{ __scheme__: '' }, {}, '//a:1/metrics'],
    [{ __metrics_path__: '' }, {}, 'http://a:1'],
    [{ __metrics_path__: 'x/y' }, {}, 'http://a:1/x/y'],
    [{ __metrics_path__: '/a*b(c)[d] e!' }, {}, 'http://a:1/a%2Ab%28c%29%5Bd%5D%20e%21'],
    [
      { __metrics_path__: '/c?x=1&a=9', __param_a: 'z', __param_n: 'new' },
      { params: { a: ['x', 'y'], b: ['é &'], module: ['q'] } },
      'http://a:1/c%3Fx=1&a=9?a=z&a=y&b=%C3%A9+%26&module=q&n=new',
    ],
    [{ __address__: 'é:80' }, {}, 'http://%C3%A9:80/metrics'],
    [{ __address__: '[::1]:9' }, {}, 'http://[::1]:9/metrics'],
    [{ __address__: 'a b' }, {}, 'http://a%20b/metrics'],
  ])('from %j', (relabel, config, url) => {
    expect(targetOf({ __address__: 'a:1' }, config, relabel).url).toBe(url);
  });

  test.each([
    ['http://localhost:9100/metrics', 'http://ext.org:9100/metrics'],
    ['http://127.0.0.1:9090/metrics', 'http://ext.org:80/metrics'],
    ['http://[::1]/m?x', 'http://ext.org/m?x'],
    ['http://other:9100/metrics', 'http://other:9100/metrics'],
  ])('%s is %s for others', (url, expected) => {
    expect(globalUrlOf(url, 'ext.org:80', '9090')).toBe(expected);
    expect(globalUrlOf(url, '', '9090')).toBe(url);
  });
});

test.each<[LabelRecord, string]>([
  [{ __address__: '' }, 'no address'],
  [{ __address__: 'foo/bar' }, '"foo/bar" is not a valid hostname'],
  [
    { __scrape_interval__: 'abc' },
    'error parsing scrape interval: not a valid duration string: "abc"',
  ],
  [{ __scrape_interval__: '' }, 'error parsing scrape interval: empty duration string'],
  [{ __scrape_interval__: '0s' }, 'scrape interval cannot be 0'],
  [{ __scrape_timeout__: '0s' }, 'scrape timeout cannot be 0'],
  [
    { __scrape_timeout__: '20s' },
    'scrape timeout cannot be greater than scrape interval ("20s" > "10s")',
  ],
  [
    { __convert_classic_histograms_to_nhcb__: 'yes' },
    'error parsing convert classic histograms to nhcb: ' +
      'strconv.ParseBool: parsing "yes": invalid syntax',
  ],
])('%j makes no target: %s', (relabel, problem) => {
  expect(outcomeOf({ __address__: 'a:1' }, {}, relabel)).toEqual({ kind: 'bad', problem });
});

test('labels decide how histograms are read', () => {
  const target = targetOf(
    { __address__: 'a:1' },
    { alwaysScrapeClassicHistograms: true },
    {
      __scrape_native_histograms__: 'T',
      __convert_classic_histograms_to_nhcb__: '',
      __always_scrape_classic_histograms__: '0',
    },
  );
  expect(target).toMatchObject({
    scrapeNativeHistograms: true,
    convertClassicHistogramsToNhcb: false,
    alwaysScrapeClassicHistograms: false,
  });
});

test('a label names a socket to ask in place of the address', () => {
  const relabel = { __unix_socket__: '/run/app.sock' };
  const target = targetOf({ __address__: 'app' }, {}, relabel);
  expect(target).toMatchObject({ unixSocket: '/run/app.sock', url: 'http://app/metrics' });
  const other = targetOf({ __address__: 'app' }, {}, {});
  expect(other.unixSocket).toBe('');
  expect(other.key).not.toBe(target.key);
});
