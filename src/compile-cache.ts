/**
 * Compiled code is kept on disk (see docs/decisions/0002), but Node writes it out only when a
 * thread ends by itself, and ours are often ended from outside.
 */
import { flushCompileCache } from 'node:module';
import { collectGarbage } from './collect-garbage.ts';

const DELAY_MS = 1000;

/**
 * To be called once by every thread, when it has loaded its code.
 * @param andThen  what to do about what loading left in memory
 */
export function keepCompiledCode(andThen: () => void = collectGarbage): void {
  setTimeout(() => {
    flushCompileCache();
    andThen();
  }, DELAY_MS).unref();
}
