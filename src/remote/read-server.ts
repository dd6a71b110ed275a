/** Remote read as the web asks for it: bounded in number, answered by query workers page by page. */
import type { Gauge, Registry } from '../../model/index.ts';
import type { RemoteReadPort } from '../../web/index.ts';
import type { ReadCursor, ReadJob, ReadPage } from './read-answer.ts';

export type ReadServerOptions = {
  /** Asks a worker. */
  readonly ask: (job: ReadJob, signal: AbortSignal) => Promise<ReadPage>;
  /** In force. */
  readonly externalLabels: () => Readonly<Record<string, string>>;
  readonly sampleCountMax: number;
  readonly frameSizeBytesMax: number;
  /** `--storage.remote.read-concurrent-limit`; 0 for none. */
  readonly concurrencyMax: number;
  readonly registry: Registry;
};

const START: ReadCursor = { query: 0, after: null };

export class ReadServer implements RemoteReadPort {
  readonly #options: ReadServerOptions;
  readonly #gauge: Gauge;
  #runningCount = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();

  constructor(options: ReadServerOptions) {
    this.#options = options;
    this.#gauge = options.registry.gauge(
      'prometheus_remote_read_handler_queries',
      'Remote reads that are being answered or wait for it.',
    );
  }

  async read(body: Uint8Array, signal: AbortSignal): ReturnType<RemoteReadPort['read']> {
    const job = {
      body,
      externalLabels: this.#options.externalLabels(),
      sampleCountMax: this.#options.sampleCountMax,
      frameSizeBytesMax: this.#options.frameSizeBytesMax,
    };
    this.#gauge.add(1);
    try {
      const first = await this.#page({ ...job, cursor: START }, signal);
      const chunks = this.#pages(job, first, signal);
      return first.isStreamed
        ? {
            contentType: 'application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse',
            contentEncoding: null,
            chunks,
          }
        : { contentType: 'application/x-protobuf', contentEncoding: 'snappy', chunks };
    } finally {
      this.#gauge.add(-1);
    }
  }

  /** The client takes a page before the next one is asked for. */
  async *#pages(
    job: Omit<ReadJob, 'cursor'>,
    first: ReadPage,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    yield first.bytes;
    for (let { next } = first; next !== null; ) {
      const page = await this.#page({ ...job, cursor: next }, signal);
      yield page.bytes;
      ({ next } = page);
    }
  }

  async #page(job: ReadJob, signal: AbortSignal): Promise<ReadPage> {
    await this.#enter(signal);
    try {
      return await this.#options.ask(job, signal);
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { concurrencyMax } = this.#options;
    if (concurrencyMax <= 0 || this.#runningCount < concurrencyMax) {
      this.#runningCount++;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(go);
        reject(signal.reason as Error);
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Its place goes to the one that has waited longest. */
  #leave(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#runningCount--;
      return;
    }
    this.#waiting.delete(first);
    first();
  }
}
