/**
 * Runs storage jobs in a thread of their own. It stays a moment for the next one, because they come in
 * rows (several blocks, a checkpoint, a merge) and loading and compiling its code costs more than most
 * of them; then it ends, so that its memory goes back.
 */
import { Worker } from 'node:worker_threads';
import type { CompactionJob, JobResult, SharedDb } from '../../tsdb/index.ts';
import type { CompactionMessage } from './compaction-worker.ts';
import { threadEntry } from './thread-entry.ts';

const IDLE_MS = 2000;

type IdleThread = { readonly worker: Worker; readonly timer: NodeJS.Timeout };

export class CompactionRunner {
  #idle: IdleThread | null = null;

  /** Resolves with the result, and rejects with what the job threw, which ends its thread. */
  run(job: CompactionJob, shared: SharedDb): Promise<JobResult> {
    const worker = this.#take();
    return new Promise((resolve, reject) => {
      const fail = (code: number) => {
        reject(new Error(`the compaction thread ended with code ${code} and without a result`));
      };
      worker.once('error', reject);
      worker.once('exit', fail);
      worker.once('message', (result: JobResult) => {
        worker.off('error', reject);
        worker.off('exit', fail);
        this.#keep(worker);
        resolve(result);
      });
      const message: CompactionMessage = { job, shared };
      worker.postMessage(message, []);
    });
  }

  #take(): Worker {
    if (this.#idle === null) {
      return new Worker(threadEntry('compaction-worker'), { name: 'compaction' });
    }
    const { worker, timer } = this.#idle;
    this.#idle = null;
    clearTimeout(timer);
    worker.ref();
    return worker;
  }

  #keep(worker: Worker): void {
    // Does not keep the process from ending.
    worker.unref();
    // Two at once are rare; then the first one that is done waits for more.
    if (this.#idle !== null) return end(worker);
    const timer = setTimeout(() => {
      this.#idle = null;
      end(worker);
    }, IDLE_MS).unref();
    this.#idle = { worker, timer };
  }
}

/** By itself, so that its compiled code is kept (compile-cache.ts). */
function end(worker: Worker): void {
  const message: CompactionMessage = null;
  worker.postMessage(message, []);
}
