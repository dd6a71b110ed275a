/**
 * Work done for its effect on the compiler, in the gaps between real work: so little at a time that
 * nobody waits for it, and so little in all that it is not noticed. Begun with the first query,
 * because a thread that nobody asks should neither load nor compile anything.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';

export type WarmUpOptions = {
  /** Steps to be done, each of about a millisecond. */
  readonly steps: () => Iterator<unknown>;
  /** Time that all steps may take together. */
  readonly budgetMs: number;
  readonly monotonicMs: () => number;
  /** Does somebody wait for what is being practised? Then others have one turn, but no pause. */
  readonly isUrgent?: () => boolean;
};

/**
 * Alternates between made-up work and whatever real work was done last, so that the code of both
 * engine and storage is used as it is going to be.
 */
export class Rehearsal {
  readonly #madeUp: Iterator<unknown>;
  #latest: (() => void) | null = null;

  constructor(madeUp: Iterator<unknown>) {
    this.#madeUp = madeUp;
  }

  /** @param repeat  does the work again, for nobody; it must not change anything */
  note(repeat: () => void): void {
    this.#latest = repeat;
  }

  *steps(): Generator<void> {
    for (;;) {
      if (this.#madeUp.next().done === true) return;
      yield;
      try {
        this.#latest?.();
      } catch {
        // What could be answered a moment ago may be too much now; it was only practice.
        this.#latest = null;
      }
      yield;
    }
  }
}

/** After so long a piece of work others have their turn, and then for so long. */
const SLICE_MS = 1;
const PAUSE_MS = 6;

/** Resolves when the budget is used up or nothing is left to do. */
export async function warmUpInGaps(options: WarmUpOptions): Promise<void> {
  const { budgetMs, monotonicMs, isUrgent = () => false } = options;
  const steps = options.steps();
  let usedMs = 0;
  while (usedMs < budgetMs) {
    if (isUrgent()) {
      await setImmediate();
    } else {
      await setTimeout(PAUSE_MS, undefined, { ref: false });
    }
    const beganMs = monotonicMs();
    let elapsedMs = 0;
    while (elapsedMs < SLICE_MS) {
      if (steps.next().done === true) return;
      elapsedMs = monotonicMs() - beganMs;
    }
    usedMs += elapsedMs;
  }
}
