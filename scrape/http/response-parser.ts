/**
 * Reads HTTP/1.1 responses from bytes as they arrive, split anywhere.
 *
 *   HTTP/1.1 200 OK CRLF            status line
 *   Name: value CRLF …  CRLF        headers, ended by an empty line
 *   body                            by Content-Length, in chunks, or up to the end of the connection
 *
 *   chunk     size (hex) [;extension] CRLF  data  CRLF     the last one has size 0, then trailers
 *
 * Source: RFC 9112.
 */
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const SEMICOLON = 0x3b;
const HEAD_SIZE_MAX_BYTES = 64 * 1024;
/** So much is looked at for the end of the head before the rest of what has arrived. */
const HEAD_PROBE_BYTES = 1024;
const CHUNK_SIZE_DIGITS_MAX = 13;

const State = {
  Head: 0,
  Length: 1,
  ChunkSize: 2,
  ChunkExtension: 3,
  ChunkData: 4,
  ChunkEnd: 5,
  Trailer: 6,
  UntilClose: 7,
  Done: 8,
} as const;
type State = (typeof State)[keyof typeof State];

export type ResponseHead = {
  readonly status: number;
  readonly statusText: string;
  /** Names in lower case; repeated ones joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** From Content-Length; -1 when the length is not known. */
  readonly sizeBytes: number;
};

export interface ResponseSink {
  onHead(head: ResponseHead): void;
  /** The next piece of the body: `bytes[start…end)`, to be copied. */
  onBody(bytes: Uint8Array, start: number, end: number): void;
  onEnd(): void;
}

/** The bytes are not HTTP. */
export class BadResponse extends Error {}

const MALFORMED = 'net/http: HTTP/1.x transport connection broken: malformed HTTP response';

export class ResponseParser {
  readonly #sink: ResponseSink;
  #state: State = State.Head;
  #head = '';
  /** Bytes left of the body or chunk; digits read of a chunk's size. */
  #left = 0;
  #digits = 0;
  #trailerLineIsEmpty = true;
  /** Whether the connection may be used for another request once this response has ended. */
  keepsAlive = false;
  /** Whether a byte of the response has come. */
  hasBegun = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  get isDone(): boolean {
    return this.#state === State.Done;
  }

  /** Gets ready for the next response on the same connection. */
  reset(): void {
    this.#state = State.Head;
    this.#head = '';
    this.hasBegun = false;
  }

  /**
   * Takes in `bytes[start…end)`.
   * @returns how far it read: less than `end` when more came than the response has
   * @throws BadResponse
   */
  feed(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    if (at < end) this.hasBegun = true;
    while (at < end && this.#state !== State.Done) {
      const state = this.#state;
      if (state === State.Head) {
        at = this.#readHead(bytes, at, end);
      } else if (state === State.Length || state === State.ChunkData) {
        at = this.#readBody(bytes, at, end);
      } else if (state === State.UntilClose) {
        this.#sink.onBody(bytes, at, end);
        at = end;
      } else {
        this.#readFraming(bytes[at++]!);
      }
    }
    return at;
  }

