/**
 * Snapshots that are asked for over HTTP: a directory of hard links under `<data>/snapshots`, or the
 * same as one stream of `tar.lz4`, of which nothing is left on disk afterwards.
 */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Clock, type Logger, messageOf } from '../model/index.ts';
import { archiveDirectory } from '../tsdb/index.ts';
import type { SnapshotArchive } from '../web/index.ts';

/** Ends the names of directories that live only as long as their archive is read. */
const ARCHIVED_SUFFIX = '.tmp-for-archive';
const NEVER = new AbortController().signal;

export type SnapshotsParts = {
  readonly dataDirectory: string;
  /** Makes the directory, of blocks and, when asked for, of the head. */
  readonly link: (
    request: { readonly directory: string; readonly withHead: boolean },
    signal: AbortSignal,
  ) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
};

export type SnapshotRequest = { readonly skipHead: boolean };

export class Snapshots {
  readonly #parts: SnapshotsParts;
  readonly #directory: string;
  /** Directories that an archive is made of now. */
  readonly #archived = new Set<string>();

  constructor(parts: SnapshotsParts) {
    this.#parts = parts;
    this.#directory = path.join(parts.dataDirectory, 'snapshots');
  }

  /** Returns the name of the new directory. */
  async make({ skipHead }: SnapshotRequest, signal: AbortSignal): Promise<string> {
    const name = snapshotName(this.#parts.clock.nowMs());
    await this.#link(name, skipHead, signal);
    return name;
  }

  /** `signal` also ends an archive that nobody reads any more. */
  async archive({ skipHead }: SnapshotRequest, signal: AbortSignal): Promise<SnapshotArchive> {
    await this.#removeLeftovers();
    const name = snapshotName(this.#parts.clock.nowMs());
    const linked = name + ARCHIVED_SUFFIX;
    this.#archived.add(linked);
    try {
      // To its end also when the client leaves: what is half made cannot be removed for good.
      await this.#link(linked, skipHead, NEVER);
      signal.throwIfAborted();
    } catch (error) {
      await this.#remove(linked);
      throw error;
    }
    // An iterator that was never begun does not come to its `finally`.
    signal.addEventListener('abort', () => {
      this.#remove(linked).catch((error: unknown) => {
        this.#parts.logger.warn('A snapshot was not removed', { error: messageOf(error) });
      });
    });
    return { fileName: `${name}.tar.lz4`, chunks: this.#chunks(linked, name) };
  }

  async *#chunks(linked: string, name: string): AsyncGenerator<Uint8Array> {
    try {
      yield* archiveDirectory(path.join(this.#directory, linked), name);
    } catch (error) {
      this.#parts.logger.error('A snapshot could not be streamed', { error: messageOf(error) });
      throw error;
    } finally {
      await this.#remove(linked);
    }
  }

  async #link(name: string, skipHead: boolean, signal: AbortSignal): Promise<void> {
    const directory = path.join(this.#directory, name);
    await this.#parts.link({ directory, withHead: !skipHead }, signal);
  }

  async #remove(linked: string): Promise<void> {
    await rm(path.join(this.#directory, linked), { recursive: true, force: true });
    this.#archived.delete(linked);
  }

  /** What a crash left in the middle of an archive. */
  async #removeLeftovers(): Promise<void> {
    const names = await readdir(this.#directory).catch(() => []);
    for (const name of names) {
      if (name.endsWith(ARCHIVED_SUFFIX) && !this.#archived.has(name)) await this.#remove(name);
    }
  }
}

/** `20261121T114339Z-1a2b3c4d5e6f7081`, as Prometheus names snapshots. */
function snapshotName(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `${stamp}-${Buffer.from(random).toString('hex')}`;
}
