/** Which blocks are uploaded while blocks come and go. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Registry, SILENT_LOGGER } from '../../../model/index.ts';
import { REAL_CLOCK } from '../../../src/real-clock.ts';
import { Uploader } from '../../../src/upload/uploader.ts';

let folder = '';
let present: string[] = [];
const puts: string[] = [];
/** Happens while the first file of a block is sent. */
let onPut: (ulid: string) => void = () => {};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'narthex-uploader-'));
  present = [];
  puts.length = 0;
  onPut = () => {};
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function addBlock(ulid: string, level: number, sources: readonly string[]): void {
  mkdirSync(path.join(folder, ulid, 'chunks'), { recursive: true });
  writeFileSync(path.join(folder, ulid, 'chunks', '000001'), 'chunks');
  writeFileSync(path.join(folder, ulid, 'index'), 'index');
  const meta = { ulid, stats: { numSamples: 1 }, compaction: { level, sources } };
  writeFileSync(path.join(folder, ulid, 'meta.json'), JSON.stringify(meta));
  present.push(ulid);
}

function removeBlock(ulid: string): void {
  rmSync(path.join(folder, ulid), { recursive: true });
  present = present.filter((one) => one !== ulid);
}

function newUploader(): Uploader {
  return new Uploader({
    dataDirectory: folder,
    bucket: {
      exists: async () => false,
      putFile: async (key) => onPut(key.split('/')[0]!),
      put: async (key) => void puts.push(key),
      close: async () => {},
    },
    blocks: async () => [...present],
    externalLabels: () => ({ cluster: 'c' }),
    clock: REAL_CLOCK,
    logger: SILENT_LOGGER,
    registry: new Registry(),
  });
}

test('what was compacted during an upload is not uploaded once more', async () => {
  const uploader = newUploader();
  addBlock('A', 1, ['A']);
  addBlock('B', 1, ['B']);
  await uploader.sync();
  removeBlock('A');
  removeBlock('B');
  addBlock('C', 2, ['A', 'B']);
  addBlock('D', 1, ['D']);
  onPut = (ulid) => {
    if (ulid !== 'D' || !present.includes('C')) return;
    removeBlock('C');
    addBlock('E', 3, ['A', 'B']);
  };
  await uploader.sync();
  await uploader.sync();
  expect(puts).toEqual(['A/meta.json', 'B/meta.json', 'D/meta.json']);
});

test('a block that is not due costs a look, no links', async () => {
  const uploader = newUploader();
  addBlock('A', 1, ['A']);
  await uploader.sync();
  addBlock('B', 2, ['A']);
  rmSync(path.join(folder, 'thanos'), { recursive: true, force: true });
  await uploader.sync();
  expect(existsSync(path.join(folder, 'thanos'))).toBe(false);
  expect(puts).toEqual(['A/meta.json']);
});

test('a block that cannot be read keeps no other back', async () => {
  const uploader = newUploader();
  addBlock('A', 1, ['A']);
  writeFileSync(path.join(folder, 'A', 'meta.json'), '{');
  addBlock('B', 1, ['B']);
  await uploader.sync();
  expect(puts).toEqual(['B/meta.json']);
});
