import type { TraceSpan } from '../../model/index.ts';

/** What goes out and what comes back, whatever carries it. */
export type HttpRequest = {
  readonly url: string;
  /** A socket in the file system to send a plain GET to; the URL then only says what is wanted. */
  readonly unixSocket?: string;
  /** GET when absent. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** For the whole exchange, redirects and body included. */
  readonly timeoutMs: number;
  /** Of the body after decompression; 0 for no limit but {@link BODY_SIZE_MAX_BYTES}. */
  readonly bodySizeLimitBytes?: number;
  readonly signal?: AbortSignal;
  /** What the request is a part of, where it is traced: it gets a span of its own below. */
  readonly span?: TraceSpan;
  /**
   * Takes the body of a good answer (status below 300) as it comes, however long it becomes; the
   * body of the response is then empty.
   */
  readonly onData?: (chunk: Uint8Array) => void;
};

export type HttpResponse = {
  readonly status: number;
  /** As the server wrote it. */
  readonly statusText: string;
  /** Names in lower case; a header that came several times is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed. Where there is a `release`, valid until it is called. */
  readonly body: Uint8Array;
  /** So many bytes behind the body may be overwritten. */
  readonly spareBytes?: number;
  /** Gives the body's memory back for other answers; calling it is optional. */
  readonly release?: () => void;
};

/** No body may be larger, whatever a configuration says. */
export const BODY_SIZE_MAX_BYTES = 512 * 1024 * 1024;
/** The text of `lastError` when a body is too large. */
export const BODY_SIZE_LIMIT_EXCEEDED = 'body size limit exceeded';
/** How much is read of an answer that is of no use, only to keep its connection. */
export const USELESS_BODY_MAX_BYTES = 64 * 1024;

/** A body of this size is refused. */
export function sizeLimitOf({ bodySizeLimitBytes = 0 }: HttpRequest): number {
  return bodySizeLimitBytes > 0
    ? Math.min(bodySizeLimitBytes, BODY_SIZE_MAX_BYTES)
    : BODY_SIZE_MAX_BYTES;
}

/** Idle connections are kept so long: longer than most scrape intervals. */
export const KEEP_ALIVE_MS = 5 * 60_000;

export type ConnectionEvent = 'established' | 'closed' | 'failed';
export type ConnectionObserver = (event: ConnectionEvent, error?: unknown) => void;

/** An answer before redirects and compression are looked at. */
export type Answer = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly spareBytes: number;
  readonly release: () => void;
};

/** Why there is none. */
export type Failure = {
  readonly error: unknown;
  /** The head of an answer had come. */
  readonly begun: boolean;
  /** Nothing at all had come: over a kept connection that may mean that it was closed before. */
  readonly isStale: boolean;
};

/** Thrown inside connections when a body reaches its limit. */
export class BodyTooLarge extends Error {}

/** Begins an exchange; the function that it returns gives it up without a further word. */
export type Begin = (
  onAnswer: (answer: Answer) => void,
  onFailure: (failure: Failure) => void,
  /** Called when the head of an answer has come. */
  onBegun: () => void,
) => () => void;
