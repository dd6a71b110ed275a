/** Entry of a query worker: a thread that does nothing but answer, one question at a time. */
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
/** Questions that take longer are not asked again for practice. */
const REPEATED_MS_MAX = 2;
/** They read, change nothing, and tell nobody. */
const REPEATED_METHODS = ['instant', 'range', 'labelNames', 'labelValues', 'series'];

/** The same methods, which are practised in the gaps after the first call. */
function practised(methods: Methods): Methods {
  const rehearsal = new Rehearsal(practice());
  let hasBegun = false;
  const wrapped: Record<string, Methods[string]> = { ...methods };
  for (const name of REPEATED_METHODS) {
    const method = methods[name]!;
    wrapped[name] = (argument: never, call: Call): unknown => {
      const beganMs = performance.now();
      const result = method(argument, call);
      const isShort = performance.now() - beganMs <= REPEATED_MS_MAX;
      if (isShort) rehearsal.note(() => method(argument, UNWATCHED));
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

const UNWATCHED: Call = { isCanceled: () => false, report: () => {} };

const port = parentPort;
assert(port !== null, 'runs in a worker');
const { log, settings, remoteRead } = workerData as QueryWorkerData;
const logger = createStderrLogger(log, { component: 'query worker' });
serve(port, practised(createQueryMethods(settings, logger, new RemoteReadLine(remoteRead))));
keepCompiledCode();
