/** Entry of the thread that sends the log's samples on. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../model/index.ts';
import { keepCompiledCode } from '../compile-cache.ts';
import { createStderrLogger, type LogOptions } from '../log-writer.ts';
import { REAL_CLOCK } from '../real-clock.ts';
import type { SentMetadata } from '../remote/write/metadata-sender.ts';
import { RemoteWriter, type RemoteWriterConfig } from '../remote/write/remote-writer.ts';
import { Tracing } from '../tracing/tracing.ts';
import type { TracingConfig } from '../tracing/tracing-config.ts';
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
const tracing = new Tracing(REAL_CLOCK, createStderrLogger(log));
const writer = new RemoteWriter({
  ...settings,
  clock: REAL_CLOCK,
  logger: createStderrLogger(log, { component: 'remote' }),
  tracer: () => tracing.tracer,
});

const methods = {
  configure: async (config: RemoteWriterConfig & { readonly tracing: TracingConfig | null }) => {
    await tracing.configure(config.tracing);
    await writer.configure(config);
  },
  wantsMetadata: () => writer.wantsMetadata,
  sendMetadata: (entries: readonly SentMetadata[]) => writer.sendMetadata(entries),
  passedOn: () => writer.passedOn,
  metrics: () => writer.metrics(),
  stop: async () => {
    await writer.stop();
    await tracing.stop();
  },
};
export type RemoteWriteMethods = typeof methods;

serve(port, methods);
keepCompiledCode();
