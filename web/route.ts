/**
 * What a route of the API is: where it lives, what it takes and gives (for the OpenAPI description),
 * and one function. The function parses, makes one call into the house, and returns a body; headers,
 * errors, compression and figures are the same for all and live in `register-api.ts`.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Form } from './form.ts';
import type { AnswerBodyName } from './openapi/schemas.ts';
import type { WebOptions } from './options.ts';
import type { Answer, Ports } from './ports.ts';

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

export type ParameterKind =
  | 'text'
  | 'timestamp'
  | 'duration'
  | 'integer'
  | 'number'
  | 'boolean'
  | 'selector'
  | 'labels';

/** One parameter, for the description. */
export type Parameter = {
  readonly name: string;
  readonly kind: ParameterKind;
  readonly description: string;
  readonly isRequired?: boolean;
  /** May be given several times; the name then ends with `[]`. */
  readonly isRepeated?: boolean;
  /** A part of the path. */
  readonly inPath?: boolean;
  readonly choices?: readonly string[];
  readonly example: string | number | boolean;
};

export type OperationDoc = {
  /** Unique; the methods are put before it. */
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  /**
   * What the answer is called in the description: its `data` is `ANSWER_DATA[body]` of
   * `openapi/schemas.ts`. None for 204 and for what is no JSON envelope.
   */
  readonly body?: AnswerBodyName;
  /** Other types of body, where the answer or the request is no JSON envelope. */
  readonly answerType?: string;
  readonly requestType?: string;
  /** Described in OpenAPI 3.2 only: 3.1 has no words for event streams. */
  readonly isEventStream?: boolean;
};

export type ApiCall = {
  /** Parameters of body and URL together. */
  readonly form: Form;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Fires when the client goes away. */
  readonly signal: AbortSignal;
};

export type RouteContext = {
  readonly ports: Ports;
  readonly options: WebOptions;
  /** Answers that would never end by themselves; ended when the app closes. */
  readonly endlessAnswers: Set<ServerResponse>;
};

/** A complete JSON body as text or UTF-8, or one that is being written; null stands for 204. */
export type JsonBody = string | Answer | null;

type RouteCommon = {
  /** Below `/api/v1`, with `:name` for parts that vary. */
  readonly path: string;
  readonly methods: readonly HttpMethod[];
  readonly doc: OperationDoc;
  /** Answers before the log is replayed, too. */
  readonly beforeReady?: boolean;
  /** Answered from blocks, with a warning, while the newest samples are still being read. */
  readonly fromBlocks?: boolean;
  /** Answered in agent mode, too, where there is no storage to query. */
  readonly inAgentMode?: boolean;
};
export type JsonRoute = RouteCommon & {
  readonly handle: (call: ApiCall, context: RouteContext) => Promise<JsonBody> | JsonBody;
};
/** Writes its answer itself: other formats than the envelope. */
export type RawRoute = RouteCommon & {
  readonly answer: (call: ApiCall, context: RouteContext) => Promise<FastifyReply> | FastifyReply;
  /** The body is handed over as bytes, undecoded. */
  readonly takesBytes?: boolean;
  /** The body is handed over as a stream, however long it is. */
  readonly streamsBody?: boolean;
};
export type ApiRoute = JsonRoute | RawRoute;
