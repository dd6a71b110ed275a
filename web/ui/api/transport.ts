/**
 * Sends one request and opens the API's envelope. Free of `window`, because the worker uses it too.
 * Source: Prometheus documentation, "HTTP API", format overview.
 */
/** The server answered, and the answer is an error; `type` is the API's `errorType`. */
export class ApiError extends Error {
  readonly type: string;
  readonly httpStatus: number;

  constructor(message: string, type: string, httpStatus: number) {
    super(message);
    this.name = 'ApiError';
    this.type = type;
    this.httpStatus = httpStatus;
  }
}

/** No answer at all: the server is down, or the network is. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super('The server did not answer. It may be restarting, or the network may be down.', {
      cause,
    });
    this.name = 'UnreachableError';
  }
}

export type Answer<T> = {
  data: T;
  warnings: string[];
  infos: string[];
  /** From sending the request to having parsed the answer. */
  elapsedMs: number;
};

type Envelope<T> = {
  status: 'success' | 'error';
  data?: T;
  errorType?: string;
  error?: string;
  warnings?: string[];
  infos?: string[];
};

/** Where and how to ask; plain data, so that a worker can be handed it. */
export type ApiRequest = { url: string; body: string | undefined };

/** Sends `request` and opens the envelope. */
export async function send<T>(request: ApiRequest, signal?: AbortSignal): Promise<Answer<T>> {
  const startedMs = performance.now();
  let response: Response;
  try {
    response = await fetch(request.url, {
      signal: signal ?? null,
      headers: { Accept: 'application/json' },
      ...(request.body === undefined
        ? {}
        : { method: 'POST', body: new URLSearchParams(request.body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new UnreachableError(error);
  }
  const envelope = await readEnvelope<T>(response);
  if (envelope.status !== 'success' || envelope.data === undefined) {
    throw new ApiError(
      envelope.error ?? `The server answered ${response.status} without saying why.`,
      envelope.errorType ?? 'internal',
      response.status,
    );
  }
  return {
    data: envelope.data,
    warnings: envelope.warnings ?? [],
    infos: envelope.infos ?? [],
    elapsedMs: performance.now() - startedMs,
  };
}

/** A proxy in between may answer with a page of its own; its status line is then all there is. */
async function readEnvelope<T>(response: Response): Promise<Envelope<T>> {
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  if (isJson) return (await response.json()) as Envelope<T>;
  const text = (await response.text()).trim();
  const short = text.startsWith('<') || text === '' ? response.statusText : text.slice(0, 300);
  throw new ApiError(`${response.status} ${short}`, 'unexpected_answer', response.status);
}
