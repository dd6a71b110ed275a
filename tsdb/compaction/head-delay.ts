/**
 * Spreads the compactions of many servers: each puts off cutting its head by a random part of the
 * block range. Source: Prometheus feature flags documentation, "Delayed compaction".
 */
import type { Clock } from '../../model/index.ts';

export class HeadDelay {
  readonly #clock: Clock;
  readonly #longestMs: number;
  readonly #random: () => number;
  #untilMs: number | null = null;

  /** @param longestMs  0 puts nothing off  @param random  gives numbers in [0, 1) */
  constructor(clock: Clock, longestMs: number, random: () => number) {
    this.#clock = clock;
    this.#longestMs = longestMs;
    this.#random = random;
  }

  /** Whether a head that can be cut has to wait; the first question begins the waiting. */
  get isWaiting(): boolean {
    if (this.#longestMs <= 0) return false;
    const nowMs = this.#clock.nowMs();
    this.#untilMs ??= nowMs + Math.floor(this.#random() * this.#longestMs);
    return nowMs < this.#untilMs;
  }

  /** The head was cut: the next time waits anew. */
  reset(): void {
    this.#untilMs = null;
  }
}
