/** The side of a query worker that waits for other servers; see `remote-read-bridge.ts`. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { CanceledError } from '../../model/index.ts';
import { QueryTimeoutError } from '../../promql/index.ts';
import type { RemoteAnswer, RemoteSelection } from '../remote/read/read-clients.ts';
import {
  type Answer,
  ANSWERS,
  type BridgeEnd,
  type Question,
  SERVERS,
} from './remote-read-bridge.ts';

/** How often a waiting worker looks whether anybody still wants the answer. */
const LOOK_MS = 50;

export class RemoteReadLine {
  readonly #port: MessagePort;
  readonly #state: Int32Array;
  readonly marginMs: number;
  #lastId = 0;

  constructor({ port, state, marginMs }: BridgeEnd) {
    this.marginMs = marginMs;
    this.#port = port;
    this.#state = new Int32Array(state);
    // It is only looked at while somebody waits.
    port.unref();
  }

  get hasServers(): boolean {
    return Atomics.load(this.#state, SERVERS) > 0;
  }

  /**
   * Waits for the answers of all servers, but not beyond `endMs` by `performance.now()`.
   * @throws CanceledError, QueryTimeoutError
   */
  ask(
    selection: RemoteSelection,
    isCanceled: () => boolean,
    endMs: number,
  ): readonly RemoteAnswer[] {
    const id = ++this.#lastId;
    const question: Question = { id, selection };
    this.#port.postMessage(question, []);
    for (;;) {
      const seen = Atomics.load(this.#state, ANSWERS);
      const received: { message: Answer } | undefined = receiveMessageOnPort(this.#port);
      if (received?.message.id === id) return received.message.answers;
      // Those of questions that were given up come late.
      if (received !== undefined) continue;
      const isOver = performance.now() >= endMs;
      if (isOver || isCanceled()) {
        this.#port.postMessage({ id, selection: null } satisfies Question, []);
        if (isOver) throw new QueryTimeoutError();
        throw new CanceledError('remote read canceled');
      }
      Atomics.wait(this.#state, ANSWERS, seen, LOOK_MS);
    }
  }
}
