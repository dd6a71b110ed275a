/**
 * One shared memory that every thread sees: the head's home. Addresses are byte offsets below
 * 4 GiB, so they fit a u32; address 0 means "nothing".
 *
 * It is a WebAssembly.Memory because that one can grow in place while others read it. Growing
 * leaves old views valid but short; whoever meets an address beyond its views calls `refresh`.
 */
import { LimitError } from '../../model/index.ts';

export const PAGE_SIZE_BYTES = 64 * 1024;
const PAGE_COUNT_MAX = 65_536;

/** Grown in steps, since every step makes new views everywhere. */
const GROWTH_STEP_BYTES = 4 * 1024 * 1024;

export class Heap {
  readonly memory: WebAssembly.Memory;
  /** Views over the whole memory as it was at the last `refresh`. Hot loops copy them to locals. */
  u8!: Uint8Array;
  u32!: Uint32Array;
  i32!: Int32Array;
  f64!: Float64Array;
  sizeBytes = 0;

  constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
    this.refresh();
  }

  static create(initialBytes = GROWTH_STEP_BYTES): Heap {
    const initial = Math.ceil(initialBytes / PAGE_SIZE_BYTES);
    return new Heap(new WebAssembly.Memory({ initial, maximum: PAGE_COUNT_MAX, shared: true }));
  }

  /** Looks again how large the memory is. */
  refresh(): void {
    const { buffer } = this.memory;
    if (buffer.byteLength === this.sizeBytes) return;
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.sizeBytes = buffer.byteLength;
  }

  /** For readers: makes sure that bytes up to `endAddress` lie inside the views. */
  cover(endAddress: number): void {
    if (endAddress > this.sizeBytes) this.refresh();
  }

  /**
   * For the writer: grows until bytes up to `endAddress` exist.
   *
   * @throws LimitError 4 GiB do not suffice, or the machine has no more memory
   */
  growTo(endAddress: number): void {
    if (endAddress <= this.sizeBytes) return;
    const pageCountMin = Math.ceil((endAddress - this.sizeBytes) / PAGE_SIZE_BYTES);
    const roomPageCount = PAGE_COUNT_MAX - this.sizeBytes / PAGE_SIZE_BYTES;
    const pageCount = Math.min(
      Math.max(pageCountMin, GROWTH_STEP_BYTES / PAGE_SIZE_BYTES),
      roomPageCount,
    );
    try {
      if (pageCountMin > roomPageCount) throw new RangeError('4 GiB are used up');
      this.memory.grow(pageCount);
    } catch (cause) {
      throw new LimitError(
        `the head needs more than ${this.sizeBytes} bytes of memory and cannot get them; ` +
          'lower --storage.tsdb.head-memory-limit or the number of series',
        'storage.tsdb.head-memory-limit',
        { cause },
      );
    }
    this.refresh();
  }
}
