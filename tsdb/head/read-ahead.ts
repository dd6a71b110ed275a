/**
 * Lets another thread read a log ahead of the replay: a ring of batches in memory that both see.
 *
 *   word  0  how many batches were filled     word  1  how many were used up
 *   word  2  number of the request            word  3  1 when nobody wants the rest of it
 *   word  4  1 when no more requests come     word  5  1 when the reading thread is gone
 *   byte 64  batches (replay-batch.ts), used in turn; the first one holds the request, JSON,
 *            while nothing is read
 *
 * Each side waits in place, so the reading thread does nothing else, and the ring bounds how far it
 * can be ahead.
 */
import { CorruptionError, messageOf } from '../../model/index.ts';
import type { Files } from '../io/files.ts';
import { NODE_FILES } from '../io/node-files.ts';
import type { SegmentSource } from '../wal/wal-reader.ts';
import { LogDecoder } from './log-decoder.ts';
import {
  BATCH_CONTENT_SIZE_BYTES,
  BATCH_SIZE_BYTES,
  BatchKind,
  ReplayBatch,
} from './replay-batch.ts';

const Word = { Filled: 0, Used: 1, Request: 2, Stop: 3, Quit: 4, Dead: 5 } as const;
const HEADER_SIZE_BYTES = 64;
/** Nobody waits longer without looking whether the other one is still there. */
const WAIT_MS = 100;

/** Gives the batches of one log after another. */
export interface BatchSource {
  open(sources: readonly SegmentSource[]): void;
  /** The next batch, good until the next call. The last one is of kind End or Failed. */
  next(): ReplayBatch;
  /** After the last batch or before it. */
  close(): void;
}

/** Reads in the same thread. */
export class NearBatches implements BatchSource {
  readonly #files: Files;
  readonly #batch = new ReplayBatch(new ArrayBuffer(BATCH_SIZE_BYTES), 0);
  #decoder: LogDecoder | null = null;

  constructor(files: Files) {
    this.#files = files;
  }

  open(sources: readonly SegmentSource[]): void {
    this.#decoder = new LogDecoder(this.#files, sources);
  }

  next(): ReplayBatch {
    this.#decoder!.decodeInto(this.#batch);
    return this.#batch;
  }

  close(): void {
    this.#decoder?.close();
    this.#decoder = null;
  }
}

/** Takes what {@link serveReadAhead} reads in another thread; what that one leaves undone is read here. */
export class FarBatches implements BatchSource {
  readonly #files: Files;
  readonly #control: Int32Array;
  readonly #batches: readonly ReplayBatch[];
  /** Whether the batch that was handed out last is still in use. */
  #isTaken = false;
  #isOpen = false;
  #sources: readonly SegmentSource[] = [];
  /** From when the other thread is gone. */
  #near: NearBatches | null = null;

  constructor(memory: SharedArrayBuffer, files: Files) {
    this.#files = files;
    this.#control = controlOf(memory);
    this.#batches = batchesOf(memory);
  }

