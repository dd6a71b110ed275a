/**
 * A large answer on its way out of a worker: pieces, sent while the rest is still being written. The
 * worker is in synchronous code, so what it has to know of the other end is a number in shared
 * memory: how many of its pieces have been taken. It waits while too many have not, but not for ever,
 * and not at all once somebody else waits for the worker: what is left then lies in memory as a whole.
 */
import { CanceledError } from '../../model/index.ts';

/** Pieces on their way that nobody has taken. With pieces of 1 MiB that much memory. */
const UNTAKEN_COUNT_MAX = 8;
/** How long a worker waits for slow takers, in all, for one answer. */
const PATIENCE_MS = 10_000;
/** More than there can be of any answer. */
const ALL = 2 ** 30;

/** Sends a piece, all of its buffer. `taken` goes with the first. */
export type PostPiece = (piece: Uint8Array<ArrayBuffer>, taken: SharedArrayBuffer | null) => void;

/** The worker's end. */
export class PieceSender {
  readonly #taken = new Int32Array(new SharedArrayBuffer(4));
  readonly #post: PostPiece;
  readonly #isCanceled: () => boolean;
  #sentCount = 0;
  #patienceMs: number;

  constructor(post: PostPiece, isCanceled: () => boolean, patienceMs = PATIENCE_MS) {
    this.#post = post;
    this.#isCanceled = isCanceled;
    this.#patienceMs = patienceMs;
  }

  /**
   * Waits for room, then sends.
   * @returns how long it has waited, in milliseconds
   * @throws CanceledError
   */
  send(piece: Uint8Array<ArrayBuffer>): number {
    const waitedMs = this.#waitForRoom();
    if (this.#isCanceled()) throw new CanceledError('query was canceled in result writing');
    this.#post(piece, this.#sentCount === 0 ? this.#taken.buffer : null);
    this.#sentCount++;
    return waitedMs;
  }

  #waitForRoom(): number {
    const patienceMs = this.#patienceMs;
    let takenCount = Atomics.load(this.#taken, 0);
    while (this.#sentCount - takenCount >= UNTAKEN_COUNT_MAX && this.#patienceMs > 0) {
      const beganMs = performance.now();
      Atomics.wait(this.#taken, 0, takenCount, this.#patienceMs);
      this.#patienceMs -= performance.now() - beganMs;
      takenCount = Atomics.load(this.#taken, 0);
    }
    return patienceMs - this.#patienceMs;
  }
}

/**
 * The taker's end: gives the pieces in their order, to one who asks. Asking for the next says that the
 * last one is done with.
 */
export class PieceQueue implements AsyncIterable<Uint8Array> {
  readonly #taken: Int32Array;
  #takenCount = 0;
  #pieces: Uint8Array[] = [];
  #outcome: 'open' | 'complete' | 'failed' | 'left' = 'open';
  #error: unknown = null;
  #wake: (() => void) | null = null;

  /** @param taken  came with the first piece */
  constructor(taken: SharedArrayBuffer) {
    this.#taken = new Int32Array(taken);
  }

  push(piece: Uint8Array): void {
    if (this.#outcome !== 'open') return;
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** Nothing comes after `last`. */
  complete(last: Uint8Array): void {
    this.push(last);
    if (this.#outcome === 'open') this.#outcome = 'complete';
    this.#wake?.();
  }

  /** The rest will not come; who asks is told so at once. */
  fail(error: unknown): void {
    if (this.#outcome !== 'open') return;
    this.#outcome = 'failed';
    this.#error = error;
    this.#pieces = [];
    this.release();
    this.#wake?.();
  }

  /** The worker is not to wait any more. */
  release(): void {
    this.#tell(ALL);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (this.#outcome === 'failed') throw this.#error;
        const piece = this.#pieces.shift();
        if (piece !== undefined) {
          yield piece;
          if (this.#takenCount < ALL) this.#tell(this.#takenCount + 1);
        } else if (this.#outcome === 'complete') {
          return;
        } else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = null;
        }
      }
    } finally {
      this.#outcome = 'left';
      this.#pieces = [];
      this.release();
    }
  }

  #tell(takenCount: number): void {
    this.#takenCount = takenCount;
    Atomics.store(this.#taken, 0, takenCount);
    Atomics.notify(this.#taken, 0);
  }
}
