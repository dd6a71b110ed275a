/** One heavy storage job, in a thread that ends with it, so that its memory goes back at once. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { type CompactionJob, runCompactionJob, type SharedDb } from '../../tsdb/index.ts';

export type CompactionWorkerData = { readonly job: CompactionJob; readonly shared: SharedDb };

assert(parentPort !== null, 'runs in a worker');
const { job, shared } = workerData as CompactionWorkerData;
parentPort.postMessage(runCompactionJob(job, shared), []);
