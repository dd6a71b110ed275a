/**
 * Pushed groups on disk, so that they survive a restart: `<data>/push/<hash of the labels>.json`,
 *
 *   { "labels": { "job": … }, "ttlMs": number | null, "failedAtMs": number,
 *     "pushes": [{ "atMs": number, "contentType": string, "body": base64 }, …] }
 *
 * with the bodies as they were received, the oldest first, as far as some of their metrics still count.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compareText, ValueError } from '../../model/index.ts';

export type StoredPush = {
  readonly atMs: number;
  readonly contentType: string;
  readonly body: Uint8Array;
};
export type StoredGroup = {
  readonly labels: Readonly<Record<string, string>>;
  /** Null: it never expires. */
  readonly ttlMs: number | null;
  /** Of the last push that was refused; 0 for none. */
  readonly failedAtMs: number;
  readonly pushes: readonly StoredPush[];
};

/** The same for equal labels, whatever their order. */
export function groupKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => compareText(a, b)));
}

export class PushDirectory {
  readonly #directory: string;

  constructor(dataDirectory: string) {
    this.#directory = path.join(dataDirectory, 'push');
  }

  write(group: StoredGroup): void {
    const pushes = group.pushes.map(({ atMs, contentType, body }) => ({
      atMs,
      contentType,
      body: Buffer.from(body.buffer, body.byteOffset, body.length).toString('base64'),
    }));
    const file = this.#fileOf(group.labels);
    mkdirSync(this.#directory, { recursive: true });
    // A crash leaves the old file or the new one.
    writeFileSync(`${file}.tmp`, JSON.stringify({ ...group, pushes }));
    renameSync(`${file}.tmp`, file);
  }

  remove(labels: Readonly<Record<string, string>>): void {
    rmSync(this.#fileOf(labels), { force: true });
  }

  /** `onBad` hears of files that cannot be used; they stay where they are. */
  readAll(onBad: (file: string, error: unknown) => void): StoredGroup[] {
    let names: string[];
    try {
      names = readdirSync(this.#directory);
    } catch {
      return [];
    }
    const groups: StoredGroup[] = [];
    for (const name of names.filter((candidate) => candidate.endsWith('.json'))) {
      const file = path.join(this.#directory, name);
      try {
        groups.push(parseGroup(readFileSync(file, 'utf8')));
      } catch (error) {
        onBad(file, error);
      }
    }
    return groups;
  }

  #fileOf(labels: Readonly<Record<string, string>>): string {
    // Asked for only now: it takes 1 MB in each thread.
    const { createHash } = process.getBuiltinModule('node:crypto');
    const hash = createHash('sha256').update(groupKey(labels)).digest('hex').slice(0, 32);
    return path.join(this.#directory, `${hash}.json`);
  }
}

type Plain = Readonly<Record<string, unknown>>;

function parseGroup(text: string): StoredGroup {
  const { labels, ttlMs, failedAtMs, pushes } = JSON.parse(text) as Plain;
  const isGood =
    typeof labels === 'object' &&
    labels !== null &&
    Object.values(labels).every((value) => typeof value === 'string') &&
    (ttlMs === null || typeof ttlMs === 'number') &&
    typeof failedAtMs === 'number' &&
    Array.isArray(pushes);
  if (!isGood) throw new ValueError('not a pushed group');
  return {
    labels: labels as Record<string, string>,
    ttlMs,
    failedAtMs,
    pushes: (pushes as Plain[]).map(({ atMs, contentType, body }) => {
      if (typeof atMs !== 'number' || typeof contentType !== 'string' || typeof body !== 'string') {
        throw new ValueError('not a push');
      }
      return { atMs, contentType, body: new Uint8Array(Buffer.from(body, 'base64')) };
    }),
  };
}
