/**
 * The same remote-write requests, most of them damaged, to a real Prometheus and to ours: the same
 * verdict, in the same words where the message could be read, and the same samples afterwards.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FloatHistogram, Histogram } from '../../../model/index.ts';
import { JUDGE_BINARY } from '../../support/judge.ts';
import { TestServer } from '../support/server.ts';
import { encodeV1, encodeV2, packed, type Pairs, type SentSeries } from './support/messages.ts';

const NOW_MS = Date.now();
const BASE_MS = NOW_MS - 3_000_000;
const ODD_TIMES_MS = [NOW_MS + 3_600_000, BASE_MS - 86_400_000, 0, -5];
const V1 = 'application/x-protobuf';
const V2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

const seldom = <T>(arbitrary: fc.Arbitrary<T>, usual: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 20, arbitrary: usual }, { weight: 1, arbitrary });

const histogram: fc.Arbitrary<Histogram | FloatHistogram> = fc
  .record({
    isFloat: fc.boolean(),
    schema: seldom(fc.constantFrom(-5, 60, -53), fc.constantFrom(-4, 0, 3, 8, -53)),
    counts: fc.array(fc.nat(5), { maxLength: 4 }),
    zeroCount: fc.nat(3),
    wrongBy: seldom(fc.constantFrom(-1, 1), fc.constant(0)),
    offset: seldom(fc.constant(-2), fc.nat(4)),
    second: seldom(fc.constantFrom(-1, 3), fc.constant(0)),
    bounds: seldom(
      fc.constantFrom<number[]>([3, 2], [1], [1, Infinity]),
      fc.constant<number[]>([1, 2, 3, 4, 5, 6, 7]),
    ),
    sum: fc.double({ noDefaultInfinity: true }),
  })
  .map(({ isFloat, schema, counts, zeroCount, wrongBy, offset, second, bounds, sum }) => {
    const isCustom = schema === -53;
    const common = {
      hint: 'unknown' as const,
      schema,
      zeroThreshold: isCustom ? 0 : 0.001,
      zeroCount: isCustom ? 0 : zeroCount,
      sum,
      stale: false,
      positiveSpans: [
        ...(counts.length > 0 ? [{ offset, length: counts.length }] : []),
        ...(second === 0 ? [] : [{ offset: second, length: 1 }]),
      ],
      negativeSpans: [],
      customBounds: isCustom ? bounds : [],
    };
    const inBuckets = counts.reduce((a, b) => a + b, 0) + common.zeroCount;
    const count = Math.max(0, inBuckets + wrongBy);
    if (isFloat) {
      return { kind: 'float', ...common, count, positiveCounts: counts, negativeCounts: [] };
    }
    const positiveDeltas = counts.map((value, i) => value - (counts[i - 1] ?? 0));
    return { kind: 'integer', ...common, count, positiveDeltas, negativeDeltas: [] };
  });

type Draft = {
  readonly labels: Pairs;
  readonly isTurned: boolean;
  readonly floats: readonly number[];
  readonly histograms: readonly (Histogram | FloatHistogram)[];
  readonly exemplar: string | null;
  readonly oddTimeMs: number | null;
};

const oneOf = (...sets: Pairs[]) => fc.constantFrom(...sets);

const draft: fc.Arbitrary<Draft> = fc
  .record({
    labels: fc
      .tuple(
        seldom(oneOf([]), oneOf([['__name__', 'm']], [['__name__', 'ä b']])),
        oneOf([], [['x', '']], [['x', '1']]),
        seldom(oneOf([['x', '1']], [['', 'y']], [['__name__', 'o']]), oneOf([])),
      )
      .map((parts) => parts.flat()),
    isTurned: fc.boolean(),
    floats: fc.array(fc.oneof(fc.double(), fc.integer()), { maxLength: 3 }),
    histograms: fc.array(histogram, { maxLength: 2 }),
    exemplar: fc.option(seldom(fc.constant('x'.repeat(200)), fc.constant('abc'))),
    oddTimeMs: seldom(fc.constantFrom<number | null>(...ODD_TIMES_MS), fc.constant(null)),
  })
  // Of a histogram that is wrong in two ways either may be told.
  .map((one) => (one.histograms.length === 0 ? one : { ...one, oddTimeMs: null }))
  // Ours takes exemplars alone, which is said in the guide.
  .map((one) => (one.floats.length + one.histograms.length > 0 ? one : { ...one, exemplar: null }));

/** Times rise: what is late within one request Prometheus loses without a word. */
function seriesOf({ labels, isTurned, ...given }: Draft, id: string): SentSeries {
  const pairs: Pairs = [...labels, ['id', id]];
  let timeMs = BASE_MS;
  const next = () => given.oddTimeMs ?? (timeMs += 1000);
  return {
    labels: isTurned ? pairs.toReversed() : pairs,
    samples: given.floats.map((v) => ({ t: next(), v })),
    histograms: given.histograms.map((h) => ({ t: next(), h })),
    exemplars:
      given.exemplar === null ? [] : [{ labels: [['trace_id', given.exemplar]], v: 1, t: next() }],
  };
}

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const harm = fc.record({
  kind: fc.constantFrom('cut', 'flip', 'insert', 'remove'),
  place,
  byte: fc.nat(255),
});
type Harm = typeof harm extends fc.Arbitrary<infer T> ? T : never;

