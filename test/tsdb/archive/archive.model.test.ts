/** Archives give back what went in, read by our own reader and by `lz4` and `tar`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { archiveDirectory } from '../../../tsdb/index.ts';
import { lz4Frame } from '../../../tsdb/archive/lz4-frame.ts';
import { XxHash32 } from '../../../tsdb/archive/xxhash32.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { onPath } from '../../support/installed.ts';
import { lz4Content, tarContent } from '../support/unpack.ts';

const LZ4 = onPath('lz4');
const TAR = onPath('tar');
if (LZ4 === null || TAR === null) {
  const reason = 'lz4 or tar is not installed: only our own reader judges archives';
  if (process.env['NARTHEX_REQUIRE'] !== undefined) throw new Error(reason);
  console.info(`skipped: ${reason}`);
}

let scratch = '';
beforeAll(() => (scratch = mkdtempSync(path.join(tmpdir(), 'narthex-archive-'))));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Pieces that compress well, badly, and not at all, from nothing to several blocks. */
const arbitraryPiece = fc.oneof(
  fc.uint8Array({ maxLength: 600 }),
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(300_000)).map(([unit, size]) => {
    const piece = new Uint8Array(size);
    for (let i = 0; i < size; i++) piece[i] = unit[i % unit.length]!;
    return piece;
  }),
  fc.tuple(fc.nat(), fc.nat(300_000)).map(([seed, size]) => {
    const piece = new Uint8Array(size);
    let state = seed | 1;
    for (let i = 0; i < size; i++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i;
      piece[i] = state >>> 11;
    }
    return piece;
  }),
);

describe('the checksum', () => {
  test.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('of %j', (text, hash) => {
    const checksum = new XxHash32();
    checksum.update(Buffer.from(text));
    expect(checksum.digest()).toBe(hash);
  });
});

test('a frame holds the pieces, one after the other', () => {
  fc.assert(
    fc.property(fc.array(arbitraryPiece, { maxLength: 5 }), (pieces) => {
      const frame = Buffer.concat([...lz4Frame(pieces)]);
      const plain = Buffer.concat(pieces);
      expect(lz4Content(frame).equals(plain)).toBe(true);
      if (LZ4 === null) return;
      // It verifies both checksums.
      const options = { input: frame, maxBuffer: 1 << 26 };
      expect(execFileSync(LZ4, ['-d', '-c'], options).equals(plain)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

const arbitraryTree = fc.dictionary(
  fc.constantFrom('a', 'ab', 'b/c', 'b/d/e', 'f/index', 'f/chunks/000001', 'ü'),
  arbitraryPiece,
);

test('an archive holds every file under its name', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTree, async (tree) => {
      const files = new MemoryFiles();
      files.makeDirectory('/d');
      for (const [name, content] of Object.entries(tree)) {
        files.makeDirectory(path.dirname(`/d/${name}`));
        const file = files.open(`/d/${name}`, 'create');
        file.append(content);
        file.close();
      }
      const archive = await collected(archiveDirectory('/d', 'snap', files));
      const entries = tarContent(lz4Content(archive));
      for (const [name, content] of Object.entries(tree)) {
        expect(entries.get(`snap/${name}`)?.equals(content), name).toBe(true);
      }
      const fileCount = [...entries.values()].filter((content) => content !== null).length;
      expect(fileCount).toBe(Object.keys(tree).length);
    }),
    { numRuns: 30 },
  );
});

test.runIf(LZ4 !== null && TAR !== null)('lz4 and tar unpack it', async () => {
  const files = new MemoryFiles();
  files.makeDirectory('/d/sub/empty');
  for (const [name, size] of [
    ['/d/none', 0],
    ['/d/record', 512],
    ['/d/sub/large', 700_001],
  ] as const) {
    const file = files.open(name, 'create');
    file.append(Uint8Array.from({ length: size }, (_, i) => (i * i) >>> 3));
    file.close();
  }
  const packed = path.join(scratch, 'packed.tar.lz4');
  const tar = path.join(scratch, 'plain.tar');
  writeFileSync(packed, await collected(archiveDirectory('/d', 'snap', files)));
  execFileSync(LZ4!, ['-d', '-q', packed, tar]);
  execFileSync(TAR!, ['-xf', tar, '-C', scratch]);
  const unpacked = path.join(scratch, 'snap');
  expect(readdirSync(unpacked, { recursive: true }).map(String).sort()).toEqual(
    ['none', 'record', 'sub', 'sub/empty', 'sub/large'].map((name) => path.normalize(name)),
  );
  const content = readFileSync(path.join(unpacked, 'sub/large'));
  expect(content.equals(files.readAll('/d/sub/large'))).toBe(true);
  expect(statSync(path.join(unpacked, 'sub/empty')).isDirectory()).toBe(true);
});

test('nothing is read before it is asked for, and giving up closes the file', async () => {
  const files = new MemoryFiles();
  files.makeDirectory('/d');
  const file = files.open('/d/large', 'create');
  file.append(new Uint8Array(3_000_000));
  file.close();
  let openCount = 0;
  let readBytes = 0;
  const open = files.open.bind(files);
  files.open = (name, mode) => {
    const handle = open(name, mode);
    openCount++;
    return {
      path: handle.path,
      sizeBytes: () => handle.sizeBytes(),
      read(offset: number, target: Uint8Array, start: number, length: number) {
        readBytes += length;
        return handle.read(offset, target, start, length);
      },
      close() {
        openCount--;
        handle.close();
      },
    } as typeof handle;
  };
  const archive = archiveDirectory('/d', 'snap', files);
  await archive.next();
  expect([openCount, readBytes]).toEqual([0, 0]);
  await archive.next();
  expect(openCount).toBe(1);
  expect(readBytes).toBeLessThan(600_000);
  await archive.return(undefined);
  expect(openCount).toBe(0);
});

async function collected(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return Buffer.concat(parts);
}
