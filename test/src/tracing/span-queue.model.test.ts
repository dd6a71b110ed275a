import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger, type LogRecord } from '../../../model/index.ts';
import { type Delivery, SpanQueue } from '../../../src/tracing/span-queue.ts';
import { span } from './support/span.ts';

const delivery: fc.Arbitrary<Delivery> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Delivery>({ kind: 'taken', refusedCount: 0, reason: '' }) },
  fc.constant<Delivery>({ kind: 'again', reason: 'busy', afterMs: null }),
  fc.constant<Delivery>({ kind: 'again', reason: 'busy', afterMs: 1 }),
  fc.constant<Delivery>({ kind: 'refused', reason: 'no' }),
);

test('every span is taken once or told as lost, whatever the collector does', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 }),
      fc.array(delivery, { maxLength: 8 }),
      async (bursts, deliveries) => {
        const answers = [...deliveries];
        const records: LogRecord[] = [];
        const taken = new Set<string>();
        let sentTwice = 0;
        const batches: (readonly string[])[] = [];
        const queue = new SpanQueue({
          encode: (spans) => {
            batches.push(spans.map(({ name }) => name));
            return Uint8Array.of(batches.length - 1);
          },
          sender: {
            send: async (body) => {
              const answer = answers.shift() ?? { kind: 'taken', refusedCount: 0, reason: '' };
              if (answer.kind !== 'taken') return answer;
              for (const name of batches[body[0]!]!) {
                if (taken.has(name)) sentTwice++;
                taken.add(name);
              }
              return answer;
            },
            close: async () => {},
          },
          timeoutMs: 1000,
          logger: createLogger((record) => records.push(record), {
            level: 'debug',
            nowMs: () => 0,
          }),
          delayMs: 1,
          backoffMs: 1,
        });
        let added = 0;
        for (const size of bursts) {
          for (let i = 0; i < size; i++) queue.add(span(String(added++)));
          await new Promise((go) => setTimeout(go, 2));
        }
        await queue.stop();
        queue.add(span('too late'));
        const lost = records.reduce((sum, { fields }) => sum + Number(fields['dropped_spans']), 0);
        expect(sentTwice).toBe(0);
        expect(batches.every(({ length }) => length <= 512)).toBe(true);
        expect(taken.size + lost).toBe(added);
      },
    ),
    { numRuns: 40 },
  );
});
