/** Profiles of the threads that always run, for `/debug/pprof`. */
import type { Readable } from 'node:stream';
import { getHeapSnapshot } from 'node:v8';
import type { Clock } from '../../model/index.ts';
import type { DebugPort } from '../../web/index.ts';
import type { IngestClient } from '../threads/ingest-client.ts';
import { takeCpuProfile, takeHeapSample } from './inspect.ts';
import { cpuSamples, encodeProfile, heapSamples } from './pprof.ts';

/** How long allocations are watched when nobody says. */
const HEAP_WATCH_MS = 1000;

export class Debug implements DebugPort {
  readonly #ingest: IngestClient;
  readonly #clock: Clock;
  readonly #threadNames: () => readonly string[];
  #isBusy = false;

  constructor(ingest: IngestClient, clock: Clock, threadNames: () => readonly string[]) {
    this.#ingest = ingest;
    this.#clock = clock;
    this.#threadNames = threadNames;
  }

  cpu(durationMs: number): Promise<Uint8Array | null> {
    return this.#alone(async () => {
      const timeMs = this.#clock.nowMs();
      const [main, ingest] = await Promise.all([
        takeCpuProfile(durationMs),
        this.#ingest.call('cpuProfile', durationMs),
      ]);
      return encodeProfile({
        types: [
          ['samples', 'count'],
          ['cpu', 'nanoseconds'],
        ],
        samples: [...cpuSamples(main, 'main'), ...cpuSamples(ingest, 'ingest')],
        timeMs,
        durationMs,
      });
    });
  }

  cpuOfMain(durationMs: number): Promise<string | null> {
    return this.#alone(async () => JSON.stringify(await takeCpuProfile(durationMs)));
  }

  heap(durationMs: number): Promise<Uint8Array | null> {
    return this.#alone(async () => {
      const timeMs = this.#clock.nowMs();
      const watchMs = durationMs > 0 ? durationMs : HEAP_WATCH_MS;
      const [main, ingest] = await Promise.all([
        takeHeapSample(watchMs),
        this.#ingest.call('heapSample', watchMs),
      ]);
      return encodeProfile({
        types: [['inuse_space', 'bytes']],
        samples: [...heapSamples(main, 'main'), ...heapSamples(ingest, 'ingest')],
        timeMs,
        durationMs: watchMs,
      });
    });
  }

  threads(): Uint8Array {
    const samples = this.#threadNames().map((name) => ({
      stack: [{ name: `thread ${name}`, file: '', line: 0 }],
      values: [1],
    }));
    const timeMs = this.#clock.nowMs();
    return encodeProfile({ types: [['threads', 'count']], samples, timeMs, durationMs: 0 });
  }

  empty(): Uint8Array {
    const timeMs = this.#clock.nowMs();
    return encodeProfile({ types: [['contentions', 'count']], samples: [], timeMs, durationMs: 0 });
  }

  heapSnapshot(): Readable {
    return getHeapSnapshot();
  }

  /** A thread has one profiler. */
  async #alone<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#isBusy) return null;
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
    }
  }
}
