/**
 * At most so many connections at a time (`--web.max-connections`). Further ones are not refused: they
 * wait until another one ends, as they do at a Prometheus.
 */
import type { Server, Socket } from 'node:net';

/** Those who wait are held by the system's own queue from here on: they are dropped. */
const WAITING_COUNT_MAX = 1024;

/** What HTTP/1.1 servers know of their connections; an HTTP/2 server closes idle ones by itself. */
type KnowsIdle = { closeIdleConnections?(): void };

export class ConnectionGate {
  readonly #server: Server & KnowsIdle;
  readonly #countMax: number;
  readonly #open = new Set<Socket>();
  readonly #waiting: Socket[] = [];

  /** Puts itself before what `server` does with new connections. @param countMax  0 for any number */
  constructor(server: Server, countMax: number) {
    this.#server = server;
    this.#countMax = countMax > 0 ? countMax : Infinity;
    const accept = server.listeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    const admit = (socket: Socket): void => {
      this.#open.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        const next = this.#waiting.shift();
        if (next === undefined) return;
        admit(next);
        next.resume();
      });
      for (const listener of accept) listener.call(server, socket);
    };
    server.on('connection', (socket: Socket) => {
      if (this.#open.size < this.#countMax) admit(socket);
      else this.#hold(socket);
    });
  }

  #hold(socket: Socket): void {
    if (this.#waiting.length >= WAITING_COUNT_MAX) {
      socket.destroy();
      return;
    }
    socket.pause();
    this.#waiting.push(socket);
    const forget = () => {
      const at = this.#waiting.indexOf(socket);
      if (at >= 0) this.#waiting.splice(at, 1);
    };
    socket.once('close', forget);
    socket.on('error', forget);
  }

  /** Ends what waits for a next request, and those that were not let in or said nothing yet. */
  closeIdle(): void {
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
    this.#server.closeIdleConnections?.();
  }

  closeAll(): void {
    for (const socket of [...this.#waiting.splice(0), ...this.#open]) socket.destroy();
  }
}
