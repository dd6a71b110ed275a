/**
 * Uploads finished blocks to a bucket as a Thanos sidecar does, for Thanos's store, compactor and
 * others to read:
 *
 *   <prefix>/<ULID>/chunks/000001 …   <prefix>/<ULID>/index   <prefix>/<ULID>/meta.json   (last)
 *
 * meta.json says in its section `thanos` whose block it is. Blocks of level 1 are uploaded; larger ones
 * only when they were there before uploading was turned on, because their parts are uploaded already.
 * Source: Thanos documentation, "Storage" (format of blocks and of meta.json) and "Sidecar".
 */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import {
  type Clock,
  type Counter,
  type Logger,
  messageOf,
  type Registry,
} from '../../model/index.ts';
import type { S3Bucket } from './s3-bucket.ts';
import { readUploaded, writeUploaded } from './shipper-file.ts';

const CYCLE_MS = 30_000;

export type UploaderOptions = {
  readonly dataDirectory: string;
  readonly bucket: Pick<S3Bucket, 'exists' | 'put' | 'putFile' | 'close'>;
  /** ULIDs of the blocks there are, the oldest first. */
  readonly blocks: () => Promise<readonly string[]>;
  readonly externalLabels: () => Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
};

type Meta = Readonly<Record<string, unknown>> & {
  readonly compaction?: { readonly level?: number; readonly sources?: readonly string[] };
  readonly stats?: { readonly numSamples?: number };
};

