/**
 * Heavy storage jobs, one after the other, in a thread that can wait: where there are fewer cores than
 * work, scrapes and queries go first. Ends when it is told to.
 */
import { getPriority, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { type CompactionJob, runCompactionJob, type SharedDb } from '../../tsdb/index.ts';

/** Null: no more jobs will come. */
export type CompactionMessage = { readonly job: CompactionJob; readonly shared: SharedDb } | null;

const NICENESS = 10;

const port = parentPort;
assert(port !== null, 'runs in a worker');
// On Linux 0 means the calling thread, elsewhere the whole process.
if (process.platform === 'linux') setPriority(0, Math.max(NICENESS, getPriority(0)));
port.on('message', (message: CompactionMessage) => {
  if (message === null) port.close();
  else port.postMessage(runCompactionJob(message.job, message.shared), []);
});
