/**
 * Calls between threads over a message port. A call has one argument and one result, both plain
 * data; array buffers can be handed over instead of copied. The called side may be busy in
 * synchronous code when a caller loses interest, hence cancellation is a number in shared memory
 * that the called side looks at, not a message.
 */
import type { MessagePort, Transferable, Worker } from 'node:worker_threads';
import { assert, CanceledError } from '../../model/index.ts';
import { type PieceQueue, PieceSender } from './answer-pieces.ts';
import { packError, type PackedError, unpackError } from './packed-error.ts';
import { measureWork, threadCpuMs } from './work-time.ts';

/** Name → a function of one argument; may be asynchronous. */
export type Methods = Readonly<Record<string, (argument: never, call: Call) => unknown>>;
export type ArgumentOf<M> = M extends (argument: infer A, call: Call) => unknown ? A : never;
export type ResultOf<M> = M extends (argument: never, call: Call) => infer R
  ? Awaited<R> extends Handover<infer T>
    ? T
    : Awaited<R>
  : never;

/** What a method may ask about the call that it answers. */
export type Call = {
  /** Does nobody want the answer any more? Cheap enough for inner loops. */
  isCanceled(): boolean;
  /** Shows the caller how far it has come; cheap, too. */
  readonly report: (sampleCount: number, seriesCount: number, heldSizeBytes: number) => void;
  /**
   * Sends a part of the result ahead, see {@link PieceSender.send}. Missing where the caller takes
   * results as a whole only.
   */
  readonly sendPiece?: (piece: Uint8Array<ArrayBuffer>) => number;
};

/** What a call under way has cost so far, as its method reports it. */
export type CallProgress = {
  readonly sampleCount: number;
  readonly seriesCount: number;
  readonly heldSizeBytes: number;
};

