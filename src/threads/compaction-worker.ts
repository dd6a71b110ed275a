/**
 * One heavy storage job, in a thread that ends with it, so that its memory goes back at once. It can
 * wait: where there are fewer cores than work, scrapes and queries go first.
 */
import { getPriority, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { type CompactionJob, runCompactionJob, type SharedDb } from '../../tsdb/index.ts';

export type CompactionWorkerData = { readonly job: CompactionJob; readonly shared: SharedDb };

const NICENESS = 10;

assert(parentPort !== null, 'runs in a worker');
// On Linux 0 means the calling thread, elsewhere the whole process.
if (process.platform === 'linux') setPriority(0, Math.max(NICENESS, getPriority(0)));
const { job, shared } = workerData as CompactionWorkerData;
parentPort.postMessage(runCompactionJob(job, shared), []);
