import { describe, expect, test } from 'vitest';
import { Allocator } from '../../../tsdb/memory/allocator.ts';
import {
  FIRST_BLOCK_ADDRESS,
  initControlBlock,
  isNewer,
} from '../../../tsdb/memory/control-block.ts';
import { Heap } from '../../../tsdb/memory/heap.ts';
import {
  openSnapshots,
  READER_SLOT_COUNT,
  ReaderSlot,
  releaseReaders,
} from '../../../tsdb/memory/readers.ts';
import { Retired } from '../../../tsdb/memory/retired.ts';

function setUp() {
  const heap = Heap.create(1024 * 1024);
  initControlBlock(heap);
  const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
  return { heap, allocator, retired: new Retired(heap, allocator) };
}

describe('retired blocks', () => {
  test('are free again only when every reader that could know them has left', () => {
    const { heap, allocator, retired } = setUp();
    const early = ReaderSlot.open(heap, 1);
    const late = ReaderSlot.open(heap, 2);
    early.enter();
    const block = allocator.allocate(64);
    const used = allocator.usedBytes;
    retired.add(block, 64);
    retired.reclaim();
    expect(allocator.usedBytes).toBe(used);

    // This one came after the block was unlinked: it cannot hold it up.
    late.enter();
    early.leave();
    retired.reclaim();
    expect(allocator.usedBytes).toBe(used - 64);
    late.leave();
  });

  test('wait in order, also when there are more than the ring has places', () => {
    const { heap, allocator, retired } = setUp();
    const reader = ReaderSlot.open(heap, 1);
    reader.enter();
    for (let i = 0; i < 5000; i++) retired.add(allocator.allocate(16), 16);
    retired.reclaim();
    expect(retired.bytes).toBe(5000 * 16);
    let ran = false;
    retired.addAction(() => (ran = true));
    reader.leave();
    retired.reclaim();
    expect(retired.bytes).toBe(0);
    expect(allocator.usedBytes).toBe(0);
    expect(ran).toBe(true);
  });

  test('nested enters count as one', () => {
    const { heap, allocator, retired } = setUp();
    const reader = ReaderSlot.open(heap, 1);
    reader.enter();
    reader.enter();
    retired.add(allocator.allocate(16), 16);
    reader.leave();
    retired.reclaim();
    expect(retired.bytes).toBe(16);
    reader.leave();
    retired.reclaim();
    expect(retired.bytes).toBe(0);
  });
});

describe('reader slots', () => {
  test('run out with an error that says what to change', () => {
    const { heap } = setUp();
    for (let i = 0; i < READER_SLOT_COUNT; i++) ReaderSlot.open(heap, 1);
    expect(() => ReaderSlot.open(heap, 1)).toThrow('query.max-concurrency');
  });

  test('of a thread that died are given back', () => {
    const { heap } = setUp();
    const kept = ReaderSlot.open(heap, 1);
    ReaderSlot.open(heap, 7).enter();
    ReaderSlot.open(heap, 7);
    releaseReaders(heap, 7);
    const out = new Uint32Array(READER_SLOT_COUNT);
    expect(openSnapshots(heap, out)).toBe(1);
    kept.close();
    expect(openSnapshots(heap, out)).toBe(0);
  });
});

test('commit ids are compared across their wrap', () => {
  expect(isNewer(3, 2)).toBe(true);
  expect(isNewer(2, 2)).toBe(false);
  expect(isNewer(1, 0xffff_fff0)).toBe(true);
  expect(isNewer(0xffff_fff0, 1)).toBe(false);
});
