/**
 * What a collector says about spans that it took.
 *
 *   ExportTraceServiceResponse   1 ExportTracePartialSuccess { 1 rejected spans · 2 message }
 *
 * Source: opentelemetry-proto, collector/trace/v1; OTLP, "Partial Success".
 */
import { ProtobufReader } from '../../model/index.ts';
import type { Delivery } from './span-queue.ts';

export function readTraceAnswer(bytes: Uint8Array): Delivery {
  let refusedCount = 0;
  let reason = '';
  const reader = new ProtobufReader();
  reader.reset(bytes);
  while (reader.next()) {
    if (reader.field !== 1) {
      reader.skip();
      continue;
    }
    const inner = new ProtobufReader();
    inner.reset(reader.takeBytes());
    while (inner.next()) {
      if (inner.field === 1) refusedCount = inner.takeInt64();
      else if (inner.field === 2) reason = inner.takeText();
      else inner.skip();
    }
  }
  // Whatever else an answer may hold: the spans were taken.
  return { kind: 'taken', refusedCount: Math.max(0, refusedCount), reason };
}
