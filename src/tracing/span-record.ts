/** Spans as they are kept until they are sent. */
import type { AttributeValue, SpanContext, SpanKind } from '../../model/index.ts';

/** A span that has ended. */
export type SpanRecord = {
  readonly context: SpanContext;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  /** The parent is a span of another process. */
  readonly isParentRemote: boolean;
  readonly name: string;
  readonly kind: SpanKind;
  /** Milliseconds since the epoch, with a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Null when it went well. */
  readonly failure: string | null;
};

/** Where the spans come from: a service, in the words of OpenTelemetry's resources. */
export type Resource = Readonly<Record<string, string>>;
