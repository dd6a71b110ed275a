/** Any OTLP requests to a real Prometheus and to ours: the same series, histograms and exemplars. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { JUDGE_BINARY } from '../../support/judge.ts';
import type { TestServer } from '../support/server.ts';
import { serversOfTests } from '../support/servers.ts';
import { type Json, otlpProtobuf } from './support/otlp-messages.ts';
import { attributes, nanos, type Value } from './support/otlp-requests.ts';

const { start } = serversOfTests();
const RUN_COUNT = Number(process.env['NARTHEX_RUNS'] ?? 60);

const CONFIGS = [
  '',
  'otlp: {translation_strategy: UnderscoreEscapingWithoutSuffixes}',
  'otlp: {translation_strategy: NoUTF8EscapingWithSuffixes}',
  'otlp: {translation_strategy: NoTranslation}',
  `otlp: {promote_resource_attributes: [host.name, service.name, a.b],
    keep_identifying_resource_attributes: true, promote_scope_metadata: true}`,
  `otlp: {promote_all_resource_attributes: true, ignore_resource_attributes: [os.type],
    convert_histograms_to_nhcb: true, promote_scope_metadata: true}`,
  `otlp: {label_name_underscore_sanitization: false,
    label_name_preserve_multiple_underscores: true}`,
];

const text = (tokens: readonly string[], maxLength: number) =>
  fc.array(fc.constantFrom(...tokens), { minLength: 1, maxLength }).map((found) => found.join(''));
const KEY_TOKENS = ['a', 'b', '.', '_', '__', '-', '1', 'ä', 'job', ' ', ':', '/'];
const NAME_TOKENS = [...'aB_.-1: /'.split(''), 'ä', 'total', 'ratio', 'seconds', 'bytes', 'per'];
/** Those of which nothing would be left are refused by Prometheus; ours are underscores. */
const key = fc
  .oneof(fc.constantFrom('a.b', 'a_b', 'http.method', 'code', '__x__'), text(KEY_TOKENS, 4))
  .filter((found) => /[a-z1]/.test(found));
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom('', 'x', 'ä "\n', 'true'),
  fc.integer({ min: -1e9, max: 1e15 }),
  fc.constantFrom(1.5, -0.001, 1e-6, 2.5e-7, 1e-9, 1234567.875),
  fc.boolean(),
  fc.array(fc.constantFrom('p', '', 'ä<&>')),
  fc.constant({ z: 'w', a: true, n: 3, l: ['x'] }),
);
const labels = fc.dictionary(key, value, { maxKeys: 4 });
const unit = fc.oneof(
  fc.constantFrom('', '1', '%', 's', 'ms', 'By', 'KiBy', '{req}', '{req}/s', 'By/s', 'm/h', 'Cel'),
  text(['s', 'By', '/', '{x}', 'foo', '1', ' ', 'µ'], 3),
);

const common = fc.record({
  attributes: labels.map(attributes),
  startMs: fc.constantFrom<number | null>(null, 100_000, 50_000),
  flags: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(1) },
  ),
});
const exemplar = fc.record({
  filteredAttributes: fc
    .dictionary(key, fc.constantFrom('x', 'yy'), { maxKeys: 2 })
    .map(attributes),
  asDouble: fc.constantFrom(0.3, 7, 1e6),
  traceId: fc.constantFrom('', '5b8efff798038103d269b633813fc60c'),
  spanId: fc.constantFrom('', 'eee19b7ec3c1b174'),
});
const exemplarsOf = fc.array(exemplar, { maxLength: 1 });
const reading = fc.oneof(
  fc.integer({ min: -5, max: 1e9 }).map((asInt) => ({ asInt: String(asInt) })),
  fc.constantFrom(0, 0.5, -1e300, 1e-5).map((asDouble) => ({ asDouble })),
);
const count = fc.nat(4);
const total = (counts: readonly number[]) => counts.reduce((sum, some) => sum + some, 0);
const words = (counts: readonly number[]) => counts.map(String);