  open(sources: readonly SegmentSource[]): void {
    if (this.#near !== null) return this.#near.open(sources);
    this.#sources = sources;
    const request = Buffer.from(JSON.stringify(sources));
    if (request.length > BATCH_CONTENT_SIZE_BYTES) throw new Error('the log has too many segments');
    const control = this.#control;
    const first = this.#batches[0]!;
    first.clear();
    first.putRecord(request, 0, request.length);
    Atomics.store(control, Word.Filled, 0);
    Atomics.store(control, Word.Used, 0);
    Atomics.store(control, Word.Stop, 0);
    Atomics.add(control, Word.Request, 1);
    Atomics.notify(control, Word.Request);
    this.#isTaken = false;
    this.#isOpen = true;
  }

  next(): ReplayBatch {
    if (this.#near !== null) return this.#near.next();
    const control = this.#control;
    if (this.#isTaken) {
      const nowUsed = Atomics.add(control, Word.Used, 1) + 1;
      const left = Atomics.load(control, Word.Filled) - nowUsed;
      // Woken for each batch, the other thread would take this one's turn again and again.
      if (left <= this.#batches.length / 2) Atomics.notify(control, Word.Used);
    }
    const used = Atomics.load(control, Word.Used);
    while (Atomics.load(control, Word.Filled) === used) {
      if (Atomics.load(control, Word.Dead) === 1) return this.#goOnAlone(used);
      Atomics.wait(control, Word.Filled, used, WAIT_MS);
    }
    this.#isTaken = true;
    const batch = this.#batches[used % this.#batches.length]!;
    if (batch.kind === BatchKind.End || batch.kind === BatchKind.Failed) this.#isOpen = false;
    return batch;
  }

  /** The same files give the same batches, so those that have been used are passed over. */
  #goOnAlone(usedCount: number): ReplayBatch {
    this.#near = new NearBatches(this.#files);
    this.#near.open(this.#sources);
    for (let i = 0; i < usedCount; i++) this.#near.next();
    return this.#near.next();
  }

  close(): void {
    Atomics.store(this.#control, Word.Stop, 1);
    while (this.#isOpen && !this.#isAlone) this.next();
    this.#near?.close();
  }

  get #isAlone(): boolean {
    return this.#near !== null;
  }

  /** Lets the other thread go. */
  end(): void {
    Atomics.store(this.#control, Word.Quit, 1);
    Atomics.notify(this.#control, Word.Request);
  }
}

/** For the reading thread: does nothing but reading until the other one has no more requests. */
export function serveReadAhead(memory: SharedArrayBuffer, files: Files = NODE_FILES): void {
  const control = controlOf(memory);
  const batches = batchesOf(memory);
  for (let done = 0; ; ) {
    while (Atomics.load(control, Word.Request) === done) {
      if (Atomics.load(control, Word.Quit) === 1) return;
      Atomics.wait(control, Word.Request, done, WAIT_MS);
    }
    done = Atomics.load(control, Word.Request);
    const { bytes, sizeBytes } = batches[0]!;
    const request = Buffer.from(bytes.subarray(0, sizeBytes)).toString();
    readAhead(control, batches, new LogDecoder(files, JSON.parse(request) as SegmentSource[]));
  }
}

function readAhead(
  control: Int32Array,
  batches: readonly ReplayBatch[],
  decoder: LogDecoder,
): void {
  for (let filled = 0, isOver = false; !isOver; filled++) {
    for (;;) {
      const used = Atomics.load(control, Word.Used);
      if (filled - used < batches.length) break;
      Atomics.wait(control, Word.Used, used, WAIT_MS);
    }
    const batch = batches[filled % batches.length]!;
    if (Atomics.load(control, Word.Stop) === 1) {
      batch.clear();
      batch.begin(BatchKind.End, -1, 0);
    } else {
      decodeOrFail(decoder, batch);
    }
    isOver = batch.kind === BatchKind.End || batch.kind === BatchKind.Failed;
    if (isOver) decoder.close();
    Atomics.store(control, Word.Filled, filled + 1);
    // Otherwise the other thread is still busy, and will see it.
    if (Atomics.load(control, Word.Used) === filled) Atomics.notify(control, Word.Filled);
  }
}

/** What the decoder throws has to be thrown in the other thread. */
function decodeOrFail(decoder: LogDecoder, batch: ReplayBatch): void {
  try {
    decoder.decodeInto(batch);
  } catch (error) {
    const failure = { isCorruption: false, what: messageOf(error), file: '', offsetBytes: 0 };
    batch.clear();
    batch.begin(BatchKind.Failed, -1, 0);
    batch.putFailure({ ...failure, segment: -1, goodSizeBytes: 0 });
  }
}

/** For whoever started the reading thread: it is gone, so that nobody waits for it any more. */
export function failReadAhead(memory: SharedArrayBuffer): void {
  const control = controlOf(memory);
  Atomics.store(control, Word.Dead, 1);
  Atomics.notify(control, Word.Filled);
}

/** Throws what a batch of kind Failed says. */
export function throwFailure({ failure }: ReplayBatch): never {
  const { isCorruption, what, file, offsetBytes } = failure;
  throw isCorruption ? new CorruptionError(what, { file, offsetBytes }) : new Error(what);
}

function controlOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, HEADER_SIZE_BYTES / 4);
}

function batchesOf(memory: SharedArrayBuffer): readonly ReplayBatch[] {
  const count = Math.floor((memory.byteLength - HEADER_SIZE_BYTES) / BATCH_SIZE_BYTES);
  const start = (index: number) => HEADER_SIZE_BYTES + index * BATCH_SIZE_BYTES;
  return Array.from({ length: count }, (_, index) => new ReplayBatch(memory, start(index)));
}
