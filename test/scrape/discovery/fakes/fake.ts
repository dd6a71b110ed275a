/** Scripted APIs of platforms, on loopback: what a real one would answer, and nothing else. */
import { readFileSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import path from 'node:path';
import type { LabelRecord } from '../../../../scrape/index.ts';

export type FakeRequest = {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Path and query as they were sent, with everything escaped. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
};

export type FakeAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly text?: string;
  /** Sent as lines of JSON, after which the answer stays open. */
  readonly stream?: readonly unknown[];
};

export type Fake = {
  readonly name: string;
  readonly mechanism: string;
  /**
   * The section in YAML flow style. URL and HOST stand for the address of the fake; VIA_PROXY for
   * settings that lead requests to hosts with fixed names there.
   */
  readonly settings: string;
  /** Null for what the platform does not know. */
  readonly answer: (request: FakeRequest, self: { readonly url: string }) => FakeAnswer | null;
  /** Requests go to hosts with fixed names, and the section has no setting for a proxy. */
  readonly isLedByProxy?: boolean;
  /** Set while discovery runs here; HOST stands for the fake's address. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What is to be found, where no real Prometheus can be led to the fake. */
  readonly expected?: readonly LabelRecord[];
  /** The fake whose recorded targets are those of this one too. */
  readonly recordedAs?: string;
  /** Labels that are documented and not given by the real Prometheus, which names them otherwise. */
  readonly documented?: readonly string[];
  /** Told of changes by a stream, so that there is no next refresh to fail. */
  readonly isWatched?: boolean;
};

export type FakeServer = {
  readonly url: string;
  /** The settings with the addresses filled in. */
  settings(fake: Fake): string;
  /** For platforms whose targets have the port of the API itself, which is another each time. */
  readonly withoutOwnPort: (labels: LabelRecord) => LabelRecord;
  readonly requests: FakeRequest[];
  /** Answers every request with an error from now on. */
  isBroken: boolean;
  /** Sends one more line on every stream that is open. */
  push(event: unknown): void;
  /** Ends every stream. */
  endStreams(): void;
  close(): void;
};

/** The platform's token, as the fakes want it. */
export function bearer({ headers }: FakeRequest): boolean {
  return headers['authorization'] === 'Bearer word';
}

const FILES = path.join(import.meta.dirname, '../../http/files');
const pem = (name: string) => readFileSync(path.join(FILES, name));
/** What requests are signed with, where a platform wants that. */
export const RSA_KEY = pem('rsa.key').toString('utf8');
/** The certificate of a machine in Oracle's cloud, with that key. */
export const INSTANCE_CERTIFICATE = pem('oci-instance.pem').toString('utf8');

export async function serveFake(fake: Fake): Promise<FakeServer> {
  const requests: FakeRequest[] = [];
  const sockets = new Set<Socket>();
  const streams = new Set<ServerResponse>();
  const listener: RequestListener = (message, response) => {
    void readBody(message).then((body) => {
      const url = new URL(message.url!, 'http://fake');
      const request: FakeRequest = {
        method: message.method!,
        host: message.headers.host ?? '',
        path: decodeURI(url.pathname),
        url: url.pathname + url.search,
        query: url.searchParams,
        headers: message.headers as Record<string, string | undefined>,
        body,
      };
      requests.push(request);
      const answer = server.isBroken ? { status: 500 } : fake.answer(request, server);
      const { status = 200, headers = {}, json, text, stream } = answer ?? { status: 404 };
      response.statusCode = status;
      const type = json === undefined && stream === undefined ? 'text/plain' : 'application/json';
      response.setHeader('Content-Type', type);
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      if (stream !== undefined) {
        response.write(stream.map((event) => `${JSON.stringify(event)}\n`).join(''));
        streams.add(response);
        return;
      }
      response.end(json === undefined ? (text ?? '') : JSON.stringify(json));
    });
  };
  const plain = createServer(listener);
  const tls = createTlsServer({ cert: pem('server.pem'), key: pem('server.key') }, listener);
  const address = async (one: Server) => {
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    one.on('connection', (socket: Socket) => sockets.add(socket));
    return `127.0.0.1:${(one.address() as AddressInfo).port}`;
  };
  const host = await address(plain);
  const tlsHost = await address(tls);
  // As a proxy: whatever host is asked for, the encrypted fake answers.
  plain.on('connect', (_: IncomingMessage, client: Socket) => {
    const port = Number(tlsHost.split(':')[1]);
    const onward = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(client);
      client.pipe(onward);
    });
    sockets.add(client).add(onward);
    for (const socket of [client, onward]) socket.on('error', () => socket.destroy());
  });
  const server: FakeServer = {
    url: `http://${host}`,
    requests,
    isBroken: false,
    push: (event) => {
      for (const stream of streams) stream.write(`${JSON.stringify(event)}\n`);
    },
    endStreams: () => {
      for (const stream of streams) stream.end();
      streams.clear();
    },
    settings: (one) =>
      one.settings
        .replaceAll(
          'VIA_PROXY',
          `proxy_url: "http://${host}", tls_config: { insecure_skip_verify: true }`,
        )
        .replaceAll('RSA_KEY_FILE', path.join(FILES, 'rsa.key'))
        .replaceAll('TLS_HOST', tlsHost)
        .replaceAll('TLS_PORT', tlsHost.split(':')[1]!)
        .replaceAll('URL', `http://${host}`)
        .replaceAll('HOST', host),
    withoutOwnPort: (labels) => {
      const { __address__: own = '' } = labels;
      const ownPort = `:${tlsHost.split(':')[1]}`;
      if (!own.endsWith(ownPort)) return labels;
      return { ...labels, __address__: `${own.slice(0, -ownPort.length)}:OWN` };
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      plain.close();
      tls.close();
    },
  };
  return server;
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer);
  } catch {
    // Who asked has gone; the answer will not arrive either.
  }
  return Buffer.concat(chunks).toString('utf8');
}