const classic = fc
  .record({
    bounds: fc.constantFrom([], [0.5], [0.005, 1, 10], [-1, 0, 1e6]),
    counts: fc.array(count, { minLength: 4, maxLength: 4 }),
    sum: fc.constantFrom<number | undefined>(undefined, 0, 12.25),
    exemplars: exemplarsOf,
  })
  .map(({ bounds, counts, sum, exemplars }) => {
    const used = counts.slice(0, bounds.length + 1);
    const shared = { count: String(total(used)), exemplars, ...(sum === undefined ? {} : { sum }) };
    return { ...shared, explicitBounds: bounds, bucketCounts: words(used) };
  });
const side = fc.record({ offset: fc.integer({ min: -9, max: 9 }), counts: fc.array(count) });
const exponential = fc
  .record({
    scale: fc.integer({ min: -5, max: 11 }),
    positive: side,
    negative: side,
    zero: count,
    sum: fc.constantFrom<number | undefined>(undefined, 33),
    exemplars: exemplarsOf,
  })
  // Prometheus misplaces what follows an empty bucket when it makes fine buckets coarser.
  .map((drawn) => {
    if (drawn.scale <= 8) return drawn;
    const filled = ({ offset, counts }: typeof drawn.positive) => ({
      offset,
      counts: counts.map((one) => one + 1),
    });
    return { ...drawn, positive: filled(drawn.positive), negative: filled(drawn.negative) };
  })
  .map(({ scale, positive, negative, zero, sum, exemplars }) => ({
    scale,
    zeroCount: String(zero),
    count: String(zero + total(positive.counts) + total(negative.counts)),
    ...(sum === undefined ? {} : { sum }),
    positive: { offset: positive.offset, bucketCounts: words(positive.counts) },
    negative: { offset: negative.offset, bucketCounts: words(negative.counts) },
    exemplars,
  }));
const summary = fc.record({
  count: count.map(String),
  sum: fc.constantFrom(0, 4.5),
  quantileValues: fc.subarray([
    { quantile: 0.5, value: 1 },
    { quantile: 0.99, value: 2 },
    { quantile: 1, value: 3 },
  ]),
});

const points = <T extends Json>(content: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(common, content), { minLength: 1, maxLength: 2 });
const temporality = fc.oneof(
  { weight: 12, arbitrary: fc.constant(2) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1) },
);
const withExemplars = fc.tuple(reading, exemplarsOf).map(([n, exemplars]) => ({ ...n, exemplars }));
const kinds = fc.oneof(
  fc.record({ kind: fc.constant('gauge'), points: points(withExemplars) }),
  fc.record({
    kind: fc.constant('sum'),
    points: points(withExemplars),
    temporality,
    isMonotonic: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('histogram'), points: points(classic), temporality }),
  fc.record({
    kind: fc.constant('exponentialHistogram'),
    points: points(exponential),
    temporality,
  }),
  fc.record({ kind: fc.constant('summary'), points: points(summary) }),
);
/** Prometheus takes one byte off with a suffix, which may be half of a letter. */
const anyName = text(NAME_TOKENS, 6).filter((found) => !/ä(?:total|ratio|per.*)$/.test(found));
const metric = fc.record({
  name: fc.oneof(fc.constantFrom('http.server.duration', 'x_total', 'x.total'), anyName),
  unit,
  data: kinds,
});
const request = fc.record({
  resource: fc.record(
    {
      'service.name': fc.constantFrom('svc', 'ä'),
      'service.namespace': fc.constantFrom('', 'ns'),
      'host.name': fc.constant('h'),
      'os.type': fc.constant('linux'),
      'a.b': value,
    },
    { requiredKeys: [] },
  ),
  more: labels,
  scope: fc.record(
    { name: fc.constant('lib'), version: fc.constant('1.2'), more: labels },
    { requiredKeys: ['more'] },
  ),
  metrics: fc.array(metric, { minLength: 1, maxLength: 3 }),
});
type Drawn = typeof request extends fc.Arbitrary<infer T> ? T : never;

