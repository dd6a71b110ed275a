import { CanceledError, type Clock } from '../model/index.ts';

// setTimeout counts in 32 bits; longer waits are made of several.
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The time of this machine. Its sleeps do not keep a process alive that has nothing else to do. */
export const REAL_CLOCK: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(new CanceledError('sleep canceled'));
      const endMs = performance.now() + delayMs;
      let timer: NodeJS.Timeout;
      const cancel = () => {
        clearTimeout(timer);
        reject(new CanceledError('sleep canceled'));
      };
      const wait = () => {
        const restMs = endMs - performance.now();
        if (restMs > TIMER_MS_MAX) {
          timer = setTimeout(wait, TIMER_MS_MAX).unref();
          return;
        }
        timer = setTimeout(
          () => {
            signal?.removeEventListener('abort', cancel);
            resolve();
          },
          Math.max(0, restMs),
        ).unref();
      };
      signal?.addEventListener('abort', cancel, { once: true });
      wait();
    }),
};