export class Uploader {
  readonly #options: UploaderOptions;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  readonly #uploads: Counter;
  readonly #failures: Counter;
  readonly #syncs: Counter;
  readonly #syncFailures: Counter;
  #uploaded: Set<string>;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #hasComplained = false;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.#logger = options.logger.with({ component: 'upload' });
    this.#uploaded = readUploaded(options.dataDirectory);
    const count = (name: string, help: string) => options.registry.counter(name, help);
    this.#uploads = count('thanos_shipper_uploads_total', 'Total number of uploaded blocks');
    this.#failures = count(
      'thanos_shipper_upload_failures_total',
      'Total number of block upload failures',
    );
    this.#syncs = count('thanos_shipper_dir_syncs_total', 'Total number of dir syncs');
    this.#syncFailures = count(
      'thanos_shipper_dir_sync_failures_total',
      'Total number of failed dir syncs',
    );
  }

  start(): void {
    rmSync(this.#stagingDirectory, { recursive: true, force: true });
    const cycle = async () => {
      await (this.#running = this.sync());
      if (!this.#stopping.signal.aborted) this.#timer = setTimeout(() => void cycle(), CYCLE_MS);
    };
    void cycle();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    await this.#running;
    await this.#options.bucket.close();
  }

  /** Uploads what is due. Never rejects; what failed is tried again the next time. */
  async sync(): Promise<void> {
    this.#syncs.increase();
    const labels = this.#options.externalLabels();
    if (Object.keys(labels).length === 0) {
      if (!this.#hasComplained) {
        const what = 'No blocks are uploaded without external_labels: they tell servers apart';
        this.#logger.error(what);
      }
      this.#hasComplained = true;
      this.#syncFailures.increase();
      return;
    }
    this.#hasComplained = false;
    let isGood = true;
    try {
      const metaOf = (ulid: string) => {
        try {
          return this.#meta(ulid);
        } catch (error) {
          isGood = false;
          this.#failed(ulid, error);
          return null;
        }
      };
      // All before the first upload: a block that is compacted meanwhile does not tell any more what
      // it was made of.
      const blocks = (await this.#options.blocks()).map((ulid) => ({
        ulid,
        meta: metaOf(ulid),
      }));
      for (const { ulid, meta } of blocks) {
        if (this.#stopping.signal.aborted) return;
        if (meta !== null && !(await this.#uploadIfDue(ulid, meta, labels))) isGood = false;
      }
      this.#forget(blocks);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      isGood = false;
      this.#logger.error('Blocks cannot be listed', { err: messageOf(error) });
    }
    if (!isGood) this.#syncFailures.increase();
  }

  get #stagingDirectory(): string {
    return path.join(this.#options.dataDirectory, 'thanos', 'upload');
  }

  #failed(ulid: string, error: unknown): void {
    this.#failures.increase();
    this.#logger.error('Block not uploaded', { block: ulid, err: messageOf(error) });
  }

  /** Null when the block is gone. */
  #meta(ulid: string): Meta | null {
    const file = path.join(this.#options.dataDirectory, ulid, 'meta.json');
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Meta) : null;
  }

  /** @returns false when it failed */
  async #uploadIfDue(
    ulid: string,
    meta: Meta,
    labels: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    if (this.#uploaded.has(ulid) || !this.#isDue(meta)) return true;
    const { signal } = this.#stopping;
    const staged = path.join(this.#stagingDirectory, ulid);
    try {
      if (!this.#stage(ulid, staged)) return true;
      if (await this.#options.bucket.exists(`${ulid}/meta.json`, signal)) {
        this.#logger.info('Block was uploaded before', { block: ulid });
      } else {
        await this.#upload(ulid, staged, meta, labels, signal);
        this.#uploads.increase();
        this.#logger.info('Block uploaded', { block: ulid });
      }
      this.#uploaded.add(ulid);
      writeUploaded(this.#options.dataDirectory, this.#uploaded);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      this.#failed(ulid, error);
      return false;
    } finally {
      rmSync(staged, { recursive: true, force: true });
    }
  }

  /** Hard links, so that the block can be compacted or deleted meanwhile; false when it is gone. */
  #stage(ulid: string, staged: string): boolean {
    const block = path.join(this.#options.dataDirectory, ulid);
    if (!existsSync(path.join(block, 'meta.json'))) return false;
    rmSync(staged, { recursive: true, force: true });
    mkdirSync(path.join(staged, 'chunks'), { recursive: true });
    for (const name of filesOf(block)) linkSync(path.join(block, name), path.join(staged, name));
    return true;
  }

  #isDue({ compaction, stats }: Meta): boolean {
    if ((stats?.numSamples ?? 0) === 0) return false;
    if ((compaction?.level ?? 1) === 1) return true;
    return !(compaction?.sources ?? []).some((source) => this.#uploaded.has(source));
  }

  async #upload(
    ulid: string,
    staged: string,
    meta: Meta,
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const { bucket } = this.#options;
    const names = filesOf(staged);
    for (const name of names) {
      await bucket.putFile(`${ulid}/${name}`, path.join(staged, name), signal);
    }
    const marked = { ...meta, thanos: thanosSection(staged, names, labels) };
    // Whoever reads the bucket takes a block for complete from here on.
    await bucket.put(
      `${ulid}/meta.json`,
      Buffer.from(`${JSON.stringify(marked, null, '\t')}\n`),
      signal,
    );
  }

  /** Uploaded blocks that are gone here, unless a block that was made of them is here still. */
  #forget(blocks: readonly { readonly ulid: string; readonly meta: Meta | null }[]): void {
    const needed = new Set<string>();
    for (const { ulid, meta } of blocks) {
      // What it was made of is not known: the next time tells.
      if (meta === null) return;
      needed.add(ulid);
      for (const source of meta.compaction?.sources ?? []) needed.add(source);
    }
    const kept = new Set([...this.#uploaded].filter((ulid) => needed.has(ulid)));
    if (kept.size === this.#uploaded.size) return;
    this.#uploaded = kept;
    writeUploaded(this.#options.dataDirectory, kept);
  }
}

/** Those that are uploaded as they are. */
function filesOf(block: string): string[] {
  const chunks = readdirSync(path.join(block, 'chunks')).sort();
  return [...chunks.map((name) => `chunks/${name}`), 'index'];
}

function thanosSection(
  staged: string,
  names: readonly string[],
  labels: Readonly<Record<string, string>>,
) {
  return {
    version: 1,
    labels,
    downsample: { resolution: 0 },
    source: 'sidecar',
    segment_files: names.filter((name) => name !== 'index').map((name) => path.basename(name)),
    files: [
      ...names.map((name) => ({
        rel_path: name,
        size_bytes: statSync(path.join(staged, name)).size,
      })),
      { rel_path: 'meta.json' },
    ],
    index_stats: {},
  };
}
