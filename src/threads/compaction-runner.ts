/** Runs storage jobs in threads of their own. */
import { Worker } from 'node:worker_threads';
import type { CompactionJob, JobResult, SharedDb } from '../../tsdb/index.ts';
import type { CompactionWorkerData } from './compaction-worker.ts';
import { threadEntry } from './thread-entry.ts';

/** Resolves with the result once the thread has ended, and rejects with what it threw. */
export function runJobInWorker(job: CompactionJob, shared: SharedDb): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const workerData: CompactionWorkerData = { job, shared };
    const worker = new Worker(threadEntry('compaction-worker'), { name: 'compaction', workerData });
    let result: JobResult | null = null;
    worker.on('message', (message: JobResult) => (result = message));
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (result !== null) resolve(result);
      else reject(new Error(`the compaction thread ended with code ${code} and without a result`));
    });
  });
}
