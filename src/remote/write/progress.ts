/** Keeps the progress file of one queue. Without one that can be written it works, and says so. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { type Logger, messageOf } from '../../../model/index.ts';
import type { LogKey } from './log-key.ts';
import {
  decodeProgress,
  encodeProgress,
  encodeSlot,
  type ShardProgress,
  slotOffsetBytes,
} from './progress-file.ts';

export class Progress {
  readonly #file: string;
  readonly #logger: Logger;
  #descriptor: number | null = null;

  constructor(file: string, logger: Logger) {
    this.#file = file;
    this.#logger = logger;
  }

  /** What the last run left; null when there was none. */
  read(): ShardProgress[] | null {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(this.#file);
    } catch {
      return null;
    }
    const shards = decodeProgress(bytes);
    if (shards === null) {
      this.#logger.warn('Progress of remote write is damaged; beginning with what comes now', {
        file: this.#file,
      });
    }
    return shards;
  }

  /** Begins anew: all shards stand at `key`. */
  begin(shardCount: number, key: LogKey): void {
    this.close();
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      const temporary = `${this.#file}.tmp`;
      writeFileSync(temporary, encodeProgress(shardCount, key));
      renameSync(temporary, this.#file);
      this.#descriptor = openSync(this.#file, 'r+');
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Goes on with the file that was read. */
  resume(): void {
    try {
      this.#descriptor = openSync(this.#file, 'r+');
    } catch (error) {
      this.#failed(error);
    }
  }

  note(shard: number, what: keyof ShardProgress, key: LogKey): void {
    if (this.#descriptor === null) return;
    try {
      writeSync(this.#descriptor, encodeSlot(key), 0, null, slotOffsetBytes(shard, what));
    } catch (error) {
      this.#failed(error);
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  /** For a queue that is no longer wanted. */
  remove(): void {
    this.close();
    rmSync(this.#file, { force: true });
  }

  #failed(error: unknown): void {
    this.close();
    this.#logger.error('Progress of remote write cannot be kept; a restart may lose samples', {
      file: this.#file,
      err: messageOf(error),
    });
  }
}
