/** Makes spans and decides which traces are kept. */
import { randomBytes } from 'node:crypto';
import type {
  AttributeValue,
  TraceSpan,
  SpanContext,
  SpanKind,
  Tracer,
} from '../../model/index.ts';
import type { SpanRecord } from './span-record.ts';

/** Takes what has ended. */
export type SpanSink = (span: SpanRecord) => void;

const TRACE_ID_SIZE_BYTES = 16;
const SPAN_ID_SIZE_BYTES = 8;
/** The last 56 bits of a trace's id are random, whoever made it. */
const RANDOM_BITS = 56;

export class SpanTracer implements Tracer {
  readonly #samplingRatio: number;
  readonly #sink: SpanSink;

  /** @param samplingRatio  of the traces that begin here */
  constructor(samplingRatio: number, sink: SpanSink) {
    this.#samplingRatio = samplingRatio;
    this.#sink = sink;
  }

  start(name: string, kind: SpanKind, parent: SpanContext | null = null): TraceSpan {
    const traceId = parent?.traceId ?? randomBytes(TRACE_ID_SIZE_BYTES).toString('hex');
    const context: SpanContext = {
      traceId,
      spanId: newSpanId(),
      isSampled: parent?.isSampled ?? isKept(traceId, this.#samplingRatio),
      traceState: parent?.traceState ?? '',
    };
    const sink = context.isSampled ? this.#sink : null;
    // One trace goes by one clock, whatever happens to that of the machine meanwhile.
    const originMs = Date.now() - performance.now();
    const place = { parentSpanId: parent?.spanId ?? '', isParentRemote: parent !== null };
    return new OpenSpan(context, place, name, kind, originMs, undefined, sink);
  }
}

type Place = Pick<SpanRecord, 'parentSpanId' | 'isParentRemote'>;

class OpenSpan implements TraceSpan {
  readonly context: SpanContext;
  readonly #place: Place;
  readonly #name: string;
  readonly #kind: SpanKind;
  readonly #originMs: number;
  readonly #startMs: number;
  readonly #attributes = new Map<string, AttributeValue>();
  #failure: string | null = null;
  /** Null: not sampled, or ended. */
  #sink: SpanSink | null;

  constructor(
    context: SpanContext,
    place: Place,
    name: string,
    kind: SpanKind,
    originMs: number,
    startMs: number | undefined,
    sink: SpanSink | null,
  ) {
    this.context = context;
    this.#place = place;
    this.#name = name;
    this.#kind = kind;
    this.#originMs = originMs;
    this.#startMs = startMs ?? this.nowMs;
    this.#sink = sink;
  }

  get nowMs(): number {
    return this.#originMs + performance.now();
  }

  set(name: string, value: AttributeValue): void {
    if (this.#sink !== null) this.#attributes.set(name, value);
  }

  fail(message: string): void {
    this.#failure = message;
  }

  child(name: string, kind: SpanKind = 'internal', startMs?: number): TraceSpan {
    const { context } = this;
    const place = { parentSpanId: context.spanId, isParentRemote: false };
    return new OpenSpan(
      { ...context, spanId: newSpanId() },
      place,
      name,
      kind,
      this.#originMs,
      startMs,
      context.isSampled ? this.#sink : null,
    );
  }

  end(endMs = this.nowMs): void {
    const sink = this.#sink;
    if (sink === null) return;
    this.#sink = null;
    sink({
      context: this.context,
      ...this.#place,
      name: this.#name,
      kind: this.#kind,
      startMs: this.#startMs,
      endMs: Math.max(endMs, this.#startMs),
      attributes: this.#attributes,
      failure: this.#failure,
    });
  }
}

/**
 * The same answer for the same trace wherever the ratio is the same.
 * Source: OpenTelemetry specification, "Probability sampling": 56 random bits against a threshold.
 */
function isKept(traceId: string, ratio: number): boolean {
  const random = Number.parseInt(traceId.slice(-RANDOM_BITS / 4), 16);
  return random >= (1 - ratio) * 2 ** RANDOM_BITS;
}

function newSpanId(): string {
  return randomBytes(SPAN_ID_SIZE_BYTES).toString('hex');
}
