/** A file written around the page cache holds what an ordinary one would. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { NODE_FILES } from '../../../tsdb/io/node-files.ts';
import { UncachedFile } from '../../../tsdb/io/uncached-file.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'narthex-uncached-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Sizes around those of pages and of the buffer; -1 makes durable what is there. */
const size = fc.oneof(
  fc.nat(300),
  fc.integer({ min: 4090, max: 4100 }),
  fc.integer({ min: 2 ** 20 - 5000, max: 2 ** 20 + 5000 }),
  fc.constant(-1),
);

const probe = UncachedFile.create(path.join(directory, 'probe'));
probe?.close();
if (probe === null) console.log('skipped: this file system has no direct writes');

describe.skipIf(probe === null)('an uncached file', () => {
  test('holds what was appended, at every sync and at the end', () => {
    const file = path.join(directory, 'file');
    fc.assert(
      fc.property(fc.array(size, { maxLength: 12 }), (sizes) => {
        const uncached = UncachedFile.create(file)!;
        let expected = Buffer.alloc(0);
        for (const [index, sizeBytes] of [...sizes, -1].entries()) {
          if (sizeBytes < 0) {
            uncached.sync();
            expect(readFileSync(file).equals(expected)).toBe(true);
            continue;
          }
          // Not whole: a part in the middle of something longer.
          const bytes = Buffer.alloc(sizeBytes + 20, index + 1);
          uncached.append(bytes, 7, sizeBytes + 7);
          expected = Buffer.concat([expected, bytes.subarray(7, sizeBytes + 7)]);
          expect(uncached.sizeBytes()).toBe(expected.length);
        }
        uncached.close();
        expect(readFileSync(file).equals(expected)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('empties what was there', () => {
    const file = path.join(directory, 'old');
    for (const text of ['a longer text', 'short']) {
      const handle = NODE_FILES.open(file, 'create-uncached');
      handle.append(Buffer.from(text));
      handle.sync();
      handle.close();
    }
    expect(readFileSync(file, 'utf8')).toBe('short');
  });

  test('says where it cannot be made', () => {
    expect(() => UncachedFile.create(path.join(directory, 'no', 'file'))).toThrow(/ENOENT/);
  });
});
