/** One import, in a thread that ends with it. What else the machine has to do goes first. */
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import type { ImportFigures, ImportJob } from '../import/import-job.ts';
import { runImport } from '../import/run-import.ts';
import { packError, type PackedError } from './packed-error.ts';

export type ImportMessage =
  | { readonly kind: 'progress' | 'done'; readonly figures: ImportFigures }
  | { readonly kind: 'failed'; readonly error: PackedError };

const NICENESS = 10;
const PROGRESS_INTERVAL_MS = 200;

assert(parentPort !== null, 'runs in a worker');
const port = parentPort;
const send = (message: ImportMessage) => port.postMessage(message, []);
// On Linux 0 means the calling thread, elsewhere the whole process.
if (process.platform === 'linux') setPriority(0, Math.max(NICENESS, getPriority(0)));
let toldMs = -Infinity;
try {
  const figures = await runImport(workerData as ImportJob, (soFar) => {
    if (performance.now() - toldMs < PROGRESS_INTERVAL_MS) return;
    toldMs = performance.now();
    send({ kind: 'progress', figures: soFar });
  });
  send({ kind: 'done', figures });
} catch (error) {
  send({ kind: 'failed', error: packError(error) });
}
