/**
 * Short work done at once, in the calling thread. Handing a question to another thread and its
 * answer back costs some 80 µs of processor time, mostly for waking threads up; a dashboard's
 * cheap queries cost less than that themselves. So work that was short the last time is done here
 * the next time, within a budget: what exceeds it is dropped, and a worker does it over.
 * See docs/decisions/0006-short-queries-stay-in-the-main-thread.md.
 */
import { CanceledError } from '../../model/index.ts';
import { Rehearsal, warmUpInGaps } from './warm-up.ts';
import { type ArgumentOf, type Call, Handover, type Methods, type ResultOf } from './rpc.ts';

export type NearWorkOptions<M> = {
  /**
   * Called once there is enough short work: loading the code costs memory. `practice` is work that
   * makes the compiler look at the code before anybody waits for it.
   */
  readonly load: () => Promise<{ methods: M; practice: Iterator<unknown> }>;
  readonly monotonicMs: () => number;
  /** True while work may have to wait for others. */
  readonly isOff: () => boolean;
};

/** Work that took longer is not for here. */
const SHORT_MS_MAX = 1.5;
/** Work done here stops after so long, at the next place where it looks. */
const BUDGET_MS = 3;
/** So much short work has to have been seen before the code for it is loaded. */
const LOAD_AFTER_COUNT = 20;
/** So much time goes into practice before the first work is done here. */
const PRACTICE_MS = 100;
/** Different pieces of work that are remembered. */
const KNOWN_COUNT_MAX = 1000;

/** What was begun here is too much for here. */
export class OverBudgetError extends Error {}

export class NearWork<M extends Methods> {
  readonly #options: NearWorkOptions<M>;
  /** Keys of what was short the last time, the longest unused first. */
  readonly #short = new Set<string>();
  #methods: M | null = null;
  #rehearsal: Rehearsal | null = null;
  #isReady = false;
  #shortCount = 0;

  constructor(options: NearWorkOptions<M>) {
    this.#options = options;
  }

  /** @param key  the same for work that costs about the same */
  isFor(key: string): boolean {
    return this.#isReady && !this.#options.isOff() && this.#short.has(key);
  }

  /**
   * Does `method` now, to be called like a thread that does it. `result` rejects with
   * {@link OverBudgetError} when a worker has to do it.
   */
  start<Name extends keyof M & string>(
    method: Name,
    argument: ArgumentOf<M[Name]>,
  ): { readonly result: Promise<ResultOf<M[Name]>>; readonly cancel: () => void } {
    return { result: this.#do(method, argument), cancel: () => {} };
  }

  async #do<Name extends keyof M & string>(
    method: Name,
    argument: ArgumentOf<M[Name]>,
  ): Promise<ResultOf<M[Name]>> {
    const { monotonicMs } = this.#options;
    const endMs = monotonicMs() + BUDGET_MS;
    // Too short to be watched.
    const call: Call = { isCanceled: () => monotonicMs() > endMs, report: () => {} };
    try {
      const result = this.#methods![method]!(argument as never, call);
      return (result instanceof Handover ? result.value : result) as ResultOf<M[Name]>;
    } catch (error) {
      throw error instanceof CanceledError ? new OverBudgetError(method) : error;
    }
  }

  /**
   * Work was done, here or by a worker, the way there and back included.
   * @param repeat  does it here, for practice
   */
  took(key: string, durationMs: number, repeat: () => void): void {
    this.#short.delete(key);
    if (durationMs > SHORT_MS_MAX) return;
    this.#rehearsal?.note(repeat);
    this.#short.add(key);
    if (this.#short.size > KNOWN_COUNT_MAX) {
      const [oldest] = this.#short;
      this.#short.delete(oldest!);
    }
    if (++this.#shortCount === LOAD_AFTER_COUNT) void this.#load();
  }

  async #load(): Promise<void> {
    const { methods, practice } = await this.#options.load();
    this.#methods = methods;
    const { monotonicMs } = this.#options;
    const rehearsal = new Rehearsal(practice);
    this.#rehearsal = rehearsal;
    await warmUpInGaps({ steps: () => rehearsal.steps(), budgetMs: PRACTICE_MS, monotonicMs });
    this.#rehearsal = null;
    this.#isReady = true;
  }
}
