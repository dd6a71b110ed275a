/**
 * How a gRPC call ended, and whether OTLP allows it to be made again.
 *
 *   grpc-status              a number; 0 is good
 *   grpc-message             text, bytes beyond ASCII as %xx
 *   grpc-status-details-bin  base64 of Status { 3 Any { 1 type · 2 bytes } * }
 *   RetryInfo                1 Duration { 1 seconds · 2 nanoseconds }, in such an Any
 *
 * Source: "gRPC over HTTP2"; OTLP, "Failures" and "OTLP/gRPC Throttling"; google.rpc error details.
 */
import { ProtobufReader } from '../../model/index.ts';
import type { Delivery } from './span-queue.ts';

const RESOURCE_EXHAUSTED = 8;
/** Canceled, deadline exceeded, aborted, out of range, unavailable, data loss. */
const RETRYABLE: ReadonlySet<number> = new Set([1, 4, 10, 11, 14, 15]);
const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/** @param details  header `grpc-status-details-bin`; empty without one */
export function judgeGrpcFailure(status: number, message: string, details: string): Delivery {
  const reason = `rpc error: code = ${status} desc = ${decodedMessage(message)}`;
  const afterMs = retryDelayMs(Buffer.from(details, 'base64'));
  if (RETRYABLE.has(status) || (status === RESOURCE_EXHAUSTED && afterMs !== null)) {
    return { kind: 'again', reason, afterMs };
  }
  return { kind: 'refused', reason };
}

function decodedMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** Null when the details name none. */
function retryDelayMs(details: Uint8Array): number | null {
  let delayMs: number | null = null;
  eachField(details, 3, (any) => {
    let type = '';
    let info = new Uint8Array(0);
    eachField(any, 1, (bytes) => (type = Buffer.from(bytes).toString()));
    eachField(any, 2, (bytes) => (info = Uint8Array.from(bytes)));
    if (type === RETRY_INFO) eachField(info, 1, (duration) => (delayMs = durationMs(duration)));
  });
  return delayMs;
}

function durationMs(duration: Uint8Array): number {
  const reader = new ProtobufReader();
  reader.reset(duration);
  let ms = 0;
  while (reader.next()) {
    if (reader.field === 1) ms += reader.takeInt64() * 1000;
    else if (reader.field === 2) ms += reader.takeInt64() / 1e6;
    else reader.skip();
  }
  return ms;
}

/** Calls `take` with every nested message `field`; what is malformed ends the message. */
function eachField(bytes: Uint8Array, field: number, take: (bytes: Uint8Array) => void): void {
  const reader = new ProtobufReader();
  reader.reset(bytes);
  while (reader.next()) {
    if (reader.field === field) take(reader.takeBytes());
    else reader.skip();
  }
}
