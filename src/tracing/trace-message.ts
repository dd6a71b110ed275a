/**
 * The request that takes spans to a collector, in protobuf.
 *
 *   ExportTraceServiceRequest   1 ResourceSpans *
 *   ResourceSpans               1 Resource { 1 KeyValue * } · 2 ScopeSpans *
 *   ScopeSpans                  1 InstrumentationScope { 1 name · 2 version } · 2 Span *
 *   Span      1 trace id (16 bytes) · 2 span id (8) · 3 trace state · 4 parent's span id · 5 name
 *             6 kind · 7 start, 8 end (fixed64, nanoseconds since the epoch) · 9 KeyValue *
 *             15 Status { 2 message · 3 code } · 16 flags (fixed32)
 *   KeyValue  1 key · 2 AnyValue { 1 text | 2 bool | 3 int64 | 4 double }
 *   flags     bits 0-7 those of W3C · bit 8 the next one means something · bit 9 parent is remote
 *
 * Source: opentelemetry-proto, collector/trace/v1, trace/v1, common/v1, resource/v1.
 */
import { type AttributeValue, ProtobufWriter, type SpanKind } from '../../model/index.ts';
import type { Resource, SpanRecord } from './span-record.ts';

const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3 };
const STATUS_ERROR = 2;
const SAMPLED_FLAG = 0x001;
const KNOWS_REMOTE_FLAG = 0x100;
const IS_REMOTE_FLAG = 0x200;
const NANOSECONDS_PER_MS = 1_000_000;

/** What made the spans. */
export type Scope = { readonly name: string; readonly version: string };

/** @returns a copy */
export function encodeTraceRequest(
  resource: Resource,
  scope: Scope,
  spans: readonly SpanRecord[],
): Uint8Array {
  const out = new ProtobufWriter();
  out.message(1, () => {
    out.message(1, () => {
      for (const [name, value] of Object.entries(resource)) writeAttribute(out, 1, name, value);
    });
    out.message(2, () => {
      out.message(1, () => {
        out.text(1, scope.name);
        out.text(2, scope.version);
      });
      for (const span of spans) out.message(2, () => writeSpan(out, span));
    });
  });
  return out.view().slice();
}

function writeSpan(out: ProtobufWriter, span: SpanRecord): void {
  const { context, parentSpanId, failure } = span;
  out.bytes(1, Buffer.from(context.traceId, 'hex'));
  out.bytes(2, Buffer.from(context.spanId, 'hex'));
  if (context.traceState !== '') out.text(3, context.traceState);
  if (parentSpanId !== '') out.bytes(4, Buffer.from(parentSpanId, 'hex'));
  out.text(5, span.name);
  out.uint64(6, KINDS[span.kind]);
  out.fixed64(7, nanoseconds(span.startMs));
  out.fixed64(8, nanoseconds(span.endMs));
  for (const [name, value] of span.attributes) writeAttribute(out, 9, name, value);
  if (failure !== null) {
    out.message(15, () => {
      out.text(2, failure);
      out.uint64(3, STATUS_ERROR);
    });
  }
  out.fixed32(16, SAMPLED_FLAG | KNOWS_REMOTE_FLAG | (span.isParentRemote ? IS_REMOTE_FLAG : 0));
}

function writeAttribute(
  out: ProtobufWriter,
  field: number,
  name: string,
  value: AttributeValue,
): void {
  out.message(field, () => {
    out.text(1, name);
    out.message(2, () => {
      if (typeof value === 'string') out.text(1, value);
      else if (typeof value === 'boolean') out.uint64(2, value ? 1 : 0);
      else if (Number.isSafeInteger(value)) out.int64(3, value);
      else out.double(4, value);
    });
  });
}

/** A double cannot count nanoseconds since the epoch; its milliseconds and their fraction can. */
function nanoseconds(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * NANOSECONDS_PER_MS));
}
