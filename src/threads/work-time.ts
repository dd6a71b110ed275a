/**
 * How much work something is. On a machine that has much else to do the time on the clock tells
 * more about the others: a thread that waits for a processor in the middle of a short query would
 * make it look long. So processor time counts where it is less.
 */

/** Processor time that the calling thread has used so far. */
export function threadCpuMs(): number {
  return usageMs(process.threadCpuUsage());
}

/** The two parts, in microseconds, are what Node measures for a process or a thread. */
export function usageMs({ user, system }: { user: number; system: number }): number {
  return (user + system) / 1000;
}

/** What took no longer is not worth asking the system for processor time, which is no more than that. */
const NEGLIGIBLE_MS = 1;

/** Begins to measure; the function gives what the calling thread has done since, in milliseconds. */
export function measureWork(): () => number {
  const beganMs = performance.now();
  const beganCpuMs = threadCpuMs();
  return () => {
    const elapsedMs = performance.now() - beganMs;
    if (elapsedMs <= NEGLIGIBLE_MS) return elapsedMs;
    return Math.min(elapsedMs, threadCpuMs() - beganCpuMs);
  };
}
