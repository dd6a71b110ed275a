/**
 * Lets a query worker, whose code runs in one go, wait for what the main thread asks other servers:
 * it posts the question and sleeps on a number in shared memory until the answer is there.
 *
 *   state  int32[0]  answers so far; changed when one has come
 *          int32[1]  how many servers are configured: none, and nobody is asked
 *
 * This is the side of the main thread; that of a worker is `remote-read-line.ts`.
 */
import type { MessagePort } from 'node:worker_threads';
import type {
  RemoteAnswer,
  RemoteReadClients,
  RemoteSelection,
} from '../remote/read/read-clients.ts';

export const ANSWERS = 0;
export const SERVERS = 1;
const STATE_SIZE_BYTES = 8;

export type BridgeEnd = {
  readonly port: MessagePort;
  readonly state: SharedArrayBuffer;
  /** So long after its oldest sample the own storage counts as complete. */
  readonly marginMs: number;
};

export type Question = { readonly id: number; readonly selection: RemoteSelection | null };
export type Answer = { readonly id: number; readonly answers: readonly RemoteAnswer[] };

/** One for all workers. */
export class RemoteReadBridge {
  readonly #clients: Pick<RemoteReadClients, 'read' | 'count'>;
  readonly #states = new Set<Int32Array>();
  readonly #marginMs: number;

  constructor(clients: Pick<RemoteReadClients, 'read' | 'count'>, marginMs: number) {
    this.#clients = clients;
    this.#marginMs = marginMs;
  }

  /** The number of servers has changed. */
  update(): void {
    for (const state of this.#states) Atomics.store(state, SERVERS, this.#clients.count);
  }

  /** What a new worker gets. */
  connect(): BridgeEnd {
    const { port1, port2 } = new MessageChannel();
    const shared = new SharedArrayBuffer(STATE_SIZE_BYTES);
    const state = new Int32Array(shared);
    Atomics.store(state, SERVERS, this.#clients.count);
    this.#states.add(state);
    const running = new Map<number, AbortController>();
    const answer = async (id: number, selection: RemoteSelection): Promise<void> => {
      const abort = new AbortController();
      running.set(id, abort);
      const answers = await this.#clients.read(selection, abort.signal);
      running.delete(id);
      const message: Answer = { id, answers };
      const bodies = answers.map(({ body }) => body.buffer as ArrayBuffer);
      port1.postMessage(message, bodies);
      Atomics.add(state, ANSWERS, 1);
      Atomics.notify(state, ANSWERS);
    };
    const port = port1 as unknown as MessagePort;
    port.on('message', ({ id, selection }: Question) => {
      // Without a selection it is the end of the one before.
      if (selection === null) running.get(id)?.abort();
      else void answer(id, selection);
    });
    port.on('close', () => this.#states.delete(state));
    port.unref();
    return { port: port2 as unknown as MessagePort, state: shared, marginMs: this.#marginMs };
  }
}
