/**
 * Which blocks somebody (a Thanos sidecar) has uploaded, from the file where it notes them. While a
 * first-level block is not in there it must stay as it is. Source: Prometheus command line
 * documentation, `--storage.tsdb.delay-compact-file.path`; the file is `{"uploaded": [ULID, …]}`.
 */
import { CorruptionError } from '../../model/index.ts';
import type { BlockMeta } from '../block/meta-json.ts';
import type { Files } from '../io/files.ts';

/** @throws CorruptionError  the file is there but is not such a list */
export function readUploadedBlocks(files: Files, path: string): ReadonlySet<string> {
  if (files.stat(path) === null) return new Set();
  const fail = (what: string): never => {
    throw new CorruptionError(what, { file: path, offsetBytes: 0 });
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(files.readAll(path)));
  } catch {
    return fail('not JSON');
  }
  const { uploaded } = (parsed ?? {}) as { uploaded?: unknown };
  if (uploaded === undefined || uploaded === null) return new Set();
  if (!Array.isArray(uploaded) || uploaded.some((ulid) => typeof ulid !== 'string')) {
    return fail('"uploaded" is not a list of block names');
  }
  return new Set(uploaded as string[]);
}

/** Whether a block has to wait for its upload. */
export function waitsForUpload(meta: BlockMeta, uploaded: ReadonlySet<string>): boolean {
  return meta.compaction.level === 1 && !uploaded.has(meta.ulid);
}
