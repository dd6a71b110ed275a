/** Entry of the thread that reads the log while the ingest thread makes a head of it. Then it ends. */
import { flushCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import { serveReadAhead } from '../../tsdb/index.ts';

export type ReplayReaderData = { readonly memory: SharedArrayBuffer };

serveReadAhead((workerData as ReplayReaderData).memory);
flushCompileCache();
