/**
 * Any requests, beside the plain rules of what is stored; and any damage to a request, which must
 * store nothing of it, whole samples of it, or be an error that a client may see.
 */
import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { ValueError } from '../../../model/index.ts';
import type { WriteReport, WriteVersion } from '../../../src/remote/write-batch.ts';
import { encodeV1, encodeV2, packed, type SentSeries } from './support/messages.ts';
import { NOW_MS, RemoteStore, type StoredSample } from './support/store.ts';

const START_MS = NOW_MS - 600_000;
const version = fc.constantFrom<WriteVersion>(1, 2);
const name = fc.constantFrom('a', 'b', 'c_total', 'ä');
const extra = fc.option(fc.tuple(fc.constantFrom('x', 'A', 'zz'), fc.constantFrom('1', '2', '')));
const sample = fc.record({
  t: fc.integer({ min: 0, max: 40 }).map((step) => START_MS + step * 1000),
  v: fc.oneof(fc.constantFrom(0, -0, NaN, Infinity), fc.double(), fc.integer({ min: 0, max: 3 })),
});
const series: fc.Arbitrary<SentSeries> = fc
  .tuple(name, extra, fc.array(sample, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([metric, pair, samples, isTurned]) => {
    const labels = [['__name__', metric] as const, ...(pair === null ? [] : [pair])];
    return { labels: isTurned ? labels.toReversed() : labels, samples };
  });
const request = fc.record({ version, series: fc.array(series, { maxLength: 6 }) });

const stores: RemoteStore[] = [];
afterEach(async () => {
  for (const store of stores.splice(0)) await store.remove();
});
function newStore(): RemoteStore {
  const store = new RemoteStore();
  stores.push(store);
  return store;
}

/** In order, the first of equal times counts, an equal one is welcome. */
class NaiveStore {
  readonly series = new Map<string, StoredSample[]>();

  take(sent: readonly SentSeries[]): number {
    let taken = 0;
    for (const { labels, samples = [] } of sent) {
      const pairs = labels.filter(([, value]) => value !== '');
      const key = pairs
        .map(([n, value]) => `${n}=${value}`)
        .toSorted()
        .join();
      const row = this.series.get(key) ?? [];
      this.series.set(key, row);
      for (const { t, v } of samples) {
        const last = row.at(-1);
        if (last === undefined || t > last[0]) row.push([t, v]);
        else if (t < last[0] || !Object.is(v, last[1])) continue;
        taken++;
      }
    }
    return taken;
  }

  /** As many samples as series have, sorted, which is enough beside equal values. */
  get rows(): string[] {
    return [...this.series.values()].map((row) => JSON.stringify(row.map(show))).toSorted();
  }
}

function show([t, v]: StoredSample): [number, string] {
  return [t, Object.is(v, -0) ? '-0' : String(v)];
}

function rowsOf(store: RemoteStore): string[] {
  return Object.values(store.stored())
    .map((row) => JSON.stringify(row.map(show)))
    .toSorted();
}

test('what was sent is stored, as far as it is in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 6 }), async (requests) => {
      const store = new RemoteStore();
      const naive = new NaiveStore();
      try {
        for (const sent of requests) {
          const report = store.send(sent.version, sent.series);
          const count = sent.series.reduce((sum, one) => sum + one.samples!.length, 0);
          const taken = naive.take(sent.series);
          expect(report.samplesWritten).toBe(taken);
          expect(report.rejection === null).toBe(taken === count);
        }
        expect(rowsOf(store)).toEqual(naive.rows);
      } finally {
        await store.remove();
      }
    }),
    { numRuns: 60 },
  );
});

type Damage =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array };

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: place }),
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  }),
);

function damaged(bytes: Uint8Array, harm: Damage): Uint8Array {
  const at = Math.floor(harm.at * bytes.length);
  if (harm.kind === 'cut') return bytes.slice(0, at);
  if (harm.kind === 'insert') {
    return Uint8Array.from([...bytes.subarray(0, at), ...harm.bytes, ...bytes.subarray(at)]);
  }
  const copy = bytes.slice();
  if (copy.length > 0) copy[at]! ^= 1 << harm.bit;
  return copy;
}

function sampleCountOf(store: RemoteStore): number {
  return Object.values(store.stored()).reduce((sum, row) => sum + row.length, 0);
}

/** Sends to a store that many requests have gone to: what one of them broke, others would see. */
function checkDamaged(store: RemoteStore, sentAs: WriteVersion, body: Uint8Array): void {
  const before = sampleCountOf(store);
  const seriesBefore = store.seriesCount;
  let report: WriteReport | null = null;
  try {
    report = store.receiver.write(sentAs, body);
  } catch (error) {
    expect(error).toBeInstanceOf(ValueError);
  }
  // A sample may be there already, so less may be stored than was taken.
  const storedCount = sampleCountOf(store) - before;
  expect(storedCount).toBeLessThanOrEqual(report?.samplesWritten ?? 0);
  const isMalformed = report === null || (report.rejection?.startsWith('proto: ') ?? false);
  if (isMalformed || report?.rejection === 'unexpected EOF') {
    expect(storedCount).toBe(0);
    expect(store.seriesCount).toBe(seriesBefore);
  }
}

test('a damaged message stores nothing, or what it says', () => {
  const store = newStore();
  fc.assert(
    fc.property(request, fc.array(damage, { minLength: 1, maxLength: 3 }), (sent, harms) => {
      const plain = sent.version === 1 ? encodeV1(sent.series) : encodeV2(sent.series);
      checkDamaged(store, sent.version, packed(harms.reduce(damaged, plain)));
    }),
    { numRuns: 1500 },
  );
});

test('a damaged body stores nothing, or what it says', () => {
  const store = newStore();
  fc.assert(
    fc.property(request, fc.array(damage, { minLength: 1, maxLength: 3 }), (sent, harms) => {
      const plain = sent.version === 1 ? encodeV1(sent.series) : encodeV2(sent.series);
      checkDamaged(store, sent.version, harms.reduce(damaged, packed(plain)));
    }),
    { numRuns: 1500 },
  );
});

test('every beginning of a request is malformed, or a request of its own', () => {
  const store = newStore();
  const sent = [
    { labels: [['__name__', 'a'] as const], samples: [{ t: START_MS, v: 1 }] },
    { labels: [['__name__', 'b'] as const], samples: [{ t: START_MS, v: 2 }] },
  ];
  for (const [sentAs, plain] of [
    [1, encodeV1(sent)],
    [2, encodeV2(sent)],
  ] as const) {
    for (let end = 0; end < plain.length; end++) {
      checkDamaged(store, sentAs, packed(plain.subarray(0, end)));
    }
  }
});
