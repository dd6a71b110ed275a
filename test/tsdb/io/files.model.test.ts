/** The file system in memory against the real one, and what a crash leaves of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Files, fileErrorCode, treeSizeBytes } from '../../../tsdb/io/files.ts';
import { WindowCache, WindowedFile } from '../../../tsdb/io/file-window.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';

const name = fc.constantFrom('a', 'b', 'd/a', 'd/b', 'd', 'e', 'e/f');
const bytes = fc.uint8Array({ maxLength: 20 });
const action = fc.oneof(
  fc.record({ create: name, content: bytes }),
  fc.record({ append: name, content: bytes }),
  fc.record({ write: name, at: fc.nat(30), content: bytes }),
  fc.record({ truncate: name, to: fc.nat(30) }),
  fc.record({ makeDirectory: name }),
  fc.record({ remove: name }),
  fc.record({ removeTree: name }),
  fc.record({ rename: name, to: name }),
  fc.record({ link: name, to: name }),
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Does one thing; returns the code of its error, if any. */
function act(files: Files, root: string, step: Action): string {
  const at = (relative: string) => `${root}/${relative}`;
  try {
    if ('create' in step) {
      const file = files.open(at(step.create), 'create');
      file.append(step.content);
      file.close();
    } else if ('append' in step) {
      const file = files.open(at(step.append), 'append');
      file.append(step.content);
      file.close();
    } else if ('write' in step) {
      const file = files.open(at(step.write), 'create');
      file.append(step.content);
      file.write(step.at, step.content);
      file.append(step.content);
      file.sync();
      file.close();
    } else if ('truncate' in step) files.truncate(at(step.truncate), step.to);
    else if ('makeDirectory' in step) files.makeDirectory(at(step.makeDirectory));
    else if ('remove' in step) files.remove(at(step.remove));
    else if ('removeTree' in step) files.removeTree(at(step.removeTree));
    else if ('rename' in step) files.rename(at(step.rename), at(step.to));
    else files.link(at(step.link), at(step.to));
    return '';
  } catch (error) {
    return fileErrorCode(error) === '' ? String(error) : 'error';
  }
}

function picture(files: Files, directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of files.list(directory)) {
    const full = `${directory}/${entry}`;
    if (files.stat(full)!.kind === 'directory') {
      found[`${entry}/`] = '';
      for (const [inner, content] of Object.entries(picture(files, full))) {
        found[`${entry}/${inner}`] = content;
      }
    } else {
      found[entry] = Buffer.from(files.readAll(full)).toString('hex');
    }
  }
  return found;
}

/** What only one of the two minds is no difference: we never do it. */
function isOddity(files: MemoryFiles, root: string, step: Action): boolean {
  const kindOf = (relative: string) => files.stat(`${root}/${relative}`)?.kind;
  const parentOf = (relative: string) =>
    path.dirname(relative) === '.' ? 'directory' : kindOf(path.dirname(relative));
  const targets = Object.values(step).filter((value) => typeof value === 'string');
  if (targets.some((target) => parentOf(target) !== 'directory')) return true;
  if ('rename' in step) {
    if (step.to.startsWith(step.rename) || step.rename.startsWith(step.to)) return true;
    const [from, to] = [kindOf(step.rename), kindOf(step.to)];
    return from !== undefined && to !== undefined && from !== to;
  }
  if ('makeDirectory' in step) return kindOf(step.makeDirectory) === 'file';
  if ('link' in step) return kindOf(step.link) === 'directory';
  return targets.some((target) => kindOf(target) === 'directory') && !('removeTree' in step);
}

