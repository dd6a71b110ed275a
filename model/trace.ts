/**
 * What a trace is made of, for whoever does work that can be traced. Who sends it is not said here.
 *
 *   traceparent   00-<trace id: 32 hex digits>-<span id: 16 hex digits>-<flags: 2 hex digits>
 *
 * The span that work belongs to goes where the work goes: with its AbortSignal (see `carry`).
 * Source: W3C Trace Context; OpenTelemetry specification, "Tracing API".
 */
export type SpanKind = 'internal' | 'server' | 'client';
export type AttributeValue = string | number | boolean;

/** What goes over the wire. */
export type SpanContext = {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** False: nobody keeps it, but its name travels all the same. */
  readonly isSampled: boolean;
  /** Of other vendors; handed on as it came. */
  readonly traceState: string;
};

export interface TraceSpan {
  readonly context: SpanContext;
  /** Now, by the clock of its trace: milliseconds since the epoch, with a fraction. */
  readonly nowMs: number;
  set(name: string, value: AttributeValue): void;
  /** Marks it as failed. */
  fail(message: string): void;
  child(name: string, kind?: SpanKind, startMs?: number): TraceSpan;
  /** Once; then it is handed to the exporter. */
  end(endMs?: number): void;
}

export interface Tracer {
  /** Begins a trace, or goes on with the one that `parent` is from. */
  start(name: string, kind: SpanKind, parent?: SpanContext | null): TraceSpan;
}

/** Null while tracing is off, which may change with every reload. */
export type TracerSource = () => Tracer | null;

export const NO_TRACER: TracerSource = () => null;

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED_FLAG = 1;
const TRACE_STATE_LENGTH_MAX = 512;

/** What a request says about the trace it is a part of; null when it says nothing that is valid. */
export function parseTraceParent(header: string, traceState = ''): SpanContext | null {
  const match = TRACEPARENT.exec(header.trim());
  if (match === null) return null;
  const [, version, traceId, spanId, flags, more] = match as unknown as string[];
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId!) || /^0+$/.test(spanId!)) return null;
  return {
    traceId: traceId!,
    spanId: spanId!,
    isSampled: (Number.parseInt(flags!, 16) & SAMPLED_FLAG) !== 0,
    traceState: traceState.length > TRACE_STATE_LENGTH_MAX ? '' : traceState,
  };
}

/** Headers for a request that is a part of the trace. */
export function traceHeaders(context: SpanContext): Record<string, string> {
  const { traceId, spanId, isSampled, traceState } = context;
  const traceparent = `00-${traceId}-${spanId}-0${isSampled ? SAMPLED_FLAG : 0}`;
  return traceState === '' ? { traceparent } : { traceparent, tracestate: traceState };
}

const SPAN = Symbol('span');
type Carrier = object & { [SPAN]?: TraceSpan };

/** Lets `carrier` (a signal, an answer) lead to `span`. */
export function carry<T extends object>(carrier: T, span: TraceSpan): T {
  (carrier as Carrier)[SPAN] = span;
  return carrier;
}

/** The span of the work that `carrier` belongs to. */
export function spanOf(carrier: object): TraceSpan | null {
  return (carrier as Carrier)[SPAN] ?? null;
}
