/** Entry of a query worker: a thread that does nothing but answer, one question at a time. */
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { createStderrLogger, type LogOptions } from '../log-writer.ts';
import { createQueryMethods, practice, type QuerySettings } from './query-methods.ts';
import type { BridgeEnd } from './remote-read-bridge.ts';
import { RemoteReadLine } from './remote-read-line.ts';
import { type Call, type Methods, serve } from './rpc.ts';
import { Rehearsal, warmUpInGaps } from './warm-up.ts';

export type QueryWorkerData = {
  readonly log: LogOptions;
  readonly settings: QuerySettings;
  readonly remoteRead: BridgeEnd;
};

/** So much time goes into practice once the first question has been answered. */
const PRACTICE_MS = 150;
/** And so much before, while what there is to be asked about is still being opened. */
const EARLY_PRACTICE_MS = 100;
/** A thread that was asked something so short a time ago is about to be asked again. */
const QUIET_MS = 500;
/** Questions that take longer are not asked again for practice. */
const REPEATED_MS_MAX = 2;
/** They read, change nothing, and tell nobody. */
const REPEATED_METHODS = ['instant', 'range', 'labelNames', 'labelValues', 'series'];

let askedAtMs = -Infinity;

/** The same methods, which are practised before the first call and in the gaps after it. */
function practised(methods: Methods, line: RemoteReadLine): Methods {
  const rehearsal = new Rehearsal(practice());
  let hasBegun = false;
  let isGreeted = false;
  const wrapped: Record<string, Methods[string]> = { ...methods };
  wrapped['hello'] = (argument: never, call: Call): unknown => {
    isGreeted = true;
    return methods['hello']!(argument, call);
  };
  void practiseUntil(() => isGreeted, rehearsal);
  for (const name of REPEATED_METHODS) {
    const method = methods[name]!;
    wrapped[name] = (argument: never, call: Call): unknown => {
      const beganMs = performance.now();
      const result = method(argument, call);
      askedAtMs = performance.now();
      const isShort = askedAtMs - beganMs <= REPEATED_MS_MAX;
      // Other servers are not asked for practice.
      if (isShort) rehearsal.note(() => line.hasServers || method(argument, UNWATCHED));
      if (!hasBegun) {
        hasBegun = true;
        const monotonicMs = (): number => performance.now();
        void warmUpInGaps({
          steps: () => rehearsal.steps(),
          budgetMs: PRACTICE_MS,
          monotonicMs,
        }).then(() => Object.assign(wrapped, methods));
      }
      return result;
    };
  }
  return wrapped;
}

/** Nobody waits yet, so there are no gaps to keep but those in which the greeting can arrive. */
async function practiseUntil(isOver: () => boolean, rehearsal: Rehearsal): Promise<void> {
  const steps = rehearsal.steps();
  const endMs = performance.now() + EARLY_PRACTICE_MS;
  do {
    await setImmediate();
  } while (!isOver() && performance.now() < endMs && steps.next().done !== true);
}

const UNWATCHED: Call = { isCanceled: () => false, report: () => {} };

const port = parentPort;
assert(port !== null, 'runs in a worker');
const { log, settings, remoteRead } = workerData as QueryWorkerData;
const logger = createStderrLogger(log, { component: 'query worker' });
const line = new RemoteReadLine(remoteRead);
serve(port, practised(createQueryMethods(settings, logger, line), line));
keepCompiledCode({ isBusy: () => performance.now() - askedAtMs < QUIET_MS });
