/**
 * Opens the doors: one server per `--web.listen-address`, all in front of the same app. With TLS they
 * speak HTTP/2 as well, unless the web configuration says otherwise.
 */
import { once } from 'node:events';
import type { RequestListener, ServerOptions } from 'node:http';
import type { SecureServerOptions } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { type Counter, messageOf, NarthexError } from '../model/index.ts';
import { answerBrokenRequests, isHostMissing, refusePlainRequests } from './broken-requests.ts';
import { ConnectionGate } from './connection-gate.ts';
import type { WebOptions } from './options.ts';
import { type SecurityPort, secureContextOptions, type TlsSettings } from './security/index.ts';
import { KNOWN_PATHS, type KnownPaths } from './unknown-path.ts';

/** Not imported: reading all its exports, as an import does, loads a second HTTP client (1.5 MB). */
const { createServer: createHttpServer } = process.getBuiltinModule('node:http');

/** As much as Go's servers take: selectors in the URL can be long. */
const HEADER_SIZE_BYTES_MAX = 1024 * 1024;
/** Waiting connections that the system keeps until they are accepted. */
const BACKLOG = 1024;
const IDLE_SWEEP_MS = 20;
/** How often to look for those who take too long with a request. */
const CHECKING_INTERVAL_MS_MAX = 30_000;

/** An empty host means all interfaces. */
export type ListenAddress = {
  readonly host: string;
  readonly port: number;
  readonly text?: string;
};

/** The address cannot be listened on. */
export class ListenError extends NarthexError {
  readonly code = 'LISTEN';
}

export type Listener = {
  /** What is listened on, with the port that port 0 became. */
  readonly addresses: readonly ListenAddress[];
  /** Takes no more requests, lets those under way finish, closes the app. */
  close(): Promise<void>;
  /** Cuts off what is still under way. */
  closeAllConnections(): void;
};

/** @throws ListenError, naming address and flag */
export async function listen(
  app: FastifyInstance,
  addresses: readonly ListenAddress[],
  options: WebOptions,
): Promise<Listener> {
  await app.ready();
  const figures = new ConnectionFigures(options);
  const gates: ConnectionGate[] = [];
  const servers: Server[] = [];
  const handler: RequestListener = (request, response) => {
    if (!isHostMissing(request, response)) app.routing(request, response);
  };
  try {
    for (const address of addresses) {
      const server = createServer(handler, options);
      answerBrokenRequests(server, app.getDecorator<KnownPaths>(KNOWN_PATHS));
      figures.watch(server);
      gates.push(new ConnectionGate(server, options.connectionCountMax));
      servers.push(server);
      await open(server, address);
    }
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  return {
    addresses: servers.map((server) => {
      const { address, port } = server.address() as AddressInfo;
      return { host: address, port };
    }),
    async close() {
      const closed = servers.map((server) => once(server, 'close'));
      for (const server of servers) server.close();
      // Connections that are kept alive become idle one by one, as their last answers are sent.
      const sweep = () => {
        for (const gate of gates) gate.closeIdle();
      };
      sweep();
      const sweeping = setInterval(sweep, IDLE_SWEEP_MS);
      await app.close();
      await Promise.all(closed);
      clearInterval(sweeping);
    },
    closeAllConnections() {
      for (const gate of gates) gate.closeAll();
    },
  };
}

function createServer(handler: RequestListener, options: WebOptions): Server {
  const limits = {
    maxHeaderSize: HEADER_SIZE_BYTES_MAX,
    requestTimeout: options.readTimeoutMs,
    headersTimeout: options.readTimeoutMs,
    keepAliveTimeout: options.readTimeoutMs,
    connectionsCheckingInterval: Math.min(options.readTimeoutMs, CHECKING_INTERVAL_MS_MAX),
    noDelay: true,
    // Asked by ourselves, so that the answer says what is missing.
    requireHostHeader: false,
  };
  const security = options.security?.current();
  return options.security === undefined || security?.tls == null
    ? createHttpServer(limits, handler)
    : createTlsServer(limits, handler, options.security, security.tls);
}

function createTlsServer(
  limits: ServerOptions,
  handler: RequestListener,
  security: SecurityPort,
  first: TlsSettings,
): Server {
  const settings = {
    ...limits,
    ...secureContextOptions(first),
    requestCert: first.clientAuthType !== 'NoClientCert',
    // Who is refused is decided below: some settings want a certificate but do not verify it.
    rejectUnauthorized: false,
  };
  const server = security.current().http2
    ? createHttp2Server(settings, handler)
    : process.getBuiltinModule('node:https').createServer(settings, handler);
  let inForce = first;
  // Before the handshake of each connection: certificates are renewed while the server runs.
  server.prependListener('connection', () => {
    const { tls } = security.current();
    if (tls === null || tls === inForce) return;
    inForce = tls;
    server.setSecureContext(secureContextOptions(tls));
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (!isClientAllowed(socket, inForce)) socket.destroy();
  });
  refusePlainRequests(server, limits.headersTimeout ?? 0);
  return server;
}

/** Who does not speak HTTP/2 is answered in HTTP/1.1 on the same connection. */
function createHttp2Server(
  settings: SecureServerOptions & { readonly keepAliveTimeout?: number },
  handler: RequestListener,
) {
  const { createSecureServer } = process.getBuiltinModule('node:http2');
  // The app sees requests of both kinds through the same interface.
  const serve = handler as unknown as Parameters<typeof createSecureServer>[1];
  const server = createSecureServer({ ...settings, allowHTTP1: true }, serve);
  server.on('session', (session) => {
    // What is under way on it may end.
    session.setTimeout(settings.keepAliveTimeout ?? 0, () => session.close());
  });
  return server;
}

function isClientAllowed(socket: TLSSocket, tls: TlsSettings): boolean {
  const certificate = socket.getPeerCertificate();
  const isGiven = Object.keys(certificate).length > 0;
  const { clientAuthType } = tls;
  if (clientAuthType === 'RequireAnyClientCert' && !isGiven) return false;
  if (clientAuthType === 'RequireAndVerifyClientCert' && !socket.authorized) return false;
  if (clientAuthType === 'VerifyClientCertIfGiven' && isGiven && !socket.authorized) return false;
  if (tls.clientAllowedSans.length === 0) return true;
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .map((name) => name.replace(/^.*?:/, ''));
  return names.some((name) => tls.clientAllowedSans.includes(name));
}

async function open(server: Server, { host, port, text }: ListenAddress): Promise<void> {
  server.listen({ port, backlog: BACKLOG, ...(host === '' ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as { code?: string };
    const shown = text ?? `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const isTaken = code === 'EADDRINUSE';
    const what = isTaken ? 'bind: address already in use' : messageOf(error);
    const hint = isTaken ? ` (port ${port}; choose another with --web.listen-address)` : '';
    throw new ListenError(`listen tcp ${shown}: ${what}${hint}`, { cause: error });
  }
}

/** Connections that came and went, under Prometheus's names. */
class ConnectionFigures {
  readonly #accepted: Counter;
  readonly #closed: Counter;

  constructor({ registry }: WebOptions) {
    const label = ['listener_name'];
    this.#accepted = registry
      .counters(
        'net_conntrack_listener_conn_accepted_total',
        'Total number of connections opened to the listener of a given name.',
        label,
      )
      .labels('http');
    this.#closed = registry
      .counters(
        'net_conntrack_listener_conn_closed_total',
        'Total number of connections closed that were made to the listener of a given name.',
        label,
      )
      .labels('http');
  }

  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#accepted.increase();
      socket.once('close', () => this.#closed.increase());
    });
  }
}
