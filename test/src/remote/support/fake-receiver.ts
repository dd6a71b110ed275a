/** A receiver that answers as it is told and remembers what it was sent. */
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { snappyDecompress, snappyPlainSize } from '../../../../model/index.ts';

export type Received = {
  readonly atMs: number;
  readonly headers: IncomingHttpHeaders;
  /** Decompressed. */
  readonly body: Uint8Array;
};

export class FakeReceiver {
  readonly received: Received[] = [];
  /** Decides about the request number `index`, counted from 0. */
  answer: (response: ServerResponse, index: number) => void = (response) => {
    response.statusCode = 204;
    response.end();
  };
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        // Given up by the sender.
        if (!request.complete) return;
        const packed = new Uint8Array(Buffer.concat(parts));
        const body = new Uint8Array(snappyPlainSize(packed));
        snappyDecompress(packed, 0, packed.length, body);
        this.received.push({ atMs: performance.now(), headers: request.headers, body });
        this.answer(response, this.received.length - 1);
      });
    });
  }

  static async start(): Promise<FakeReceiver> {
    const receiver = new FakeReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return `http://127.0.0.1:${port}/write`;
  }

  /** Answers with `statuses` in turn, then with 204. */
  answerWith(statuses: readonly number[], headers: Readonly<Record<string, string>> = {}): void {
    this.answer = (response, index) => {
      response.statusCode = statuses[index] ?? 204;
      if (index < statuses.length) {
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      }
      response.end(index < statuses.length ? `answer ${index}\nmore` : '');
    };
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