describe('files in memory', () => {
  test('behave like files on a disk', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), (steps) => {
        const root = mkdtempSync(path.join(tmpdir(), 'narthex-files-'));
        try {
          const memory = new MemoryFiles();
          memory.makeDirectory(root);
          for (const step of steps) {
            if (isOddity(memory, root, step)) continue;
            expect(act(memory, root, step)).toBe(act(NODE_FILES, root, step));
            expect(picture(memory, root)).toEqual(picture(NODE_FILES, root));
          }
          expect(treeSizeBytes(memory, root)).toBe(treeSizeBytes(NODE_FILES, root));
        } finally {
          rmSync(root, { recursive: true });
        }
      }),
      { numRuns: 60 },
    );
  });

  test('survive a crash only as far as they were synced', () => {
    const files = new MemoryFiles();
    files.makeDirectory('/d');
    files.syncDirectory('/');
    const file = files.open('/d/a', 'create');
    file.append(Buffer.from('one'));
    file.sync();
    file.append(Buffer.from('two'));
    expect(files.crash('synced-only').list('/d')).toEqual([]);
    files.syncDirectory('/d');
    expect(Buffer.from(files.crash('synced-only').readAll('/d/a')).toString()).toBe('one');
    expect(Buffer.from(files.crash('everything').readAll('/d/a')).toString()).toBe('onetwo');
    files.rename('/d/a', '/d/b');
    expect(files.crash('synced-only').list('/d')).toEqual(['a']);
    files.syncDirectory('/d');
    expect(files.crash('synced-only').list('/d')).toEqual(['b']);
  });

  test('may lose an earlier write and keep a later one, or half of one', () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const files = new MemoryFiles();
      files.makeDirectory('/d');
      files.syncDirectory('/');
      const file = files.open('/d/a', 'create');
      files.syncDirectory('/d');
      file.append(new Uint8Array(1024).fill(1));
      file.append(new Uint8Array(1024).fill(2));
      let state = 7919 * seed + 104_729;
      const after = files.crash('random', () => {
        state = (state * 48271 + 11) % 2147483647;
        return state / 2147483647;
      });
      const content = after.readAll('/d/a');
      outcomes.add(
        [content[0] ?? '', content[600] ?? '', content[1100] ?? '', content.length].join(),
      );
    }
    for (const expected of ['0,0,2,2048', '1,1,2,2048', '1,1,,1024', '1,,,512', ',,,0']) {
      expect(outcomes).toContain(expected);
    }
  });

  test('fill up', () => {
    const files = new MemoryFiles();
    files.freeBytes = 5;
    const file = files.open('/a', 'create');
    expect(() => file.append(new Uint8Array(8))).toThrow('ENOSPC');
    expect(file.sizeBytes()).toBe(5);
  });
});

describe('a windowed file', () => {
  test('gives the bytes of the file wherever they are asked for, within its budget', () => {
    const content = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7 + (i >>> 8)) & 255);
    const files = new MemoryFiles();
    files.put('/f', content);
    const range = fc.tuple(fc.nat(4999), fc.oneof(fc.nat(40), fc.nat(900)));
    fc.assert(
      fc.property(fc.constantFrom(16, 100, 4096), fc.array(range), (windowSizeBytes, ranges) => {
        const cache = new WindowCache(windowSizeBytes * 4, windowSizeBytes);
        const windowed = new WindowedFile(files.open('/f', 'read'), cache);
        for (const [offset, wanted] of ranges) {
          const length = Math.min(wanted, content.length - offset);
          expect(windowed.read(offset, length)).toEqual(content.subarray(offset, offset + length));
        }
        expect(() => windowed.window(4999, 2)).toThrow('file ends early (/f @ byte 4999)');
        expect(windowed.windowUpTo(4990, 100).endBytes).toBe(5000);
      }),
    );
  });

  test('is read in few pieces when read in order, and once when it fits', () => {
    const files = new MemoryFiles();
    files.put('/f', new Uint8Array(1000));
    files.put('/g', new Uint8Array(1000));
    const cache = new WindowCache(2000, 100);
    const windowed = ['/f', '/g'].map((p) => new WindowedFile(files.open(p, 'read'), cache));
    for (let at = 0; at < 1000; at++) windowed[0]!.window(at, 1);
    expect(cache.loadCount).toBe(10);
    for (let at = 0; at < 1000; at++) windowed[0]!.window((at * 37) % 1000, 1);
    expect(cache.loadCount).toBe(10);
    for (let at = 0; at < 1000; at++) windowed[1]!.window(at, 1);
    expect(cache.loadCount).toBe(20);
  });
});
