/**
 * Short work done at once, in the calling thread. Handing a question to another thread and its
 * answer back costs some 80 µs of processor time, mostly for waking threads up; a dashboard's
 * cheap queries cost less than that themselves. So work that was short the last time is done here
 * the next time, within a budget: what exceeds it is dropped, and a worker does it over.
 * See docs/decisions/0006-short-queries-stay-in-the-main-thread.md.
 */
import { CanceledError } from '../../model/index.ts';
import { Rehearsal, warmUpInGaps } from './warm-up.ts';
import {
  type ArgumentOf,
  type Begun,
  type Call,
  Handover,
  type Methods,
  type ResultOf,
} from './rpc.ts';
import { measureWork } from './work-time.ts';

export type NearWorkOptions<M> = {
  /**
   * Called once there is enough short work: loading the code costs memory. `practice` is work that
   * makes the compiler look at the code before anybody waits for it.
   */
  readonly load: () => Promise<{ methods: M; practice: Iterator<unknown> }>;
  readonly monotonicMs: () => number;
  /** Gives what was done since it was called, like {@link measureWork}. */
  readonly measure?: () => () => number;
  /** How long work took the last time; undefined when that is not known. */
  readonly lastMs: (key: string) => number | undefined;
  /** True while work may have to wait for others. */
  readonly isOff: () => boolean;
  /** Is there work that waits for a worker? */
  readonly isAwaited: () => boolean;
};

/** Work that took longer is not for here. */
const SHORT_MS_MAX = 2;
/** Work done here stops after so long, at the next place where it looks. */
const BUDGET_MS = 4;
/** So much short work has to have been seen before the code for it is loaded. */
const LOAD_AFTER_COUNT = 20;
/** So much time goes into practice before the first work is done here. */
const PRACTICE_MS = 100;
/** What was begun here is too much for here. */
export class OverBudgetError extends Error {}

export class NearWork<M extends Methods> {
  readonly #options: NearWorkOptions<M>;
  #methods: M | null = null;
  #rehearsal: Rehearsal | null = null;
  #isReady = false;
  #shortCount = 0;

  constructor(options: NearWorkOptions<M>) {
    this.#options = options;
  }

  /** @param key  the same for work that costs about the same */
  isFor(key: string): boolean {
    if (!this.#isReady || this.#options.isOff()) return false;
    return (this.#options.lastMs(key) ?? Infinity) <= SHORT_MS_MAX;
  }

  /**
   * Does `method` now, to be called like a thread that does it. `result` rejects with
   * {@link OverBudgetError} when a worker has to do it.
   */
  start<Name extends keyof M & string>(
    method: Name,
    argument: ArgumentOf<M[Name]>,
  ): Begun<ResultOf<M[Name]>> {
    const { monotonicMs, measure = measureWork } = this.#options;
    const endMs = monotonicMs() + BUDGET_MS;
    const workMs = measure();
    // Too short to be watched. The clock is asked first because it is the cheaper one.
    const call: Call = {
      isCanceled: () => monotonicMs() > endMs && workMs() > BUDGET_MS,
      report: () => {},
    };
    const result = this.#do(method, argument, call);
    const doneMs = workMs();
    return { result, cancel: () => {}, workMs: () => doneMs };
  }

  async #do<Name extends keyof M & string>(
    method: Name,
    argument: ArgumentOf<M[Name]>,
    call: Call,
  ): Promise<ResultOf<M[Name]>> {
    try {
      const result = this.#methods![method]!(argument as never, call);
      return (result instanceof Handover ? result.value : result) as ResultOf<M[Name]>;
    } catch (error) {
      throw error instanceof CanceledError ? new OverBudgetError(method) : error;
    }
  }

  /**
   * Work was done, here or by a worker.
   * @param repeat  does it here, for practice
   */
  took(workMs: number, repeat: () => void): void {
    if (workMs > SHORT_MS_MAX) return;
    this.#rehearsal?.note(repeat);
    if (++this.#shortCount === LOAD_AFTER_COUNT) void this.#load();
  }

  async #load(): Promise<void> {
    const { methods, practice } = await this.#options.load();
    this.#methods = methods;
    const { monotonicMs, isAwaited } = this.#options;
    const rehearsal = new Rehearsal(practice);
    this.#rehearsal = rehearsal;
    await warmUpInGaps({
      steps: () => rehearsal.steps(),
      budgetMs: PRACTICE_MS,
      monotonicMs,
      isUrgent: isAwaited,
    });
    this.#rehearsal = null;
    this.#isReady = true;
  }
}
