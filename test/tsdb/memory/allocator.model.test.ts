import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Allocator } from '../../../tsdb/memory/allocator.ts';
import { FIRST_BLOCK_ADDRESS } from '../../../tsdb/memory/control-block.ts';
import { Heap } from '../../../tsdb/memory/heap.ts';
import { CLASS_SIZES, classOf } from '../../../tsdb/memory/size-classes.ts';

const sizeBytes = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 5000 }),
  fc.integer({ min: 60_000, max: 70_000 }),
  fc.integer({ min: 100_000, max: 400_000 }),
);
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ allocate: sizeBytes }) },
  { weight: 2, arbitrary: fc.record({ freeIndex: fc.nat(1000) }) },
);

describe('allocator', () => {
  test('blocks never overlap, whatever is freed in between, and all of it comes back', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = Heap.create(1024 * 1024);
        const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
        const blocks: { address: number; sizeBytes: number; fill: number }[] = [];
        let nextFill = 1;
        const check = (block: (typeof blocks)[number]) => {
          const content = heap.u8.subarray(block.address, block.address + block.sizeBytes);
          expect(content.every((byte) => byte === block.fill)).toBe(true);
        };
        for (const step of actions) {
          if ('allocate' in step) {
            const address = allocator.allocate(step.allocate);
            expect(address % 8).toBe(0);
            expect(address).toBeGreaterThanOrEqual(FIRST_BLOCK_ADDRESS);
            const fill = nextFill++ & 0xff;
            heap.u8.fill(fill, address, address + step.allocate);
            blocks.push({ address, sizeBytes: step.allocate, fill });
          } else if (blocks.length > 0) {
            const [block] = blocks.splice(step.freeIndex % blocks.length, 1);
            check(block!);
            allocator.free(block!.address, block!.sizeBytes);
          }
        }
        for (const block of blocks) check(block);
        for (const block of blocks) allocator.free(block.address, block.sizeBytes);
        expect(allocator.usedBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('joins free neighbours, so that what small lists left serves a large one', () => {
    const heap = Heap.create();
    const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
    const blocks = [1, 2, 3, 4].map(() => allocator.allocate(100_000));
    const touched = allocator.touchedBytes;
    for (const address of [blocks[1]!, blocks[3]!, blocks[2]!, blocks[0]!]) {
      allocator.free(address, 100_000);
    }
    expect(allocator.allocate(400_000)).toBe(blocks[0]);
    expect(allocator.touchedBytes).toBe(touched);
  });

  test('keeps blocks of 64 and 128 bytes aligned, which the open chunks rely on', () => {
    const allocator = new Allocator(Heap.create(), FIRST_BLOCK_ADDRESS);
    for (const size of [64, 128]) {
      for (let i = 0; i < 1000; i++) expect(allocator.allocate(size) % size).toBe(0);
    }
  });

  test('a size class wastes at most a fifth, beyond the smallest', () => {
    for (let size = 64; size <= 65_536; size += 7) {
      const offered = CLASS_SIZES[classOf(size)]!;
      expect(offered).toBeGreaterThanOrEqual(size);
      expect(offered - size).toBeLessThanOrEqual(offered / 5);
    }
  });
});
