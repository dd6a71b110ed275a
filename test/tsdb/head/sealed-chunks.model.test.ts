import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  entryMaxMs,
  entryMinMs,
  entryPlace,
  entryWord,
  fileOfPlace,
  placeOfFile,
  sealedCount,
  SealedChunks,
} from '../../../tsdb/head/sealed-chunks.ts';
import { Allocator } from '../../../tsdb/memory/allocator.ts';
import { FIRST_BLOCK_ADDRESS, initControlBlock, Word } from '../../../tsdb/memory/control-block.ts';
import { Heap } from '../../../tsdb/memory/heap.ts';
import { Retired } from '../../../tsdb/memory/retired.ts';

type Chunk = { minMs: number; maxMs: number; place: number; offset: number };

test('a list of finished chunks stays in time order, whatever is inserted and dropped', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ minMs: fc.integer({ min: -500, max: 500 }), spanMs: fc.nat(20) }),
    },
    { weight: 1, arbitrary: fc.record({ dropBeforeMs: fc.integer({ min: -500, max: 0 }) }) },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1_700_000_000_000, -(2 ** 46)),
      fc.array(step, { maxLength: 120 }),
      (baseMs, steps) => {
        const heap = Heap.create(1024 * 1024);
        initControlBlock(heap);
        const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
        const retired = new Retired(heap, allocator);
        const sealed = new SealedChunks(heap, allocator, retired);
        const owner = Word.Names;
        let model: Chunk[] = [];
        let next = 0;
        for (const action of steps) {
          if ('dropBeforeMs' in action) {
            const borderMs = baseMs + action.dropBeforeMs;
            sealed.filter(owner, (entry) => entryMaxMs(heap.u32, entry) >= borderMs);
            model = model.filter((chunk) => chunk.maxMs >= borderMs);
          } else {
            const minMs = baseMs + action.minMs;
            const maxMs = minMs + action.spanMs;
            const chunk = { minMs, maxMs, place: next % 65_536, offset: next++ * 1_000_003 };
            const isFree = model.every((other) => other.maxMs < minMs || other.minMs > maxMs);
            const { place, offset } = chunk;
            expect(sealed.insert(owner, minMs, maxMs, place, offset >>> 0)).toBe(isFree);
            if (isFree) model.push(chunk);
          }
          model.sort((a, b) => a.minMs - b.minMs);
          const list = heap.u32[owner]!;
          const found: Chunk[] = [];
          for (let i = 0; i < sealedCount(heap.u32, list); i++) {
            const entry = entryWord(list, i);
            found.push({
              minMs: entryMinMs(heap.u32, entry),
              maxMs: entryMaxMs(heap.u32, entry),
              place: entryPlace(heap.u32, entry),
              offset: heap.u32[entry + 3]!,
            });
          }
          expect(found).toEqual(model.map((chunk) => ({ ...chunk, offset: chunk.offset >>> 0 })));
        }
        sealed.filter(owner, () => false);
        retired.reclaim();
        expect(allocator.usedBytes).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('file numbers survive as their remainder, across its wrap', () => {
  for (const newest of [0, 5, 65_533, 65_534, 65_540, 1_000_000]) {
    for (let file = Math.max(0, newest - 60_000); file <= newest; file += 997) {
      expect(fileOfPlace(placeOfFile(file), newest)).toBe(file);
    }
    expect(fileOfPlace(placeOfFile(newest), newest)).toBe(newest);
  }
});
