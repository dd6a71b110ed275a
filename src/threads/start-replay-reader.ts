/** Starts a second thread for reading the log at start, where that is worth it. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PlainDbOptions } from './ingest.ts';
import type { ReplayReaderData } from './replay-reader.ts';
import { threadEntry } from './thread-entry.ts';

/** A smaller log is read faster than a thread is started. */
const LOG_SIZE_BYTES_MIN = 4 * 1024 * 1024;
/** For what is read and not used yet: eight batches. */
const MEMORY_SIZE_BYTES = 8 * 257 * 1024;
const YOUNG_GENERATION_SIZE_MB = 2;

/** What the database has to be told of it: nothing when the log is small. */
export function startReplayReader(dataDirectory: string): Pick<PlainDbOptions, 'readAhead'> {
  if (sizeOfFiles(path.join(dataDirectory, 'wal')) < LOG_SIZE_BYTES_MIN) return {};
  const memory = new SharedArrayBuffer(MEMORY_SIZE_BYTES);
  const workerData: ReplayReaderData = { memory };
  const worker = new Worker(threadEntry('replay-reader'), {
    name: 'replay reader',
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_SIZE_MB },
  });
  worker.unref();
  worker.on('error', () => {}); // whoever waits for it says what it was needed for
  worker.on('exit', (code) => {
    if (code === 0) return; // it was told to end
    void import('../../tsdb/index.ts').then(({ failReadAhead }) => failReadAhead(memory));
  });
  return { readAhead: memory };
}

/** Of the files right in the directory. */
function sizeOfFiles(directory: string): number {
  try {
    return readdirSync(directory)
      .map((name) => statSync(path.join(directory, name)))
      .reduce((sum, stat) => (stat.isFile() ? sum + stat.size : sum), 0);
  } catch {
    return 0; // there is none yet
  }
}
