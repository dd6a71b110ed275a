/**
 * What reaches a door but is no request: answered in a sentence, so that whoever looks at the wire
 * knows why. Texts and codes as observed on Prometheus 3.14.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { KnownPaths } from './unknown-path.ts';

type BrokenRequest = Error & { readonly code?: string; readonly rawPacket?: Buffer };

const WORDS = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
  505: 'HTTP Version Not Supported',
} as const;
type Verdict = {
  readonly status: keyof typeof WORDS;
  readonly text: string;
  /** Lines, besides those that all have. */
  readonly headers?: string;
};

const TEXT_HEADERS = 'Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n';

/** Answers what Node's parser gives up on. */
export function answerBrokenRequests(server: Server, known: KnownPaths): void {
  server.on('clientError', (error: BrokenRequest, socket: Duplex) => {
    // Nobody to talk to, or in the midst of an answer.
    const { bytesWritten = 0 } = socket as Partial<Socket>;
    if (error.code === 'ECONNRESET' || !socket.writable || isUnderWay(socket, bytesWritten)) {
      socket.destroy();
      return;
    }
    const { status, text, headers = '' } = verdictOf(error, known);
    socket.end(`HTTP/1.1 ${status} ${WORDS[status]}\r\n${headers}${TEXT_HEADERS}${text}`);
  });
}

/** Node keeps the answer that a connection is busy with at the socket. */
function isUnderWay(socket: Duplex, bytesWritten: number): boolean {
  const { _httpMessage: answer } = socket as { _httpMessage?: ServerResponse | null };
  return bytesWritten > 0 && answer != null && answer.headersSent;
}

function verdictOf({ code, rawPacket }: BrokenRequest, known: KnownPaths): Verdict {
  const sentence = (status: keyof typeof WORDS) => ({ status, text: `${status} ${WORDS[status]}` });
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return sentence(431);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return sentence(408);
    case 'HPE_INVALID_VERSION':
      return { status: 505, text: `${sentence(505).text}: unsupported protocol version` };
    case 'HPE_INVALID_METHOD':
      return verdictOfMethod(rawPacket?.toString() ?? '', known) ?? sentence(400);
    default:
      return sentence(400);
  }
}

/** For a method that nobody has heard of, where the line is in order otherwise. */
function verdictOfMethod(request: string, known: KnownPaths): Verdict | null {
  const line = /^[!#$%&'*+.^`|~\w-]+ (\/[^?\s]*)\S* HTTP\/1\.[01]\r?\n/.exec(request);
  if (line === null) return null;
  const methods = known.methods(line[1]!);
  const headers = 'X-Content-Type-Options: nosniff\r\n';
  if (methods.length === 0) return { status: 404, text: '404 page not found\n', headers };
  const allow = `Allow: ${methods.join(', ')}\r\n`;
  return { status: 405, text: `${WORDS[405]}\n`, headers: allow + headers };
}

/** HTTP/1.1 wants to know which host is meant. True when it was not told: then it is answered. */
export function isHostMissing(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.headers.host !== undefined || request.httpVersion !== '1.1') return false;
  const text = '400 Bad Request: missing required Host header';
  response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  response.end(text);
  return true;
}

/** How the beginnings of plain requests look: as much as the head of a TLS record. */
const PLAIN_STARTS = new Set(['GET /', 'HEAD ', 'POST ', 'PUT /', 'OPTIO']);
const START_LENGTH = 5;
const PLAIN_ANSWER =
  'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/**
 * Tells who speaks plain HTTP to a TLS port so, in plain HTTP: looks at the first bytes of a
 * connection before `server` gets it.
 */
export function refusePlainRequests(server: Server, patienceMs: number): void {
  const accept = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    let start = '';
    const chunks: Buffer[] = [];
    const giveUp = () => socket.destroy();
    const look = (chunk: Buffer) => {
      chunks.push(chunk);
      start += chunk.toString('latin1', 0, START_LENGTH - start.length);
      if (start.length < START_LENGTH && 'GHPO'.includes(start[0]!)) return;
      socket.off('data', look).off('error', giveUp).off('timeout', giveUp).setTimeout(0);
      if (PLAIN_STARTS.has(start)) {
        socket.on('error', giveUp);
        socket.end(PLAIN_ANSWER);
        return;
      }
      // TLS reads what is put back before what comes next.
      socket.pause().unshift(Buffer.concat(chunks));
      for (const listener of accept) listener.call(server, socket);
    };
    socket.on('data', look).on('error', giveUp);
    socket.setTimeout(patienceMs, giveUp);
  });
}