  /** The connection has ended. @returns false when the response is incomplete */
  end(): boolean {
    if (this.#state === State.UntilClose) this.#finish();
    return this.#state === State.Done;
  }

  #readHead(bytes: Uint8Array, start: number, end: number): number {
    const before = this.#head.length;
    // Bodies may follow in the same piece; they need not be turned into text.
    for (const stop of [Math.min(end, start + HEAD_PROBE_BYTES), end]) {
      this.#head = this.#head.slice(0, before) + latin1(bytes, start, stop);
      const found = this.#head.indexOf('\r\n\r\n');
      if (found < 0) continue;
      const head = this.#head.slice(0, found);
      this.#head = '';
      this.#startBody(parseHead(head));
      return start + found + 4 - before;
    }
    if (this.#head.length > HEAD_SIZE_MAX_BYTES) {
      throw new BadResponse('net/http: server response headers exceeded the limit');
    }
    if (!'HTTP/1.'.startsWith(this.#head.slice(0, 7))) throw new BadResponse(MALFORMED);
    return end;
  }

  #startBody({ head, isVersion10 }: { head: ResponseHead; isVersion10: boolean }): void {
    const { status, headers } = head;
    if (status >= 100 && status < 200) return; // an interim response: the real one follows
    const connection = (headers.connection ?? '').toLowerCase();
    this.keepsAlive = isVersion10
      ? connection.includes('keep-alive')
      : !connection.includes('close');
    const encoding = headers['transfer-encoding']?.toLowerCase();
    if (encoding !== undefined && encoding !== 'chunked') throw new BadResponse(MALFORMED);
    this.#sink.onHead(head);
    if (status === 204 || status === 304) {
      this.#finish();
    } else if (encoding === 'chunked') {
      this.#startChunk();
    } else if (head.sizeBytes >= 0) {
      this.#left = head.sizeBytes;
      if (this.#left === 0) this.#finish();
      else this.#state = State.Length;
    } else {
      this.keepsAlive = false;
      this.#state = State.UntilClose;
    }
  }

  #readBody(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left);
    this.#sink.onBody(bytes, start, stop);
    this.#left -= stop - start;
    if (this.#left === 0) {
      if (this.#state === State.ChunkData) this.#state = State.ChunkEnd;
      else this.#finish();
    }
    return stop;
  }

  /** One byte between chunks, of which there are few. */
  #readFraming(byte: number): void {
    if (this.#state === State.ChunkSize) {
      this.#readChunkSize(byte);
    } else if (this.#state === State.ChunkExtension) {
      if (byte === LF) this.#beginChunkData();
    } else if (this.#state === State.ChunkEnd) {
      if (byte === LF) this.#startChunk();
      else if (byte !== CR) throw new BadResponse('malformed chunked encoding');
    } else if (byte === LF) {
      // Trailers are not looked at; an empty line ends them.
      if (this.#trailerLineIsEmpty) this.#finish();
      this.#trailerLineIsEmpty = true;
    } else if (byte !== CR) {
      this.#trailerLineIsEmpty = false;
    }
  }

  #readChunkSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      if (++this.#digits > CHUNK_SIZE_DIGITS_MAX)
        throw new BadResponse('http chunk length too large');
    } else if (this.#digits === 0 || ![CR, LF, SEMICOLON, SPACE].includes(byte)) {
      throw new BadResponse('invalid byte in chunk length');
    } else if (byte === LF) {
      this.#beginChunkData();
    } else {
      this.#state = State.ChunkExtension;
    }
  }

  #startChunk(): void {
    this.#left = 0;
    this.#digits = 0;
    this.#state = State.ChunkSize;
  }

  #beginChunkData(): void {
    this.#state = this.#left === 0 ? State.Trailer : State.ChunkData;
    this.#trailerLineIsEmpty = true;
  }

  #finish(): void {
    this.#state = State.Done;
    this.#sink.onEnd();
  }
}

function parseHead(text: string): { head: ResponseHead; isVersion10: boolean } {
  const [statusLine, ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.([01]) (\d{3})(?: (.*))?$/.exec(statusLine!);
  if (match === null) throw new BadResponse(MALFORMED);
  const headers: Record<string, string> = {};
  let length: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new BadResponse(MALFORMED);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'content-length') {
      if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value)) {
        throw new BadResponse(`net/http: bad Content-Length ${JSON.stringify(value)}`);
      }
      length = value;
    }
    const known = headers[name];
    headers[name] = known === undefined ? value : `${known}, ${value}`;
  }
  const head = {
    status: Number(match[2]),
    statusText: match[3] ?? '',
    headers,
    sizeBytes: length === undefined ? -1 : Number(length),
  };
  return { head, isVersion10: match[1] === '0' };
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
