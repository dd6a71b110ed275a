/** A thread that reads logs for others until they have no more. */
import { workerData } from 'node:worker_threads';
import { serveReadAhead } from '../../../tsdb/index.ts';

serveReadAhead((workerData as { readonly memory: SharedArrayBuffer }).memory);
