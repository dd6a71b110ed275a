/**
 * Imports over HTTP: a body of samples of any age becomes blocks in the background, one import at a
 * time. Nothing of it can be queried before all of it can.
 *
 *   <data>/import/<id>/body      as received            <id>/work/   samples on their way
 *                      blocks/   being written          <id>/ready/  finished: will be taken over,
 *                                                                    after a crash too
 */
import { createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import {
  type Clock,
  type Counter,
  type Logger,
  messageOf,
  MINUTE_MS,
  type Registry,
} from '../../model/index.ts';
import {
  ApiError,
  type ImportPort,
  type ImportRequest,
  type ImportStatus,
} from '../../web/index.ts';
import type { ImportMessage } from '../threads/import-worker.ts';
import { unpackError } from '../threads/packed-error.ts';
import { threadEntry } from '../threads/thread-entry.ts';
import { emptyFigures, type ImportFigures, type ImportJob } from './import-job.ts';

/** Clocks differ; what lies further ahead is a mistake. */
const FUTURE_MS_MAX = 10 * MINUTE_MS;
/** Finished imports that are still told about. */
const KEPT_COUNT_MAX = 100;
/** Bodies that may wait, on disk. */
const WAITING_COUNT_MAX = 20;
/** A full disk would stop everything else too. */
const FREE_BYTES_MIN = 256 * 1024 * 1024;

export type ImportsOptions = {
  readonly dataDirectory: string;
  /** Takes over the blocks in a directory. */
  readonly adopt: (directory: string) => Promise<void>;
  /** Samples are kept for so long; 0 means without bound. */
  readonly retentionMs: () => number;
  readonly blockMsMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
};

type Import = {
  readonly id: string;
  readonly request: ImportRequest;
  readonly directory: string;
  state: ImportStatus['state'];
  receivedBytes: number;
  figures: ImportFigures;
  startedMs: number;
  finishedMs: number | null;
  error: string | null;
  worker: Worker | null;
  /** Ends the receiving. */
  readonly receiving: AbortController;
};

export class Imports implements ImportPort {
  readonly #options: ImportsOptions;
  readonly #logger: Logger;
  readonly #directory: string;
  /** The oldest first. */
  readonly #imports = new Map<string, Import>();
  readonly #samples: Counter;
  readonly #badLines: Counter;
  #isRunning = false;
  #isClosed = false;
  #lastId = 0;

  constructor(options: ImportsOptions) {
    this.#options = options;
    this.#logger = options.logger.with({ component: 'import' });
    this.#directory = path.join(options.dataDirectory, 'import');
    this.#samples = options.registry.counter(
      'narthex_import_samples_total',
      'Samples that imports have put into blocks.',
    );
    this.#badLines = options.registry.counter(
      'narthex_import_bad_lines_total',
      'Lines of imports that could not be read.',
    );
    const unfinished = options.registry.gauge(
      'narthex_imports_unfinished',
      'Imports that are received, wait, or are under way.',
    );
    options.registry.beforeSnapshot(() => unfinished.set(this.#unfinished.length));
  }

  get #unfinished(): Import[] {
    return [...this.#imports.values()].filter(({ finishedMs }) => finishedMs === null);
  }

  /** After a start: finishes what a crash broke off, when all blocks were there; drops the rest. */
  async recover(): Promise<void> {
    if (!existsSync(this.#directory)) return;
    for (const id of readdirSync(this.#directory)) {
      const directory = path.join(this.#directory, id);
      const ready = path.join(directory, 'ready');
      if (existsSync(ready)) {
        await this.#options.adopt(ready);
        this.#logger.info('Finished an import that was broken off', { id });
      }
      rmSync(directory, { recursive: true, force: true });
    }
  }

  async start(request: ImportRequest, body: Readable, signal: AbortSignal): Promise<ImportStatus> {
    if (this.#isClosed) throw new ApiError('unavailable', 'the server is stopping');
    if (this.#unfinished.length >= WAITING_COUNT_MAX) {
      throw new ApiError('unavailable', `${WAITING_COUNT_MAX} imports wait already`);
    }
    const { clock } = this.#options;
    this.#lastId = Math.max(this.#lastId + 1, clock.nowMs());
    const id = this.#lastId.toString(36);
    const one: Import = {
      id,
      request,
      directory: path.join(this.#directory, id),
      state: 'receiving',
      receivedBytes: 0,
      figures: emptyFigures(),
      startedMs: clock.nowMs(),
      finishedMs: null,
      error: null,
      worker: null,
      receiving: new AbortController(),
    };
    this.#imports.set(id, one);
    try {
      await this.#receive(one, body, signal);
    } catch (error) {
      this.#finish(one, 'failed', error);
      throw error instanceof ApiError
        ? error
        : new ApiError('bad_data', `the body broke off: ${messageOf(error)}`, { cause: error });
    }
    one.state = 'waiting';
    void this.#next();
    return statusOf(one);
  }

  list(): readonly ImportStatus[] {
    return [...this.#imports.values()].reverse().map(statusOf);
  }

  find(id: string): ImportStatus | null {
    const one = this.#imports.get(id);
    return one === undefined ? null : statusOf(one);
  }

  cancel(id: string): ImportStatus | null {
    const one = this.#imports.get(id);
    if (one === undefined) return null;
    if (one.state === 'adopting') {
      throw new ApiError('bad_data', 'the blocks are being taken over: too late');
    }
    if (one.finishedMs === null) {
      one.receiving.abort();
      void one.worker?.terminate();
      this.#finish(one, 'canceled', null);
    }
    return statusOf(one);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const one of this.#unfinished) {
      if (one.state === 'adopting') continue;
      one.receiving.abort();
      await one.worker?.terminate();
      this.#finish(one, 'canceled', new Error('the server stopped'));
    }
  }

  async #receive(one: Import, body: Readable, signal: AbortSignal): Promise<void> {
    mkdirSync(path.join(one.directory, 'work'), { recursive: true });
    const { bavail, bsize } = await statfs(one.directory);
    let left = bavail * bsize - FREE_BYTES_MIN;
    const counted = async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        one.receivedBytes += chunk.length;
        left -= chunk.length;
        if (left < 0) throw new ApiError('unavailable', 'the disk has no room for the body');
        yield chunk;
      }
    };
    const ended = AbortSignal.any([signal, one.receiving.signal]);
    const file = createWriteStream(path.join(one.directory, 'body'), { flags: 'wx' });
    await pipeline(body, counted, file, { signal: ended });
  }

  /** Works off what waits. */
  async #next(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (;;) {
        const one = this.#unfinished.find(({ state }) => state === 'waiting');
        if (one === undefined || this.#isClosed) return;
        await this.#run(one);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  async #run(one: Import): Promise<void> {
    one.state = 'running';
    const { id, request } = one;
    this.#logger.info('Import started', { id, format: request.format, dry_run: request.isDryRun });
    try {
      await this.#work(one);
      // Canceled meanwhile: nobody wants it.
      if (one.finishedMs !== null) return;
      if (one.figures.blocks.length > 0) {
        one.state = 'adopting';
        const ready = path.join(one.directory, 'ready');
        renameSync(path.join(one.directory, 'blocks'), ready);
        await this.#options.adopt(ready);
      }
      this.#samples.increase(one.figures.writtenCount);
      this.#badLines.increase(one.figures.badLineCount);
      this.#finish(one, 'done', null);
    } catch (error) {
      if (one.finishedMs === null) this.#finish(one, 'failed', error);
    }
  }

  /** Resolves when the worker is done, or has been ended. */
  #work(one: Import): Promise<void> {
    const { clock, blockMsMax } = this.#options;
    const retentionMs = this.#options.retentionMs();
    const nowMs = clock.nowMs();
    const job: ImportJob = {
      file: path.join(one.directory, 'body'),
      isGzip: one.request.isGzip,
      format: one.request.format,
      isDryRun: one.request.isDryRun,
      workDirectory: path.join(one.directory, 'work'),
      blocksDirectory: path.join(one.directory, 'blocks'),
      minMs: retentionMs > 0 ? nowMs - retentionMs : Number.MIN_SAFE_INTEGER,
      maxMs: nowMs + FUTURE_MS_MAX,
      blockMsMax,
      nowMs,
    };
    return new Promise((resolve, reject) => {
      const worker = new Worker(threadEntry('import-worker'), { name: 'import', workerData: job });
      one.worker = worker;
      worker.on('message', (message: ImportMessage) => {
        if (message.kind === 'failed') reject(unpackError(message.error));
        else one.figures = message.figures;
        if (message.kind === 'done') resolve();
      });
      worker.on('error', reject);
      worker.on('exit', (code) => {
        one.worker = null;
        if (one.finishedMs !== null) resolve();
        else reject(new Error(`the import thread ended with code ${code}`));
      });
    });
  }

  #finish(one: Import, state: 'done' | 'failed' | 'canceled', error: unknown): void {
    one.state = state;
    one.error = error === null ? null : messageOf(error);
    one.finishedMs = this.#options.clock.nowMs();
    rmSync(one.directory, { recursive: true, force: true });
    const { id, figures } = one;
    this.#logger.info('Import ended', {
      id,
      state,
      samples: figures.sampleCount,
      blocks: figures.blocks.length,
      bad_lines: figures.badLineCount,
      ...(one.error === null ? {} : { err: one.error }),
    });
    const finished = [...this.#imports.values()].filter(({ finishedMs }) => finishedMs !== null);
    const tooMany = finished.length - KEPT_COUNT_MAX;
    for (const { id: old } of finished.slice(0, Math.max(0, tooMany))) this.#imports.delete(old);
  }
}

function statusOf(one: Import): ImportStatus {
  const { id, request, state, receivedBytes, startedMs, finishedMs, error, figures } = one;
  const { format, isDryRun } = request;
  return { id, format, isDryRun, state, receivedBytes, startedMs, finishedMs, error, ...figures };
}
