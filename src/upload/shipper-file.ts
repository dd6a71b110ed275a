/**
 * Which blocks have been uploaded: `<data>/thanos.shipper.json`, the file of a Thanos sidecar, so that
 * either can go on where the other left off, and compaction (`--storage.tsdb.delay-compact-file.path`)
 * can wait for it:
 *
 *   { "version": 1, "uploaded": [ULID, …] }
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const NAME = 'thanos.shipper.json';
const VERSION = 1;

export function shipperFile(dataDirectory: string): string {
  return path.join(dataDirectory, NAME);
}

/** Empty when there is no such file, or none that can be used: then the store is asked. */
export function readUploaded(dataDirectory: string): Set<string> {
  try {
    const { version, uploaded } = JSON.parse(readFileSync(shipperFile(dataDirectory), 'utf8')) as {
      version?: unknown;
      uploaded?: unknown;
    };
    if (version !== VERSION || !Array.isArray(uploaded)) return new Set();
    return new Set(uploaded.filter((ulid) => typeof ulid === 'string'));
  } catch {
    return new Set();
  }
}

export function writeUploaded(dataDirectory: string, uploaded: ReadonlySet<string>): void {
  const file = shipperFile(dataDirectory);
  const content = { version: VERSION, uploaded: [...uploaded].sort() };
  writeFileSync(`${file}.tmp`, `${JSON.stringify(content, null, '\t')}\n`);
  renameSync(`${file}.tmp`, file);
}
