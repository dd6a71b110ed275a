/**
 * Compiled code is kept on disk (see docs/decisions/0002), but Node writes it out only when a
 * thread ends by itself, and ours are often ended from outside.
 */
import { flushCompileCache } from 'node:module';
import { collectGarbage } from './collect-garbage.ts';

const DELAY_MS = 1000;

export type KeepOptions = {
  /** What to do about what loading left in memory. */
  readonly andThen?: () => void;
  /** While somebody waits for this thread, it is put off: both take tens of milliseconds. */
  readonly isBusy?: () => boolean;
};

/** To be called once by every thread, when it has loaded its code. */
export function keepCompiledCode(options: KeepOptions = {}): void {
  const { andThen = collectGarbage, isBusy = () => false } = options;
  const timer = setInterval(() => {
    if (isBusy()) return;
    clearInterval(timer);
    flushCompileCache();
    andThen();
  }, DELAY_MS).unref();
}
