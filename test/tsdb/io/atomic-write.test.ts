import { describe, expect, test } from 'vitest';
import { publishDirectory, writeFileAtomic } from '../../../tsdb/io/atomic-write.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const content = (text: string) => new TextEncoder().encode(text);

/** Numbers in [0, 1) that differ by seed. */
function chance(seed: number): () => number {
  let state = seed * 7919 + 104_729;
  return () => {
    state = (state * 48_271 + 11) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('an atomic write', () => {
  test('has happened for good when it returns', () => {
    const files = new MemoryFiles();
    files.makeDirectory('/d');
    files.syncDirectory('/');
    writeFileAtomic(files, '/d/a', content('one'));
    const after = files.crash('synced-only');
    expect(after.list('/d')).toEqual(['a']);
    expect(after.readAll('/d/a')).toEqual(content('one'));
  });

  test('that fails or is cut short leaves the old content', () => {
    for (let seed = 0; seed < 100; seed++) {
      const files = new MemoryFiles();
      files.makeDirectory('/d');
      files.syncDirectory('/');
      writeFileAtomic(files, '/d/a', content('old'));
      files.freeBytes = seed % 12;
      let isWritten = false;
      try {
        writeFileAtomic(files, '/d/a', content('new content'));
        isWritten = true;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
      const after = files.crash('random', chance(seed));
      expect(after.readAll('/d/a')).toEqual(content(isWritten ? 'new content' : 'old'));
    }
  });
});

describe('a published directory', () => {
  test('is there with all its files when it is there', () => {
    for (let seed = 0; seed < 100; seed++) {
      const files = new MemoryFiles();
      files.makeDirectory('/d/new.tmp');
      files.syncDirectory('/');
      for (const name of ['a', 'b', 'c']) {
        const file = files.open(`/d/new.tmp/${name}`, 'create');
        file.append(content(name));
        file.sync();
      }
      publishDirectory(files, '/d/new.tmp', '/d/new');
      const after = files.crash('random', chance(seed));
      expect(after.list('/d')).toEqual(['new']);
      expect(after.list('/d/new')).toEqual(['a', 'b', 'c']);
    }
  });
});
