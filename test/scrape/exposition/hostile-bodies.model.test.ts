/**
 * Bodies that nobody should send: bytes at random, pieces of the formats in any order, good pages
 * with something broken. Whatever comes, a scrape fails with an error that says where, or stores
 * something; it stays fast, and the next good page of the target is stored as ever.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeFamilies } from '../support/family-writer.ts';
import { type Feed, FedTarget } from '../support/scrape-once.ts';
import { shownSeries } from '../support/show.ts';

const RUN_COUNT = 400;
/** Far more than a body of some kilobytes may take on a busy machine. */
const SCRAPE_MS_MAX = 2000;

const TEXT_PAGE = `# HELP http_requests_total Requests, by "code".
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a \\"b\\" \\\\ \\n"} 1.5e3 1395066363000
http_requests_total{code="500"} 3
# TYPE latency histogram
latency_bucket{le="0.1"} 1
latency_bucket{le="+Inf"} 2
latency_sum 0.3
latency_count 2
{"quoted.name","label.with dots"="çup"} NaN
plain -Inf
`;
const OPEN_METRICS_PAGE = `# TYPE latency histogram
# UNIT latency seconds
# HELP latency Time.
latency_bucket{le="0.1"} 1 # {trace="abc"} 0.05 1520879607.789
latency_bucket{le="+Inf"} 2
latency_count 2
latency_sum 0.3
latency_created 1520872607.123
# TYPE state stateset
state{state="a"} 1
# TYPE build info
build_info{version="1"} 1
# TYPE c counter
c_total 3 1520879607.789
c_created 1520872607.123
# EOF
`;
const PROTOBUF_PAGE = writeFamilies(
  { name: 'c_total', type: 'counter', metrics: [{ labels: { a: 'b' }, counter: 3 }] },
  {
    name: 'h',
    type: 'histogram',
    metrics: [
      {
        labels: { x: 'y' },
        histogram: {
          count: 4,
          sum: 2.5,
          buckets: [
            { upTo: 0.1, count: 1 },
            { upTo: 1, count: 3, exemplar: { labels: { id: 'e' }, value: 0.5, timeMs: 1000 } },
          ],
          schema: 3,
          zeroThreshold: 0.001,
          zeroCount: 1,
          spans: [
            [0, 2],
            [1, 1],
          ],
          deltas: [1, 1, -1],
        },
      },
    ],
  },
  {
    name: 's',
    type: 'summary',
    metrics: [{ summary: { count: 2, sum: 3, quantiles: [[0.5, 1]] } }],
  },
);
const PAGES: Readonly<Record<Feed, Uint8Array>> = {
  text: Buffer.from(TEXT_PAGE),
  openmetrics: Buffer.from(OPEN_METRICS_PAGE),
  protobuf: PROTOBUF_PAGE,
};

const TOKENS = [
  ['# HELP ', '# TYPE ', '# UNIT ', '# EOF', '# ', '#', '\n', '\n\n', ' ', '\t', '\r\n', '\0'],
  ['a', 'a_total', 'a_bucket', '_created', 'counter', 'histogram', 'summary', 'gaugehistogram'],
  ['{', '}', '{}', '"', '\\', '\\n', '\\"', '=', ',', 'le="', 'le="1"', 'quantile="0.5"', '{"'],
  ['1', '-', '+Inf', 'NaN', '1e', '1e999', '0x1p-2', '1_0', ' # {a="b"} 1 1', '99999999999999'],
  ['é', '\u{1f600}', '\ud800', '\u2028', 'a'.repeat(300)],
].flat();
const tokenSoup = fc
  .array(fc.constantFrom(...TOKENS), { maxLength: 60 })
  .map((tokens) => Buffer.from(tokens.join('')) as Uint8Array);
const noise = fc.uint8Array({ maxLength: 200 });

type Damage = { readonly at: number; readonly cut: number; readonly put: Uint8Array };
const damage: fc.Arbitrary<Damage> = fc.record({
  at: fc.nat(10_000),
  cut: fc.nat(30),
  put: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom(...TOKENS).map((token) => Buffer.from(token)),
  ),
});

function damaged(page: Uint8Array, damages: readonly Damage[]): Uint8Array {
  return damages.reduce((bytes, { at, cut, put }) => {
    const start = bytes.length === 0 ? 0 : at % bytes.length;
    return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + cut)]);
  }, page);
}

/** One body that is good, bad, or nearly good. */
function bodyFor(feed: Feed): fc.Arbitrary<Uint8Array> {
  const broken = fc
    .array(damage, { minLength: 1, maxLength: 4 })
    .map((damages) => damaged(PAGES[feed], damages));
  return fc.oneof({ weight: 6, arbitrary: broken }, { weight: 3, arbitrary: tokenSoup }, noise);
}

const options = fc.record({
  convertClassicHistograms: fc.boolean(),
  keepClassicHistograms: fc.boolean(),
  scrapeNativeHistograms: fc.boolean(),
  appendMetadata: fc.boolean(),
  readsStarts: fc.boolean(),
  synthesizesStarts: fc.boolean(),
  sampleLimit: fc.constantFrom(0, 3),
});

const feeds: Feed[] = ['text', 'openmetrics', 'protobuf'];
test.each(feeds)('hostile bodies in %s do no harm', { timeout: 60_000 }, (feed) => {
  fc.assert(
    fc.property(options, fc.array(bodyFor(feed), { maxLength: 4 }), (chosen, bodies) => {
      const target = new FedTarget(chosen);
      // `scrape` throws what is not an error about the body.
      for (const body of bodies) {
        const beganMs = performance.now();
        const said = target.scrape(body, feed);
        expect(said).not.toContain('undefined');
        expect(performance.now() - beganMs).toBeLessThan(SCRAPE_MS_MAX);
      }
      const fresh = new FedTarget(chosen);
      for (const one of [target, fresh]) {
        one.timestampMs = 5_000_000;
        one.scrape(PAGES[feed], feed);
      }
      const stored = new Set(shownSeries(target.storage));
      expect(shownSeries(fresh.storage).filter((line) => !stored.has(line))).toEqual([]);
    }),
    { numRuns: RUN_COUNT },
  );
});
