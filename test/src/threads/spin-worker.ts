/** A thread that is busy in a loop until somebody cancels, or that ends badly; for the tests here. */
import { parentPort } from 'node:worker_threads';
import { assert } from '../../../model/index.ts';
import { type Call, serve } from '../../../src/threads/rpc.ts';

const methods = {
  ping: () => 'pong',
  crash: () => process.exit(3),
  /** More than any heap. */
  hoard: () => {
    const hoard: number[][] = [];
    for (;;) hoard.push(Array.from({ length: 10_000 }, (_, index) => index + hoard.length + 0.5));
  },
  /** So many pieces of one byte, then how long it has waited; dies before number `dieAt`. */
  stream: ({ count, dieAt = -1 }: { count: number; dieAt?: number }, call: Call) => {
    let pausedMs = 0;
    for (let i = 0; i < count; i++) {
      if (i === dieAt) process.exit(3);
      pausedMs += call.sendPiece?.(Uint8Array.of(i)) ?? 0;
    }
    return pausedMs;
  },
  spin: (durationMs: number, call: Call) => {
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs && !call.isCanceled());
    return call.isCanceled();
  },
};
export type SpinMethods = typeof methods;

assert(parentPort !== null, 'runs in a worker');
serve(parentPort, methods);
