import { expect, test } from 'vitest';
import type { SpanRecord } from '../../../src/tracing/span-record.ts';
import { SpanTracer } from '../../../src/tracing/span-tracer.ts';
import { encodeTraceRequest } from '../../../src/tracing/trace-message.ts';
import { readSpans } from './support/collector.ts';

const PARENT = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  isSampled: true,
  traceState: 'a=b',
};

function tracerWith(ratio: number) {
  const ended: SpanRecord[] = [];
  return { ended, tracer: new SpanTracer(ratio, (span) => ended.push(span)) };
}

function keptOf(ratio: number, count: number): number {
  const { ended, tracer } = tracerWith(ratio);
  for (let i = 0; i < count; i++) tracer.start('root', 'server').end();
  return ended.length;
}

test('the ratio says how many traces are kept', () => {
  expect(keptOf(0, 200)).toBe(0);
  expect(keptOf(1, 200)).toBe(200);
  // Further off than this once in 10¹⁴ runs.
  const half = keptOf(0.5, 4000);
  expect(half).toBeGreaterThan(1750);
  expect(half).toBeLessThan(2250);
});

test('whoever began a trace has decided about it', () => {
  const none = tracerWith(0);
  none.tracer.start('kept', 'server', PARENT).end();
  expect(none.ended).toMatchObject([
    {
      name: 'kept',
      parentSpanId: PARENT.spanId,
      isParentRemote: true,
      context: { traceState: 'a=b' },
    },
  ]);
  const all = tracerWith(1);
  const span = all.tracer.start('left out', 'server', { ...PARENT, isSampled: false });
  span.child('below').end();
  span.end();
  expect(all.ended).toEqual([]);
  // It has an identity all the same, which is handed on.
  expect(span.context).toMatchObject({ traceId: PARENT.traceId, isSampled: false });
});

test('spans of a trace share its id and lead to their parent', () => {
  const { ended, tracer } = tracerWith(1);
  const root = tracer.start('root', 'server');
  const child = root.child('child', 'client');
  child.end();
  root.end();
  expect(ended.map(({ name }) => name)).toEqual(['child', 'root']);
  const [inner, outer] = ended;
  expect(inner!.context.traceId).toBe(outer!.context.traceId);
  expect(inner!.parentSpanId).toBe(outer!.context.spanId);
  expect(inner!.context.spanId).not.toBe(outer!.context.spanId);
  expect(inner!.startMs).toBeGreaterThanOrEqual(outer!.startMs);
  expect(inner!.endMs).toBeLessThanOrEqual(outer!.endMs);
  expect(outer!.parentSpanId).toBe('');
  expect(Math.abs(outer!.startMs - Date.now())).toBeLessThan(5000);
});

test('a span ends once', () => {
  const { ended, tracer } = tracerWith(1);
  const span = tracer.start('once', 'internal');
  span.end();
  span.end();
  expect(ended).toHaveLength(1);
});

test('a span goes over the wire with everything it has', () => {
  const { ended, tracer } = tracerWith(1);
  const span = tracer.start('POST /péage', 'server', PARENT);
  span.set('text', 'ü');
  span.set('whole', -42);
  span.set('large', 2 ** 53 - 1);
  span.set('part', 0.25);
  span.set('yes', true);
  span.fail('it broke');
  span.child('inner', 'client', 1_700_000_000_000.25).end(1_700_000_000_001.5);
  span.end();
  const body = encodeTraceRequest(
    { 'service.name': 'prometheus' },
    { name: 'narthex', version: '1' },
    ended,
  );
  const [inner, outer] = readSpans(body);
  expect(outer).toMatchObject({
    resource: { 'service.name': 'prometheus' },
    scope: 'narthex',
    scopeVersion: '1',
    traceId: PARENT.traceId,
    spanId: span.context.spanId,
    parentSpanId: PARENT.spanId,
    traceState: 'a=b',
    name: 'POST /péage',
    kind: 2,
    attributes: { text: 'ü', whole: -42, large: 2 ** 53 - 1, part: 0.25, yes: true },
    status: { code: 2, message: 'it broke' },
    // Sampled, parent known to be remote.
    flags: 0x301,
  });
  expect(inner).toMatchObject({
    name: 'inner',
    kind: 3,
    parentSpanId: span.context.spanId,
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001.5,
    status: { code: 0 },
    flags: 0x101,
  });
});

// Written by hand from the schema: one span without attributes.
test('the bytes are those of the schema', () => {
  const { ended, tracer } = tracerWith(1);
  tracer.start('s', 'internal', PARENT).end();
  const span: SpanRecord = {
    ...ended[0]!,
    context: { ...PARENT, spanId: '0102030405060708', traceState: '' },
    startMs: 0.000001,
    endMs: 0.000002,
  };
  const body = encodeTraceRequest({}, { name: 'n', version: '' }, [span]);
  const spanBytes = [
    `0a10${PARENT.traceId}`,
    '12080102030405060708',
    `2208${PARENT.spanId}`,
    '2a0173',
    '3001',
    '390100000000000000',
    '410200000000000000',
    '850101030000',
  ].join('');
  const scopeSpans = `0a050a016e120012${size(spanBytes)}${spanBytes}`;
  const resourceSpans = `0a0012${size(scopeSpans)}${scopeSpans}`;
  expect(Buffer.from(body).toString('hex')).toBe(`0a${size(resourceSpans)}${resourceSpans}`);
});

/** Of less than 128 bytes. */
function size(hex: string): string {
  return (hex.length / 2).toString(16).padStart(2, '0');
}