/** Points of a metric and metrics of a request come one after the other, so that none is late. */
function requestOf(drawn: Drawn, id: string, baseMs: number): Json {
  let timeMs = baseMs;
  const metrics = drawn.metrics.map(({ name, unit: u, data }, i) => {
    const { kind, points: drawnPoints, ...rest } = data;
    const dataPoints = drawnPoints.map(([{ startMs, flags, attributes: pairs }, content]) => {
      timeMs += 1000;
      const exemplars = (content as { exemplars?: Json[] }).exemplars ?? [];
      return {
        ...content,
        attributes: pairs,
        timeUnixNano: nanos(timeMs),
        ...(startMs === null ? {} : { startTimeUnixNano: nanos(baseMs - startMs) }),
        ...(flags === 0 ? {} : { flags }),
        ...(exemplars.length === 0
          ? {}
          : { exemplars: exemplars.map((e) => ({ ...e, timeUnixNano: nanos(timeMs) })) }),
      };
    });
    const { temporality: aggregationTemporality, ...monotonic } = {
      temporality: undefined,
      ...rest,
    };
    const described = { name: drawn.metrics.length === 1 ? name : `m${i}${name}`, unit: u };
    const said = aggregationTemporality === undefined ? {} : { aggregationTemporality };
    return { ...described, description: 'd', [kind]: { dataPoints, ...said, ...monotonic } };
  });
  const { more, ...scope } = drawn.scope;
  const resource = { ...drawn.more, ...drawn.resource, 'service.instance.id': id };
  return {
    resourceMetrics: [
      {
        resource: { attributes: attributes(resource) },
        scopeMetrics: [
          { scope: { ...scope, attributes: attributes(more) }, schemaUrl: 'u', metrics },
        ],
      },
    ],
  };
}

async function send(server: TestServer, sent: Json, encoding: string) {
  const isJson = encoding === 'json';
  const { status, text: answer } = await server.get('/api/v1/otlp/v1/metrics', {
    method: 'POST',
    headers: { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' },
    body: isJson ? JSON.stringify(sent) : Buffer.from(otlpProtobuf(sent)),
  });
  return { isTaken: status === 200, status, answer };
}

async function stored(server: TestServer, id: string, timeMs: number): Promise<string[]> {
  const selector = `{instance="${id}"}`;
  const query = encodeURIComponent(`${selector}[1h]`);
  const { result } = await server.json<{ result: unknown[] }>(
    `/api/v1/query?query=${query}&time=${timeMs / 1000}`,
  );
  const exemplars = await server.json<unknown[]>(
    `/api/v1/query_exemplars?query=${encodeURIComponent(selector)}&start=0&end=${timeMs / 1000}`,
  );
  return [...result, ...exemplars].map((series) => JSON.stringify(series)).toSorted();
}

test.skipIf(JUDGE_BINARY === null).each(CONFIGS)(
  'with %s',
  { timeout: 120_000 },
  async (config) => {
    const flags = ['--web.enable-otlp-receiver', '--enable-feature=exemplar-storage'];
    const [judge, ours] = await Promise.all([
      start(`${config}\n`, [JUDGE_BINARY!], ...flags),
      start(`${config}\n`, undefined, ...flags),
    ]);
    const baseMs = Date.now() - 600_000;
    let number = 0;
    let takenCount = 0;
    await fc.assert(
      fc.asyncProperty(request, fc.constantFrom('json', 'protobuf'), async (drawn, encoding) => {
        const id = `i${number++}`;
        const sent = requestOf(drawn, id, baseMs);
        const theirs = await send(judge, sent, 'protobuf');
        const given = await send(ours, sent, encoding);
        expect([given, theirs]).toEqual([given, { ...theirs, isTaken: given.isTaken }]);
        // Of a request that Prometheus refuses, ours stores what can be stored.
        if (!theirs.isTaken) return;
        takenCount++;
        const endMs = baseMs + 60_000;
        expect(await stored(ours, id, endMs)).toEqual(await stored(judge, id, endMs));
      }),
      { numRuns: RUN_COUNT },
    );
    expect(takenCount).toBeGreaterThan(RUN_COUNT / 4);
  },
);
