/** Spans to send. */
import type { SpanRecord } from '../../../../src/tracing/span-record.ts';

export function span(name = 'work'): SpanRecord {
  return {
    context: {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      isSampled: true,
      traceState: '',
    },
    parentSpanId: '',
    isParentRemote: false,
    name,
    kind: 'internal',
    startMs: 1_700_000_000_000,
    endMs: 1_700_000_000_001,
    attributes: new Map(),
    failure: null,
  };
}