function damaged(bytes: Uint8Array, { kind, place: where, byte }: Harm): Uint8Array {
  const at = Math.floor(where * bytes.length);
  const rest = bytes.subarray(at);
  switch (kind) {
    case 'cut':
      return bytes.slice(0, at);
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), rest]);
    case 'remove':
      return Buffer.concat([bytes.subarray(0, at), rest.subarray(1 + (byte & 3))]);
    default: {
      const copy = Uint8Array.from(bytes);
      if (at < copy.length) copy[at]! ^= 1 << (byte & 7);
      return copy;
    }
  }
}

const requests = fc.record({
  version: fc.constantFrom(1, 2),
  sentAs: seldom(fc.constant('the other'), fc.constant('itself')),
  drafts: fc.array(draft, { minLength: 1, maxLength: 3 }),
  inMessage: fc.oneof(fc.constant<Harm[]>([]), fc.array(harm, { minLength: 1, maxLength: 2 })),
  inBody: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Harm[]>([]) },
    { weight: 1, arbitrary: fc.array(harm, { minLength: 1, maxLength: 2 }) },
  ),
});

type Answer = { readonly status: number; readonly lines: readonly string[] };

/** Words of the decoder, which come with the first thing wrong that it meets. */
const MALFORMED =
  /^(?:proto: |unexpected EOF|s2: |snappy: |decoded size|parsing labels|parsing ex)/;
/** Told by us alone: what one request brings twice or late, and groups, which no message has. */
const OF_OURS = /^(?:out of order sample|duplicate sample|proto: illegal wireType 3)/;
/** Prometheus adds up the buckets of fine histograms before it looks at them. */
const FINE = /side: |^span/;

/** Labels, whatever their order. */
function textOf(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const idIn = (labels: string) => /(\d{6})\.\d/.exec(labels)?.[1] ?? '';

describe.skipIf(JUDGE_BINARY === null)('damaged requests', { timeout: 120_000 }, () => {
  let ours: TestServer;
  let judge: TestServer;
  beforeAll(async () => {
    ours = await TestServer.create('global: {}\n');
    judge = await TestServer.create('global: {}\n', [JUDGE_BINARY!]);
    const flags = ['--web.enable-remote-write-receiver', '--enable-feature=exemplar-storage'];
    await Promise.all([ours.startReady(...flags), judge.startReady(...flags)]);
  });
  afterAll(async () => {
    await ours?.remove();
    await judge?.remove();
  });

  async function send(server: TestServer, type: string, body: Uint8Array): Promise<Answer> {
    const { status, text } = await server.get('/api/v1/write', {
      method: 'POST',
      headers: { 'content-encoding': 'snappy', 'content-type': type },
      body: Buffer.from(body),
    });
    return { status, lines: text.trim().split('\n').toSorted() };
  }

  async function stored(server: TestServer): Promise<Map<string, string>> {
    const query = encodeURIComponent('{__name__=~".+"}[30d]');
    const { result } = await server.json<{
      result: { metric: Record<string, string>; values?: unknown; histograms?: unknown }[];
    }>(`/api/v1/query?query=${query}&time=${NOW_MS / 1000 + 7200}`);
    return new Map(
      result.map(({ metric, values, histograms }) => [
        textOf(metric),
        JSON.stringify([values, histograms]),
      ]),
    );
  }

  test('get the verdict that Prometheus gives', async () => {
    let count = 0;
    const taken = new Set<string>();
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(requests, async ({ version, sentAs, drafts, inMessage, inBody }) => {
        const id = String(count++).padStart(6, '0');
        const series = drafts.map((one, i) => seriesOf(one, `${id}.${i}`));
        const encoded = version === 1 ? encodeV1(series) : encodeV2(series);
        const body = inBody.reduce(damaged, packed(inMessage.reduce(damaged, encoded)));
        const type = (version === 2) === (sentAs === 'itself') ? V2 : V1;
        const theirs = await send(judge, type, body);
        const given = await send(ours, type, body);
        statuses.add(theirs.status);
        if (theirs.status === 204 && given.status === 204) taken.add(id);
        if (given.lines.some((line) => OF_OURS.test(line))) return;
        expect({ id, status: given.status, lines: given.lines }).toMatchObject({
          status: theirs.status,
        });
        // Of version 1.0 Prometheus names one reason, without the series.
        const isWhole = inMessage.length + inBody.length === 0;
        if (type === V1 || !isWhole || theirs.lines.some((line) => MALFORMED.test(line))) return;
        if (theirs.lines.some((line) => FINE.test(line))) return;
        expect(given.lines).toEqual(theirs.lines);
      }),
      { numRuns: Number(process.env['NARTHEX_RUNS'] ?? 500) },
    );
    expect(statuses).toEqual(new Set([204, 400]));
    expect(taken.size).toBeGreaterThan(50);
    const [found, expected] = [await stored(ours), await stored(judge)];
    const ofTaken = (all: ReadonlyMap<string, string>) =>
      Object.fromEntries([...all].filter(([labels]) => taken.has(idIn(labels))));
    expect(ofTaken(found)).toEqual(ofTaken(expected));
  });
});
