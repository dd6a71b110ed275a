/** A token or a session: asked for when it is needed, and again shortly before it ends. */
import type { Clock } from '../../model/index.ts';

/** Until when it is good, in milliseconds since the Unix epoch. */
export type Token = { readonly endMs: number };

const RENEW_MS = 60_000;

export class HeldToken<T extends Token> {
  readonly #clock: Clock;
  readonly #request: (signal: AbortSignal) => Promise<T>;
  #held: T | null = null;

  constructor(clock: Clock, request: (signal: AbortSignal) => Promise<T>) {
    this.#clock = clock;
    this.#request = request;
  }

  /** @throws what `request` throws */
  async get(signal: AbortSignal): Promise<T> {
    if (this.#held === null || this.#clock.nowMs() > this.#held.endMs - RENEW_MS) {
      this.#held = await this.#request(signal);
    }
    return this.#held;
  }

  /** It may be the reason of a failure. */
  forget(): void {
    this.#held = null;
  }
}
