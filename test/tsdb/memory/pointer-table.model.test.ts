import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Allocator } from '../../../tsdb/memory/allocator.ts';
import { FIRST_BLOCK_ADDRESS, initControlBlock, Word } from '../../../tsdb/memory/control-block.ts';
import { GrowingLists, listEntries } from '../../../tsdb/memory/growing-list.ts';
import { Heap } from '../../../tsdb/memory/heap.ts';
import { addressOf, EMPTY, isOther, PointerTable } from '../../../tsdb/memory/pointer-table.ts';
import { Retired } from '../../../tsdb/memory/retired.ts';

function setUp() {
  const heap = Heap.create(1024 * 1024);
  initControlBlock(heap);
  const allocator = new Allocator(heap, FIRST_BLOCK_ADDRESS);
  return { heap, allocator, retired: new Retired(heap, allocator) };
}

/** Walks the slots as a reader does. */
function contains(heap: Heap, address: number): boolean {
  const table = heap.u32[Word.Pairs]! >>> 2;
  const mask = heap.u32[table]!;
  const hash = heap.u32[address >>> 2]!;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const found = heap.u32[table + 1 + slot]!;
    if (found === EMPTY) return false;
    if (!isOther(found, hash) && addressOf(found) === address) return true;
  }
}

test('a pointer table holds what was inserted and not removed, however hashes collide', () => {
  const action = fc.record({ hash: fc.nat(40), removes: fc.boolean() });
  fc.assert(
    fc.property(fc.array(action, { maxLength: 2000 }), (actions) => {
      const { heap, allocator, retired } = setUp();
      const table = new PointerTable(heap, allocator, retired, Word.Pairs, 0);
      const model = new Map<number, number[]>();
      for (const { hash, removes } of actions) {
        const same = model.get(hash) ?? [];
        model.set(hash, same);
        if (removes && same.length > 0) {
          table.remove(same.shift()!);
        } else {
          const address = allocator.allocate(16);
          heap.u32[address >>> 2] = hash * 0x0101_0101;
          table.insert(address);
          same.push(address);
        }
      }
      const all = [...model.values()].flat();
      expect(table.entryCount).toBe(all.length);
      for (const address of all) expect(contains(heap, address)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a growing list shows a reader that came early what it had then, and more later', () => {
  const { heap, allocator, retired } = setUp();
  const lists = new GrowingLists(heap, allocator, retired);
  lists.append(Word.Names, 7);
  const early = listEntries(heap, heap.u32[Word.Names]!);
  for (let i = 8; i < 5000; i++) lists.append(Word.Names, i);
  expect([...early]).toEqual([7]);
  const late = listEntries(heap, heap.u32[Word.Names]!);
  expect(late.length).toBe(4993);
  expect(late.every((entry, i) => entry === i + 7)).toBe(true);
});
