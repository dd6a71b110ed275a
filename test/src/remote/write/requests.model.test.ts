/**
 * Requests of both versions, read back by the receiver's readers, say what was put into the queue;
 * also after series were forgotten and the others were numbered anew.
 */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels, METRIC_TYPES } from '../../../../model/index.ts';
import { RequestV1 } from '../../../../src/remote/write/request-v1.ts';
import { RequestV2 } from '../../../../src/remote/write/request-v2.ts';
import { SendQueue } from '../../../../src/remote/write/send-queue.ts';
import { SentSeries } from '../../../../src/remote/write/sent-series.ts';
import { readRequest } from '../support/read-request.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });
const labels = fc
  .dictionary(fc.string({ minLength: 1, maxLength: 10 }), text, { minKeys: 1, maxKeys: 5 })
  .map((object) => Labels.fromObject({ ...object }));
const metadata = fc.record({
  type: fc.constantFrom(...METRIC_TYPES),
  help: fc.string({ maxLength: 150 }),
  unit: fc.string({ maxLength: 5 }),
});
const half = fc.integer({ min: 0, max: 0xffff_ffff });
const sample = fc.record({
  row: fc.nat(5),
  timestampMs: fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.maxSafeInteger()),
  low: half,
  high: half,
  isExemplar: fc.boolean(),
});
const step = fc.record({
  added: fc.array(fc.record({ labels, metadata: fc.option(metadata) }), {
    minLength: 4,
    maxLength: 10,
  }),
  /** Enough for the ring to grow while its oldest entry is in the middle. */
  samples: fc.array(sample, { minLength: 200, maxLength: 300 }),
  /** How many entries the request takes, of ten. */
  share: fc.integer({ min: 1, max: 10 }),
  /** Series with an even ref go, when nothing of theirs waits. */
  forgets: fc.boolean(),
});

type Wanted = { readonly line: string; readonly isExemplar: boolean };

test.each([1, 2] as const)('version %i', (version) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 6 }), (steps) => {
      const series = new SentSeries([], {});
      const queue = new SendQueue();
      const request = version === 1 ? new RequestV1() : new RequestV2();
      const known: { ref: number; labels: Labels; metadata: unknown }[] = [];
      let waiting: (Wanted & { ref: number })[] = [];
      let lastRef = 0;
      steps.forEach(({ added, samples, share, forgets }, segment) => {
        for (const { labels: own, metadata: about } of added) {
          // Some references are beyond what an array can hold.
          const ref = ++lastRef + (lastRef % 3 === 0 ? 2 ** 40 : 0);
          series.add(ref, own, segment);
          if (about !== null) series.setMetadata(ref, about);
          known.push({ ref, labels: own, metadata: about });
        }
        for (const { row, timestampMs, low, high, isExemplar } of samples) {
          const owner = known[row];
          if (owner === undefined) continue;
          const special = isExemplar
            ? ({ kind: 'exemplar', labels: owner.labels, value: 0.5 } as const)
            : null;
          const key = { segment, offset: 1, index: 1 };
          queue.add(series.find(owner.ref), timestampMs, low, high, 0, special, key);
          const bits = high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
          const content = isExemplar ? owner.labels.flat.join() : bits;
          const line = `${owner.labels.toString()} ${timestampMs} ${content}`;
          waiting.push({ line, isExemplar, ref: owner.ref });
        }
        const count = Math.ceil((queue.count * share) / 10);
        const found = readRequest(version, request.encode(series, queue, count, -Infinity));
        const wanted = waiting.slice(0, count);
        expect(found.samples.map(([l, t, , bits]) => `${l} ${t} ${bits}`)).toEqual(
          wanted.filter((w) => !w.isExemplar).map((w) => w.line),
        );
        expect(
          found.exemplars.map(([l, exemplar]) => {
            const { labels: flat, timestampMs } = exemplar as {
              labels: string[];
              timestampMs: number;
            };
            return `${l} ${timestampMs} ${flat.join()}`;
          }),
        ).toEqual(wanted.filter((w) => w.isExemplar).map((w) => w.line));
        queue.remove(count);
        waiting = waiting.slice(count);
        if (!forgets) return;
        const stays = new Set(waiting.map(({ ref }) => ref));
        const moved = series.forgetBefore(segment + 1, (ref) => ref % 2 === 1 || stays.has(ref));
        queue.renumber(moved);
        const kept = known.filter(({ ref }) => ref % 2 === 1 || stays.has(ref));
        expect(series.count).toBe(kept.length);
        known.splice(0, known.length, ...kept);
      });
    }),
    { numRuns: 40 },
  );
});

test('a sample has its metadata in version 2.0', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(labels, metadata), { minLength: 1, maxLength: 20 }), (rows) => {
      const series = new SentSeries([], {});
      const queue = new SendQueue();
      rows.forEach(([own, about], ref) => {
        series.add(ref, own, 0);
        series.setMetadata(ref, about);
        queue.add(series.find(ref), 1, 0, 0, 0, null, { segment: 0, offset: 0, index: ref });
      });
      const body = new RequestV2().encode(series, queue, queue.count, -Infinity);
      expect(readRequest(2, body).metadata).toEqual(
        rows
          // The reader takes this for nothing.
          .filter(([, { type, help, unit }]) => type !== 'unknown' || help !== '' || unit !== '')
          .map(([own, about]) => [own.toString(), about]),
      );
    }),
  );
});
