/** Entry of the thread that sends the log's samples on. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { createStderrLogger, type LogOptions } from '../log-writer.ts';
import { REAL_CLOCK } from '../real-clock.ts';
import type { SentMetadata } from '../remote/write/metadata-sender.ts';
import { RemoteWriter, type RemoteWriterConfig } from '../remote/write/remote-writer.ts';
import { serve } from './rpc.ts';

export type RemoteWriteThreadData = {
  readonly log: LogOptions;
  readonly dataDirectory: string;
  readonly userAgent: string;
  readonly flushDeadlineMs: number;
};

const port = parentPort;
assert(port !== null, 'runs in a worker');
const { log, ...settings } = workerData as RemoteWriteThreadData;
const writer = new RemoteWriter({
  ...settings,
  clock: REAL_CLOCK,
  logger: createStderrLogger(log, { component: 'remote' }),
});

const methods = {
  configure: (config: RemoteWriterConfig) => writer.configure(config),
  wantsMetadata: () => writer.wantsMetadata,
  sendMetadata: (entries: readonly SentMetadata[]) => writer.sendMetadata(entries),
  passedOn: () => writer.passedOn,
  metrics: () => writer.metrics(),
  stop: () => writer.stop(),
};
export type RemoteWriteMethods = typeof methods;

serve(port, methods);
keepCompiledCode();
