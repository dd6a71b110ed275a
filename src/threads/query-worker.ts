/** Entry of a query worker: a thread that does nothing but answer, one question at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { createStderrLogger, type LogOptions } from '../log-writer.ts';
import { createQueryMethods, type QuerySettings } from './query-methods.ts';
import { serve } from './rpc.ts';

export type QueryWorkerData = { readonly log: LogOptions; readonly settings: QuerySettings };

const port = parentPort;
assert(port !== null, 'runs in a worker');
const { log, settings } = workerData as QueryWorkerData;
serve(port, createQueryMethods(settings, createStderrLogger(log, { component: 'query worker' })));
keepCompiledCode();
