/**
 * Opens the doors: one server per `--web.listen-address`, all in front of the same app.
 */
import { once } from 'node:events';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { type Counter, messageOf, NarthexError } from '../model/index.ts';
import type { WebOptions } from './options.ts';
import { type SecurityPort, secureContextOptions, type TlsSettings } from './security/index.ts';

/** Not imported: reading all its exports, as an import does, loads a second HTTP client (1.5 MB). */
const http = process.getBuiltinModule('node:http');

/** As much as Go's servers take: selectors in the URL can be long. */
const HEADER_SIZE_BYTES_MAX = 1024 * 1024;
/** Waiting connections that the system keeps until they are accepted. */
const BACKLOG = 1024;
const IDLE_SWEEP_MS = 20;

/** An empty host means all interfaces. */
export type ListenAddress = { readonly host: string; readonly port: number };

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
  const servers: Server[] = [];
  const handler: RequestListener = (request, response) => app.routing(request, response);
  try {
    for (const address of addresses) {
      const server = createServer(handler, options);
      figures.watch(server);
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
        for (const server of servers) server.closeIdleConnections();
      };
      sweep();
      const sweeping = setInterval(sweep, IDLE_SWEEP_MS);
      await app.close();
      await Promise.all(closed);
      clearInterval(sweeping);
    },
    closeAllConnections() {
      for (const server of servers) server.closeAllConnections();
    },
  };
}

function createServer(handler: RequestListener, options: WebOptions): Server {
  const limits = {
    maxHeaderSize: HEADER_SIZE_BYTES_MAX,
    requestTimeout: options.readTimeoutMs,
    headersTimeout: options.readTimeoutMs,
    keepAliveTimeout: options.readTimeoutMs,
    noDelay: true,
  };
  const security = options.security?.current();
  const server: Server =
    options.security === undefined || security?.tls == null
      ? http.createServer(limits, handler)
      : createTlsServer(limits, handler, options.security, security.tls);
  server.maxConnections = options.connectionCountMax;
  return server;
}

function createTlsServer(
  limits: ServerOptions,
  handler: RequestListener,
  security: SecurityPort,
  first: TlsSettings,
): Server {
  const server = https.createServer(
    {
      ...limits,
      ...secureContextOptions(first),
      requestCert: first.clientAuthType !== 'NoClientCert',
      // Who is refused is decided below: some settings want a certificate but do not verify it.
      rejectUnauthorized: false,
    },
    handler,
  );
  let inForce = first;
  // Before the handshake of each connection: certificates are renewed while the server runs.
  server.prependListener('connection', () => {
    const { tls } = security.current();
    if (tls === null || tls === inForce) return;
    inForce = tls;
    server.setSecureContext(secureContextOptions(tls));
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!isClientAllowed(socket, inForce)) socket.destroy();
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

async function open(server: Server, { host, port }: ListenAddress): Promise<void> {
  server.listen({ port, backlog: BACKLOG, ...(host === '' ? {} : { host }) });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as { code?: string };
    const what = code === 'EADDRINUSE' ? `port ${port} is in use` : messageOf(error);
    const shown = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const hint = 'choose another address with --web.listen-address';
    throw new ListenError(`cannot listen on ${shown}: ${what}; ${hint}`, { cause: error });
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
