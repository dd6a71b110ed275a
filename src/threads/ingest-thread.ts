/** Entry of the ingest thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { createStderrLogger, type LogOptions } from '../log-writer.ts';
import { Ingest, type ReplayMessage } from './ingest.ts';
import { serve } from './rpc.ts';

export type IngestThreadData = { readonly log: LogOptions };

const port = parentPort;
assert(port !== null, 'runs in a worker');
const { log } = workerData as IngestThreadData;
const ingest = new Ingest(createStderrLogger(log), (message: ReplayMessage) =>
  port.postMessage(message, []),
);
serve(port, ingest.methods);
// The thread itself knows when it has a moment for collecting garbage.
keepCompiledCode({ andThen: () => {} });
