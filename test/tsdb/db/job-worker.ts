/** The thread in which jobs.test.ts lets the database do its heavy work. */
import { parentPort } from 'node:worker_threads';
import { type CompactionJob, runCompactionJob, type SharedDb } from '../../../tsdb/index.ts';

parentPort!.on('message', ({ job, shared }: { job: CompactionJob; shared: SharedDb }) => {
  parentPort!.postMessage(runCompactionJob(job, shared), []);
});
