import { expect, test } from 'vitest';
import { createLogger, type LogRecord } from '../../../model/index.ts';
import { type Delivery, SpanQueue } from '../../../src/tracing/span-queue.ts';
import { span } from './support/span.ts';

const TAKEN: Delivery = { kind: 'taken', refusedCount: 0, reason: '' };
const AGAIN: Delivery = { kind: 'again', reason: 'busy', afterMs: null };
const REFUSED: Delivery = { kind: 'refused', reason: 'no' };

/** Batches are kept as their lengths. */
function queueWith(answer: (attempt: number) => Delivery | Promise<Delivery>, timeoutMs = 2000) {
  const attempts: number[] = [];
  const records: LogRecord[] = [];
  let isClosed = false;
  const queue = new SpanQueue({
    encode: (spans) => Uint8Array.from(new Uint16Array([spans.length, 0])),
    sender: {
      send: async (body) => {
        attempts.push(body[0]!);
        return answer(attempts.length);
      },
      close: async () => {
        isClosed = true;
      },
    },
    timeoutMs,
    logger: createLogger((record) => records.push(record), { level: 'debug', nowMs: () => 0 }),
    delayMs: 20,
    backoffMs: 5,
  });
  return { queue, attempts, records, closed: () => isClosed };
}

const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

function fill(queue: SpanQueue, count: number): void {
  for (let i = 0; i < count; i++) queue.add(span());
}

test('what comes together goes together, after a while', async () => {
  const { queue, attempts, closed } = queueWith(() => TAKEN);
  fill(queue, 3);
  expect(attempts).toEqual([]);
  await expect.poll(() => attempts).toEqual([3]);
  fill(queue, 2);
  await expect.poll(() => attempts).toEqual([3, 2]);
  await queue.stop();
  expect(closed()).toBe(true);
});

test('a full batch does not wait', async () => {
  const { queue, attempts } = queueWith(() => TAKEN);
  fill(queue, 512);
  await pause(0);
  expect(attempts).toHaveLength(1);
  await queue.stop();
});

test('the queue is bounded; what does not fit is counted and told once', async () => {
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  const { queue, records } = queueWith(() => promise);
  // One batch is under way, four wait.
  fill(queue, 512 + 2048 + 100);
  expect(records).toHaveLength(1);
  resolve(TAKEN);
  await queue.stop();
  expect(records.map(({ fields }) => fields['dropped_spans'])).toEqual([1, 99]);
  expect(records[1]!.fields['err']).toBe('traces export: the queue is full');
});

test('what may be taken later is sent again', async () => {
  const { queue, attempts, records } = queueWith((attempt) => (attempt < 3 ? AGAIN : TAKEN));
  fill(queue, 1);
  await expect.poll(() => attempts).toHaveLength(3);
  await queue.stop();
  expect(records).toEqual([]);
});

test('the time for a batch bounds its attempts', async () => {
  const { queue, attempts, records } = queueWith(() => AGAIN, 60);
  fill(queue, 2);
  await expect.poll(() => records).toHaveLength(1);
  expect(records[0]!.fields).toMatchObject({ dropped_spans: 2, err: 'traces export: busy' });
  expect(attempts.length).toBeGreaterThan(1);
  await queue.stop();
});

test('the collector says when to come back', async () => {
  const { queue, attempts, records } = queueWith(() => ({ ...AGAIN, afterMs: 60_000 }), 1000);
  fill(queue, 1);
  // That is too late for this batch.
  await expect.poll(() => records).toHaveLength(1);
  expect(attempts).toHaveLength(1);
  await queue.stop();
});

test('what is refused is not sent again', async () => {
  const { queue, attempts, records } = queueWith(() => REFUSED);
  fill(queue, 4);
  await expect.poll(() => records).toHaveLength(1);
  expect(records[0]!.fields['dropped_spans']).toBe(4);
  await queue.stop();
  expect(attempts).toHaveLength(1);
});

test('spans that a collector leaves out of a batch are counted', async () => {
  const { queue, records } = queueWith(() => ({ ...TAKEN, refusedCount: 2, reason: 'odd' }));
  fill(queue, 4);
  await queue.stop();
  expect(records[0]!.fields).toMatchObject({ dropped_spans: 2, err: 'traces export: odd' });
});

test('the end sends what waits at once', async () => {
  const { queue, attempts } = queueWith(() => TAKEN);
  fill(queue, 700);
  await queue.stop();
  expect(attempts.length).toBe(2);
});

test('the end does not wait for a collector that does not answer', async () => {
  const never = new Promise<Delivery>(() => {});
  const { queue, records, closed } = queueWith(() => never, 80);
  fill(queue, 600);
  await queue.stop();
  expect(closed()).toBe(true);
  expect(records.at(-1)!.fields).toMatchObject({ dropped_spans: 88 });
});

test('the end does not try again for long', async () => {
  const { queue, attempts } = queueWith(() => AGAIN, 5000);
  fill(queue, 1);
  const startMs = performance.now();
  await queue.stop();
  expect(performance.now() - startMs).toBeLessThan(2000);
  expect(attempts).toHaveLength(1);
});
