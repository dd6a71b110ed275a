/**
 * Hands out blocks of the shared memory. Only the writer thread allocates and frees, so the books
 * are its own plain variables; a free block carries the address of the next one in its first word.
 *
 * Small blocks are cut from runs of one size class. Large ones (tables, long postings lists) are
 * extents of whole 4 KiB, and free neighbours among those are joined, so that what a growing list
 * leaves behind can serve the next larger list.
 *
 * Readers may still look at a block that the writer no longer needs: it goes through `Retired`
 * (retired.ts) first and comes here when nobody can hold it.
 */
import { assert } from '../../model/index.ts';
import type { Heap } from './heap.ts';
import { CLASS_COUNT, CLASS_SIZE_MAX, CLASS_SIZES, classOf } from './size-classes.ts';

/** Runs and extents start at multiples of this, so blocks of 64 and 128 bytes are aligned. */
const EXTENT_UNIT_BYTES = 4096;
const RUN_BLOCK_COUNT_MIN = 16;
const RUN_SIZE_BYTES_MIN = 16 * 1024;

export class Allocator {
  readonly #heap: Heap;
  /** First free block per class, 0 for none. */
  readonly #freeHeads = new Uint32Array(CLASS_COUNT);
  /** Free extents in order of address; their number stays small. */
  #extents: { address: number; sizeBytes: number }[] = [];
  /** First byte that was never handed out. */
  #frontier: number;
  #usedBytes = 0;

  /** @param startAddress  first byte that may be handed out */
  constructor(heap: Heap, startAddress: number) {
    this.#heap = heap;
    this.#frontier = roundUp(startAddress);
  }

  /** Bytes in blocks that are in use, by what their classes take. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes that were ever touched: what the head adds to the process. */
  get touchedBytes(): number {
    return this.#frontier;
  }

  /** A block of at least `sizeBytes`, content undefined. Views of the heap may be replaced. */
  allocate(sizeBytes: number): number {
    if (sizeBytes > CLASS_SIZE_MAX) return this.#allocateExtent(sizeBytes);
    const index = classOf(sizeBytes);
    let address = this.#freeHeads[index]!;
    if (address === 0) address = this.#addRun(index);
    this.#freeHeads[index] = this.#heap.u32[address >>> 2]!;
    this.#usedBytes += CLASS_SIZES[index]!;
    return address;
  }

  /** Like `allocate`, filled with zeros. */
  allocateZeroed(sizeBytes: number): number {
    const address = this.allocate(sizeBytes);
    this.#heap.u8.fill(0, address, address + sizeBytes);
    return address;
  }

  /** Takes back a block; `sizeBytes` as it was asked for. Nobody may look at it any more. */
  free(address: number, sizeBytes: number): void {
    assert(address !== 0, 'freeing nothing');
    if (sizeBytes > CLASS_SIZE_MAX) {
      this.#usedBytes -= roundUp(sizeBytes);
      this.#freeExtent(address, roundUp(sizeBytes));
      return;
    }
    const index = classOf(sizeBytes);
    this.#heap.u32[address >>> 2] = this.#freeHeads[index]!;
    this.#freeHeads[index] = address;
    this.#usedBytes -= CLASS_SIZES[index]!;
  }

  /** What a block that was asked for with `sizeBytes` really offers. */
  static capacityOf(sizeBytes: number): number {
    return sizeBytes > CLASS_SIZE_MAX ? roundUp(sizeBytes) : CLASS_SIZES[classOf(sizeBytes)]!;
  }

  /** Cuts a new run into free blocks and returns the first. */
  #addRun(index: number): number {
    const blockSize = CLASS_SIZES[index]!;
    const runSize = roundUp(Math.max(RUN_SIZE_BYTES_MIN, blockSize * RUN_BLOCK_COUNT_MIN));
    const start = this.#takeExtent(runSize);
    const { u32 } = this.#heap;
    const blockCount = Math.floor(runSize / blockSize);
    for (let i = 0; i < blockCount; i++) {
      const address = start + i * blockSize;
      u32[address >>> 2] = i + 1 < blockCount ? address + blockSize : 0;
    }
    this.#freeHeads[index] = start;
    return start;
  }

  #allocateExtent(sizeBytes: number): number {
    const rounded = roundUp(sizeBytes);
    const address = this.#takeExtent(rounded);
    this.#usedBytes += rounded;
    return address;
  }

  /** The smallest free extent that is large enough, or fresh memory. */
  #takeExtent(sizeBytes: number): number {
    let best = -1;
    for (let i = 0; i < this.#extents.length; i++) {
      const size = this.#extents[i]!.sizeBytes;
      if (size >= sizeBytes && (best < 0 || size < this.#extents[best]!.sizeBytes)) best = i;
    }
    if (best >= 0) {
      const extent = this.#extents[best]!;
      const { address } = extent;
      extent.address += sizeBytes;
      extent.sizeBytes -= sizeBytes;
      if (extent.sizeBytes === 0) this.#extents.splice(best, 1);
      return address;
    }
    const address = this.#frontier;
    this.#heap.growTo(address + sizeBytes);
    this.#frontier = address + sizeBytes;
    return address;
  }

  #freeExtent(address: number, sizeBytes: number): void {
    const extents = this.#extents;
    let low = 0;
    let high = extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (extents[middle]!.address < address) low = middle + 1;
      else high = middle;
    }
    const before = extents[low - 1];
    const after = extents[low];
    assert(before === undefined || before.address + before.sizeBytes <= address, 'freed twice');
    assert(after === undefined || address + sizeBytes <= after.address, 'freed twice');
    const joinsBefore = before !== undefined && before.address + before.sizeBytes === address;
    const joinsAfter = after !== undefined && address + sizeBytes === after.address;
    if (joinsBefore) {
      before.sizeBytes += sizeBytes + (joinsAfter ? after.sizeBytes : 0);
      if (joinsAfter) extents.splice(low, 1);
    } else if (joinsAfter) {
      after.address = address;
      after.sizeBytes += sizeBytes;
    } else {
      extents.splice(low, 0, { address, sizeBytes });
    }
  }
}

function roundUp(sizeBytes: number): number {
  return Math.ceil(sizeBytes / EXTENT_UNIT_BYTES) * EXTENT_UNIT_BYTES;
}
