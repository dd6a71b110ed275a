/** All queues of remote write, in a thread of their own beside the one that writes the log. */
import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  type Clock,
  type Logger,
  type MetricFamily,
  NO_TRACER,
  Registry,
  type TracerSource,
} from '../../../model/index.ts';
import type { LogPosition, PassedOn } from '../../../tsdb/index.ts';
import type { SentMetadata } from './metadata-sender.ts';
import { RemoteQueue } from './remote-queue.ts';
import type { RemoteWriteConfig } from './write-config.ts';
import { type QueueMetrics, RemoteWriteMetrics } from './write-metrics.ts';

export type RemoteWriterOptions = {
  readonly dataDirectory: string;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `--storage.remote.flush-deadline` */
  readonly flushDeadlineMs: number;
  readonly tracer?: TracerSource;
};

export type RemoteWriterConfig = {
  readonly queues: readonly RemoteWriteConfig[];
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Where the log ends now. */
  readonly end: LogPosition;
  /** Progress at this segment or behind was noted of another log than this one. */
  readonly progressBefore: number;
};

type Queue = { readonly queue: RemoteQueue; readonly metrics: QueueMetrics };
/** `hashed`: all that it was made of. */
type Running = Queue & { readonly hashed: string };

const PROGRESS_DIRECTORY = 'remote-write';

export class RemoteWriter {
  readonly #options: RemoteWriterOptions;
  readonly #registry = new Registry();
  readonly #metrics = new RemoteWriteMetrics(this.#registry);
  /** By the file that a queue keeps its progress in. */
  #running = new Map<string, Running>();

  constructor(options: RemoteWriterOptions) {
    this.#options = options;
    this.#registry.beforeSnapshot(() => {
      for (const { queue } of this.#running.values()) queue.measure();
    });
  }

  /** Queues that are configured as before go on undisturbed. */
  async configure(settings: RemoteWriterConfig): Promise<void> {
    const { queues, externalLabels } = settings;
    const before = this.#running;
    const after = new Map<string, Running>();
    const wanted = new Map<string, { config: RemoteWriteConfig; hashed: string }>();
    for (const config of queues) {
      const hashed = JSON.stringify([config, externalLabels]);
      wanted.set(progressName(config, wanted), { config, hashed });
    }
    const ended = [...before].filter(([file, { hashed }]) => wanted.get(file)?.hashed !== hashed);
    await Promise.all(
      ended.map(async ([file, { queue, metrics }]) => {
        // One that is only changed goes on where it stopped; one that is gone says its last word.
        await queue.stop(wanted.has(file) ? 0 : this.#options.flushDeadlineMs);
        metrics.forget();
        before.delete(file);
      }),
    );
    for (const [file, { config, hashed }] of wanted) {
      const running = before.get(file) ?? this.#create(file, config, settings);
      after.set(file, { ...running, hashed });
    }
    this.#running = after;
    this.#removeProgressOf((file) => !after.has(file));
  }

  get wantsMetadata(): boolean {
    return [...this.#running.values()].some(({ queue }) => queue.wantsMetadata);
  }

  async sendMetadata(entries: readonly SentMetadata[]): Promise<void> {
    const queues = [...this.#running.values()].filter(({ queue }) => queue.wantsMetadata);
    await Promise.all(queues.map(({ queue }) => queue.sendMetadata(entries)));
  }

  /** What is true of every queue. */
  get passedOn(): PassedOn {
    const all = [...this.#running.values()].map(({ queue }) => queue.passedOn);
    if (all.length === 0) return { timestampMs: 0, segment: null };
    return {
      timestampMs: Math.min(...all.map(({ timestampMs }) => timestampMs)),
      segment: Math.min(...all.map(({ segment }) => segment)),
    };
  }

  metrics(): MetricFamily[] {
    return this.#registry.snapshot();
  }

  /** Sends what is in the log, as long as that works and takes no longer than allowed. */
  async stop(): Promise<void> {
    const { flushDeadlineMs } = this.#options;
    const queues = [...this.#running.values()];
    await Promise.all(queues.map(({ queue }) => queue.stop(flushDeadlineMs)));
    this.#running.clear();
  }

  #create(
    file: string,
    config: RemoteWriteConfig,
    { externalLabels, end, progressBefore }: RemoteWriterConfig,
  ): Queue {
    const { dataDirectory, clock, userAgent, logger, tracer = NO_TRACER } = this.#options;
    const { name, url } = config;
    const metrics = this.#metrics.of(name, url);
    const queue = new RemoteQueue({
      config,
      externalLabels,
      logDirectory: path.join(dataDirectory, 'wal'),
      progressFile: path.join(dataDirectory, PROGRESS_DIRECTORY, file),
      end,
      progressBefore,
      clock,
      logger: logger.with({ remote_name: name, url }),
      metrics,
      userAgent,
      tracer,
    });
    queue.start();
    return { queue, metrics };
  }

  #removeProgressOf(isGone: (file: string) => boolean): void {
    const directory = path.join(this.#options.dataDirectory, PROGRESS_DIRECTORY);
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch {
      return; // there has never been a queue
    }
    for (const name of names) {
      if (isGone(name)) rmSync(path.join(directory, name), { force: true });
    }
  }
}

/** The same for the same receiver, whatever else is changed; told apart by their order. */
function progressName(
  { identity }: RemoteWriteConfig,
  taken: ReadonlyMap<string, unknown>,
): string {
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 16);
  let name = hash;
  for (let i = 2; taken.has(name); i++) name = `${hash}-${i}`;
  return name;
}
