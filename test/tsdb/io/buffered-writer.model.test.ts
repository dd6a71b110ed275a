/** A buffered file against the same bytes gathered in a list. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferedWriter } from '../../../tsdb/io/buffered-writer.ts';
import { MemoryFiles } from '../../../tsdb/io/memory-files.ts';

const PATH = '/file';
const ALIGNMENTS = [1, 4, 16];
/** On both sides of what is copied byte by byte, and of the buffer. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.uint8Array({ minLength: 60, maxLength: 70 }),
  fc.uint8Array({ minLength: 100, maxLength: 300 }),
);
const step = fc.oneof(
  fc.record({ append: bytes, from: fc.nat(20), cut: fc.nat(20) }),
  fc.record({ pad: fc.constantFrom(...ALIGNMENTS) }),
  fc.record({ patch: fc.uint8Array({ minLength: 1, maxLength: 4 }), at: fc.nat() }),
  fc.constant({ flush: true }),
);

describe('BufferedWriter', () => {
  test('writes what was given to it, in order', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.integer({ min: Math.max(...ALIGNMENTS), max: 200 }),
        (steps, bufferSizeBytes) => {
          const files = new MemoryFiles();
          const writer = new BufferedWriter(files.open(PATH, 'create'), bufferSizeBytes);
          const truth: number[] = [];
          for (const one of steps) {
            if ('append' in one) {
              const start = Math.min(one.from, one.append.length);
              const end = Math.max(start, one.append.length - one.cut);
              writer.append(one.append, start, end);
              truth.push(...one.append.subarray(start, end));
            } else if ('pad' in one) {
              writer.pad(one.pad);
              while (truth.length % one.pad > 0) truth.push(0);
            } else if ('patch' in one) {
              if (truth.length < one.patch.length) continue;
              const at = one.at % (truth.length - one.patch.length + 1);
              writer.patch(at, one.patch);
              truth.splice(at, one.patch.length, ...one.patch);
            } else writer.flush();
            expect(writer.position).toBe(truth.length);
          }
          writer.finish();
          expect([...files.readAll(PATH)]).toEqual(truth);
        },
      ),
      { numRuns: 500 },
    );
  });
});
