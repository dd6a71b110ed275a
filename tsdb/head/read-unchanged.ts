/** Reading a series' record in any thread, while the writer goes on. */
import { assert } from '../../model/index.ts';
import { Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import type { ReaderSlot } from '../memory/readers.ts';
import * as Rec from './series-record.ts';

/** Tries before a reader that meets a record under change goes to sleep for a moment. */
const SPIN_COUNT = 200;
const SLEEP_MS = 1;
const SLEEP_COUNT_MAX = 30_000;

/**
 * What `read` gave for a record that nobody changed meanwhile. Until then it is called again, also
 * when it threw: what is read during a change may be anything, such as the number of no file.
 * @param slot  has been entered
 * @throws what `read` threw over an unchanged record
 */
export function readUnchanged<T>(heap: Heap, slot: ReaderSlot, record: number, read: () => T): T {
  const word = (record >>> 2) + Rec.SEQUENCE;
  const isUnchanged = (sequence: number) => {
    slot.fence();
    return Atomics.load(heap.u32, word) === sequence;
  };
  for (let attempt = 0; ; attempt++) {
    const sequence = Atomics.load(heap.u32, word);
    if ((sequence & 1) === 0) {
      try {
        const result = read();
        if (isUnchanged(sequence)) return result;
      } catch (error) {
        if (isUnchanged(sequence)) throw error;
      }
    }
    if (attempt < SPIN_COUNT) continue;
    assert(attempt < SPIN_COUNT + SLEEP_COUNT_MAX, 'a series stays under change');
    Atomics.wait(heap.i32, Word.Fence, heap.i32[Word.Fence]!, SLEEP_MS);
  }
}
