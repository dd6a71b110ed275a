/** The cache of series beside a Map, and the fingerprints that it goes by. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SeriesRef } from '../../../model/index.ts';
import { Fingerprint } from '../../../src/remote/fingerprint.ts';
import { SeriesRefCache } from '../../../src/remote/series-ref-cache.ts';

const HOUR_MS = 3_600_000;

function printOf(text: string): Fingerprint {
  const bytes = new TextEncoder().encode(text);
  const print = new Fingerprint();
  print.ofBytes(bytes, new DataView(bytes.buffer), 0, bytes.length);
  return print;
}

function keyOf({ a, b, c }: Fingerprint): string {
  return `${a} ${b} ${c}`;
}

test('it finds what was put in last', () => {
  const entry = fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 3000, size: 'max' }), (entries) => {
      const cache = new SeriesRefCache();
      const model = new Map<number, number>();
      for (const [number, ref] of entries) {
        cache.set(printOf(`series ${number}`), ref as SeriesRef);
        model.set(number, ref);
      }
      expect(cache.count).toBe(model.size);
      for (let number = 0; number < 3000; number += 7) {
        expect(cache.find(printOf(`series ${number}`))).toBe(model.get(number) ?? 0);
      }
    }),
    { numRuns: 20 },
  );
});

test('it forgets what was not used for hours, once it has to grow', () => {
  const cache = new SeriesRefCache();
  cache.tell(0);
  for (let i = 1; i <= 190; i++) cache.set(printOf(`old ${i}`), i as SeriesRef);
  cache.tell(3 * HOUR_MS);
  for (let i = 1; i <= 10; i++) expect(cache.find(printOf(`old ${i}`))).toBe(i);
  for (let i = 1; i <= 100; i++) cache.set(printOf(`new ${i}`), (1000 + i) as SeriesRef);
  expect(cache.count).toBe(110);
  expect(cache.find(printOf('old 10'))).toBe(10);
  expect(cache.find(printOf('old 11'))).toBe(0);
  expect(cache.find(printOf('new 100'))).toBe(1100);
});

test('it holds no references that its words cannot', () => {
  const cache = new SeriesRefCache();
  cache.set(printOf('a'), (2 ** 31) as SeriesRef);
  expect(cache.find(printOf('a'))).toBe(0);
});

test('fingerprints tell texts apart, wherever they lie', () => {
  const seen = new Set<string>();
  let count = 0;
  for (let i = 0; i < 20_000; i++) {
    seen.add(keyOf(printOf(`http_requests_total instance 10.0.0.${i % 250}:${i}`)));
    count++;
  }
  // Lengths that differ only by zero bytes, and single bits.
  for (let length = 0; length < 40; length++) {
    seen.add(keyOf(printOf('\0'.repeat(length))));
    count++;
  }
  expect(seen.size).toBe(count);
  const bytes = new TextEncoder().encode('xyzseries 5xyz');
  const shifted = new Fingerprint();
  shifted.ofBytes(bytes, new DataView(bytes.buffer), 3, 11);
  expect(keyOf(shifted)).toBe(keyOf(printOf('series 5')));
});

test('fingerprints of sequences depend on order and number', () => {
  const of = (...texts: string[]) => {
    const print = new Fingerprint();
    print.begin(texts.length);
    for (const text of texts) {
      const { a, b, c } = printOf(text);
      print.add(a, b, c);
    }
    print.finish();
    return keyOf(print);
  };
  expect(of('a', 'b')).toBe(of('a', 'b'));
  const all = [of(), of('a'), of('a', 'b'), of('b', 'a'), of('ab'), of('a', 'b', ''), of('', 'a')];
  expect(new Set(all).size).toBe(all.length);
  const words = Array.from({ length: 60 }, (_, i) => `value-${i}`);
  const pairs = words.flatMap((x) => words.map((y) => of('name', x, 'other', y)));
  expect(new Set(pairs).size).toBe(3600);
});
