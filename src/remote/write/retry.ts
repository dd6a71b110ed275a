/** What an answer to a remote write means for the samples that were sent. */
import type { HttpResponse } from '../../../scrape/index.ts';

export type Verdict =
  | { readonly kind: 'taken' }
  /** The same request may be taken later: not before `afterMs`, where the receiver said so. */
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number | null }
  | { readonly kind: 'refused'; readonly reason: string };

const TEXT_LENGTH_MAX = 512;
const TOO_MANY_REQUESTS = 429;

export type Sent = { readonly samples: number; readonly histograms: number };

/**
 * 2xx took it; 5xx, and 429 where that is allowed, may pass; everything else is final.
 * @param sent  of version 2.0, whose receivers say what they have written; null for 1.0
 * Source: remote write specifications, "Retries & Backoff" and "X-Prometheus-Remote-Write-*-Written".
 */
export function judgeAnswer(
  response: HttpResponse,
  retriesTooMany: boolean,
  sent: Sent | null,
  nowMs: number,
): Verdict {
  const { status, headers } = response;
  if (status >= 200 && status < 300) {
    return sent === null ? { kind: 'taken' } : judgeWritten(headers, sent);
  }
  const text = new TextDecoder().decode(response.body).split('\n')[0]!.slice(0, TEXT_LENGTH_MAX);
  const reason = `server returned HTTP status ${status} ${response.statusText}: ${text}`;
  if (status >= 500 || (status === TOO_MANY_REQUESTS && retriesTooMany)) {
    return { kind: 'again', reason, afterMs: retryAfterMs(headers['retry-after'], nowMs) };
  }
  return { kind: 'refused', reason };
}

/** A receiver that says nothing about version 2.0 has most likely read the body as version 1.0. */
function judgeWritten(headers: HttpResponse['headers'], { samples, histograms }: Sent): Verdict {
  const saysAnything = Object.keys(headers).some((name) => /^x-prometheus-.*-written$/.test(name));
  if (saysAnything || samples + histograms === 0) return { kind: 'taken' };
  const reason =
    `sent v2 request with ${samples} samples and ${histograms} histograms; got 2xx, but no ` +
    'X-Prometheus-Remote-Write-*-Written header: the receiver does not know ' +
    'io.prometheus.write.v2.Request';
  return { kind: 'refused', reason };
}

/** Seconds or a date; null for what is neither. Source: RFC 9110, "Retry-After". */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined || header.trim() === '') return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs);
}
