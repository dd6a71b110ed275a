import { CanceledError } from './errors.ts';

/** Time as a port, so that schedules can be tested without waiting. The real one lives in src. */
export interface Clock {
  /** Milliseconds since the Unix epoch, whole. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start, fractional, never going back. For durations. */
  monotonicMs(): number;
  /** Resolves after `delayMs`; rejects with CanceledError when `signal` aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

type Sleeper = { readonly wakeMs: number; readonly wake: () => void };

/** A clock that moves only when a test says so. */
export class SimulatedClock implements Clock {
  #nowMs: number;
  readonly #startMs: number;
  #sleepers: Sleeper[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new CanceledError('sleep canceled'));
      const sleeper: Sleeper = { wakeMs: this.#nowMs + Math.max(0, delayMs), wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
          reject(new CanceledError('sleep canceled'));
        },
        { once: true },
      );
    });
  }

  /** How many sleeps are waiting; a test can wait for this to settle before it advances. */
  get sleeperCount(): number {
    return this.#sleepers.length;
  }

  /** Moves time forward, waking sleepers in order, each at its own instant. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      let next: Sleeper | undefined;
      for (const s of this.#sleepers) {
        if (s.wakeMs <= endMs && (next === undefined || s.wakeMs < next.wakeMs)) next = s;
      }
      if (next === undefined) break;
      const woken = next;
      this.#sleepers = this.#sleepers.filter((other) => other !== woken);
      this.#nowMs = Math.max(this.#nowMs, woken.wakeMs);
      woken.wake();
      // Two turns of the macrotask queue, so that what was woken can go to sleep again.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = endMs;
  }
}
