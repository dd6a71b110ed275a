import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { carry, parseTraceParent, spanOf, traceHeaders } from '../../model/index.ts';
import { SpanTracer } from '../../src/tracing/span-tracer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('the example of the W3C is read', () => {
  expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`, 'a=b')).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    isSampled: true,
    traceState: 'a=b',
  });
  expect(parseTraceParent(`00-${TRACE}-${SPAN}-02`)!.isSampled).toBe(false);
});

test('a later version may say more', () => {
  expect(parseTraceParent(`01-${TRACE}-${SPAN}-01-more`)?.traceId).toBe(TRACE);
});

test.each([
  ['', 'nothing'],
  [`00-${TRACE}-${SPAN}`, 'no flags'],
  [`00-${TRACE}-${SPAN}-01-more`, 'more than version 0 has'],
  [`ff-${TRACE}-${SPAN}-01`, 'the version that is none'],
  [`00-${'0'.repeat(32)}-${SPAN}-01`, 'no trace'],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, 'no span'],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`, 'capitals'],
  [`00-${TRACE}0-${SPAN}-01`, 'an id that is too long'],
])('%s is not valid: %s', (header) => {
  expect(parseTraceParent(header)).toBeNull();
});

test('a state that is too long is left out, as one may', () => {
  expect(parseTraceParent(`00-${TRACE}-${SPAN}-01`, 'x'.repeat(600))!.traceState).toBe('');
});

test('what is written is what is read', () => {
  const hex = (length: number) =>
    fc
      .uint8Array({ minLength: length, maxLength: length })
      .filter((bytes) => bytes.some((byte) => byte !== 0))
      .map((bytes) => Buffer.from(bytes).toString('hex'));
  const context = fc.record({
    traceId: hex(16),
    spanId: hex(8),
    isSampled: fc.boolean(),
    traceState: fc.constantFrom('', 'a=b'),
  });
  fc.assert(
    fc.property(context, (written) => {
      const { traceparent = '', tracestate } = traceHeaders(written);
      expect(parseTraceParent(traceparent, tracestate)).toEqual(written);
    }),
  );
});

test('a signal leads to the span of its work, others to none', () => {
  const span = new SpanTracer(1, () => {}).start('work', 'internal');
  const { signal } = new AbortController();
  expect(spanOf(signal)).toBeNull();
  expect(spanOf(carry(signal, span))).toBe(span);
});