/** A result whose buffers are handed over: the called side cannot use them afterwards. */
export class Handover<T> {
  readonly value: T;
  readonly buffers: readonly Transferable[];
  constructor(value: T, buffers: readonly Transferable[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

/** `bytes` handed over with the memory below; copied when it is a window on something larger. */
export function handOver(bytes: Uint8Array): Handover<Uint8Array> {
  const isWhole =
    bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
  const whole = isWhole ? bytes : bytes.slice();
  return new Handover(whole, [whole.buffer as ArrayBuffer]);
}

type Request = {
  readonly call: number;
  readonly method: string;
  readonly argument: unknown;
  /** Of the caller; set with the first call only. */
  readonly cancelFlags?: SharedArrayBuffer;
  readonly progress?: SharedArrayBuffer;
  readonly takesPieces?: true;
};
/** What the answering end sends before its response. */
type Piece = {
  readonly call: number;
  readonly piece: Uint8Array;
  readonly taken: SharedArrayBuffer | null;
};
/** `workMs` is what the answering thread has done for it; of use where it does one call at a time. */
type Response = { readonly call: number; readonly workMs: number } & (
  | { readonly result: unknown }
  | { readonly error: PackedError }
);

/** A call that has begun. */
export type Begun<T> = {
  /** Settles when the other end is done with it, canceled or not. */
  readonly result: Promise<T>;
  /** Asks the other end to be done soon. */
  readonly cancel: () => void;
  /** Somebody else waits for the other end: it should not wait for who takes its pieces. */
  readonly hurry?: () => void;
  /** What it took of the thread that did it; null while that is not known. */
  readonly workMs: () => number | null;
};

/** Calls under way at a time that can be told apart; more would cancel each other. */
const CANCEL_SLOT_COUNT = 1024;

/**
 * Numbers of {@link CallProgress}, and the processor time that the thread had used when the call
 * began, NaN before it does. Torn or stale ones are shown for a moment; no answer depends on them.
 */
const PROGRESS_LENGTH = 4;
const BEGAN_CPU_MS_INDEX = 3;

/** Either end of a channel between threads. */
export type Channel = MessagePort | Worker;

/** The two have this in common, in types that TypeScript cannot unite. */
function listen(channel: Channel, listener: (message: never) => void): void {
  (channel as MessagePort).on('message', listener as (message: unknown) => void);
}

/** Answers the calls that come in on `channel`. */
export function serve(channel: Channel, methods: Methods): void {
  let cancelFlags: Int32Array = new Int32Array(CANCEL_SLOT_COUNT);
  let progress: Float64Array = new Float64Array(PROGRESS_LENGTH);
  const report = (sampleCount: number, seriesCount: number, heldSizeBytes: number) => {
    progress[0] = sampleCount;
    progress[1] = seriesCount;
    progress[2] = heldSizeBytes;
  };
  const pieceSender = (call: number, isCanceled: () => boolean) => {
    let sender: PieceSender | null = null;
    return (piece: Uint8Array<ArrayBuffer>) => {
      sender ??= new PieceSender((bytes, taken) => {
        const message: Piece = { call, piece: bytes, taken };
        channel.postMessage(message, [bytes.buffer]);
      }, isCanceled);
      return sender.send(piece);
    };
  };
  const answer = async (request: Request): Promise<void> => {
    const { call, method, argument } = request;
    const slot = call % CANCEL_SLOT_COUNT;
    const flags = cancelFlags;
    const isCanceled = () => Atomics.load(flags, slot) === call;
    const taking = request.takesPieces === true ? { sendPiece: pieceSender(call, isCanceled) } : {};
    const workMs = measureWork();
    progress[BEGAN_CPU_MS_INDEX] = threadCpuMs();
    try {
      const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
      assert(handler !== undefined, `unknown method ${method}`);
      if (isCanceled()) throw new CanceledError(`${method} canceled`);
      const result: unknown = await handler(argument as never, { isCanceled, report, ...taking });
      if (result instanceof Handover) {
        const response = { call, result: result.value as unknown, workMs: workMs() };
        channel.postMessage(response, [...result.buffers]);
      } else {
        channel.postMessage({ call, result, workMs: workMs() }, []);
      }
    } catch (error) {
      channel.postMessage({ call, error: packError(error), workMs: workMs() }, []);
    }
  };
  listen(channel, (request: Request) => {
    if (request.cancelFlags !== undefined) cancelFlags = new Int32Array(request.cancelFlags);
    if (request.progress !== undefined) progress = new Float64Array(request.progress);
    void answer(request);
  });
}

/** Called with the first piece of a result: gives what takes it and those that follow. */
export type OpenPieces = (taken: SharedArrayBuffer) => PieceQueue;

type Waiting = {
  workMs: number | null;
  readonly openPieces: OpenPieces | null;
  pieces: PieceQueue | null;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
};

export type CallOptions = {
  readonly signal?: AbortSignal;
  readonly transfer?: readonly Transferable[];
};

/** The calling end. */
export class RpcClient<M extends Methods> {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();
  readonly #cancelFlags = new Int32Array(new SharedArrayBuffer(CANCEL_SLOT_COUNT * 4));
  readonly #progress = new Float64Array(new SharedArrayBuffer(PROGRESS_LENGTH * 8));
  #lastCall = 0;
  #failure: Error | null = null;

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#progress[BEGAN_CPU_MS_INDEX] = Number.NaN;
    listen(channel, (message: Response | Piece) => {
      if ('piece' in message) this.#take(message);
      else this.#settle(message);
    });
  }

  /**
   * Calls `method`. Rejects with the error that it threw, its class and fields kept; with
   * CanceledError as soon as `signal` aborts; with the reason of {@link fail} when the thread is gone.
   */
  call<Name extends keyof M & string>(
    method: Name,
    argument: ArgumentOf<M[Name]>,
    { signal, transfer }: CallOptions = {},
  ): Promise<ResultOf<M[Name]>> {
    if (signal?.aborted === true) return Promise.reject(new CanceledError(`${method} canceled`));
    const { result, cancel } = this.start(method, argument, transfer);
    if (signal === undefined) return result;
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel();
        reject(new CanceledError(`${method} canceled`));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  /** @param openPieces  null when the result is wanted as a whole */
  start<Name extends keyof M & string>(
    method: Name,
    argument: ArgumentOf<M[Name]>,
    transfer: readonly Transferable[] = [],
    openPieces: OpenPieces | null = null,
  ): Begun<ResultOf<M[Name]>> {
    if (this.#failure !== null) {
      return { result: Promise.reject(this.#failure), cancel: () => {}, workMs: () => null };
    }
    const call = ++this.#lastCall;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const waiting: Waiting = { workMs: null, openPieces, pieces: null, resolve, reject };
    this.#waiting.set(call, waiting);
    const shared =
      call === 1 ? { cancelFlags: this.#cancelFlags.buffer, progress: this.#progress.buffer } : {};
    this.#progress.fill(0);
    this.#progress[BEGAN_CPU_MS_INDEX] = Number.NaN;
    const taking = openPieces === null ? {} : { takesPieces: true };
    this.#channel.postMessage({ call, method, argument, ...shared, ...taking }, [...transfer]);
    const cancel = () => {
      Atomics.store(this.#cancelFlags, call % CANCEL_SLOT_COUNT, call);
      waiting.pieces?.release();
    };
    const hurry = () => waiting.pieces?.release();
    const result = promise as Promise<ResultOf<M[Name]>>;
    return { result, cancel, hurry, workMs: () => waiting.workMs };
  }

  /** Of the call under way, where the other end does one at a time. */
  get progress(): CallProgress {
    const [sampleCount, seriesCount, heldSizeBytes] = this.#progress;
    return {
      sampleCount: sampleCount!,
      seriesCount: seriesCount!,
      heldSizeBytes: heldSizeBytes!,
    };
  }

  /** What the other end's thread had used when it began the call under way; null when it has not. */
  get beganCpuMs(): number | null {
    const beganCpuMs = this.#progress[BEGAN_CPU_MS_INDEX]!;
    return Number.isNaN(beganCpuMs) ? null : beganCpuMs;
  }

  /** The other end is gone: whatever waits, and whatever is called from now on, rejects. */
  fail(reason: Error): void {
    this.#failure = reason;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(reason);
  }

  #take({ call, piece, taken }: Piece): void {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined || waiting.openPieces === null) return;
    if (taken !== null) waiting.pieces = waiting.openPieces(taken);
    waiting.pieces?.push(piece);
  }

  #settle(response: Response): void {
    // Events that are no answers share the channel.
    const waiting = this.#waiting.get(response.call);
    if (waiting === undefined) return;
    this.#waiting.delete(response.call);
    waiting.workMs = response.workMs;
    if ('error' in response) waiting.reject(unpackError(response.error));
    else waiting.resolve(response.result);
  }
}
