/**
 * Start timestamps inside a chunk, the same way in all encodings that have them: a header byte, and
 * behind the payload of a sample, if it is there, how far the start lies before.
 *
 *   header  bit 7     sample 0 has one:            varint      time 0 - start 0
 *           bits 0-6  from this sample on all do:  varbit int  d = time before - start, as difference
 *                     to the d of the sample before; the first one to itself. 0: none has.
 *
 * A sample without one has that of sample 0: the first change is what `from this sample on` marks.
 * Since the mark has seven bits, sample 127 and all behind it have one in any case, even if it is the
 * start of 0, which says that it is not known.
 * Source: Prometheus "Chunks Disk Format", XOR2 and histogram ST; what the differences refer to was
 * worked out from chunks that 3.14 wrote and its answers about them.
 */
import { writeVarint } from '../../model/index.ts';
import type { BitCursor } from './bit-cursor.ts';
import { writeBits } from './bits.ts';
import { takeVarbitInt, writeVarbitInt } from './varbit.ts';

const FIRST_KNOWN_FLAG = 0x80;
const CHANGED_ON_MASK = 0x7f;
/** The last sample that the mark can name. */
const CHANGED_ON_MAX = 127;

/** Follows the start timestamps of a chunk that is being read. */
export class StartTimeReader {
  /** That of the current sample; 0 when unknown. */
  startMs = 0;
  #isFirstKnown = false;
  #changedOn = 0;
  #difference = 0;

  /** Returns whether there are any. */
  reset(header: number): boolean {
    this.startMs = 0;
    this.#isFirstKnown = (header & FIRST_KNOWN_FLAG) !== 0;
    this.#changedOn = header & CHANGED_ON_MASK;
    this.#difference = 0;
    return header !== 0;
  }

  takeFirst(cursor: BitCursor, timestampMs: number): void {
    if (this.#isFirstKnown) this.startMs = timestampMs - cursor.takeVarint();
  }

  /** Reads what sample `index` ≥ 1 has; `previousMs` is the time of the sample before. */
  take(cursor: BitCursor, index: number, previousMs: number): void {
    if (this.#changedOn === 0 || index < this.#changedOn) return;
    this.#difference += takeVarbitInt(cursor);
    this.startMs = previousMs - this.#difference;
  }
}

/** The same while writing; `header` is to be stored after every sample. */
export class StartTimeWriter {
  header = 0;
  #startMs = 0;
  #difference = 0;

  /** What `resume` needs besides the header. */
  get startMs(): number {
    return this.#startMs;
  }
  get difference(): number {
    return this.#difference;
  }

  reset(): void {
    this.resume(0, 0, 0);
  }

  resume(header: number, startMs: number, difference: number): void {
    this.header = header;
    this.#startMs = startMs;
    this.#difference = difference;
  }

  /** Returns the bit position behind what was written. */
  putFirst(bytes: Uint8Array, position: number, timestampMs: number, startMs: number): number {
    if (startMs === 0) return position;
    this.header = FIRST_KNOWN_FLAG;
    this.#startMs = startMs;
    const scratch = new Uint8Array(10);
    const size = writeVarint(scratch, 0, timestampMs - startMs);
    for (let i = 0; i < size; i++) position = writeBits(bytes, position, scratch[i]!, 8);
    return position;
  }

  put(
    bytes: Uint8Array,
    position: number,
    index: number,
    previousMs: number,
    startMs: number,
  ): number {
    if ((this.header & CHANGED_ON_MASK) === 0) {
      if (startMs === this.#startMs && index < CHANGED_ON_MAX) return position;
      this.header |= index;
    }
    const difference = previousMs - startMs;
    position = writeVarbitInt(bytes, position, difference - this.#difference);
    this.#startMs = startMs;
    this.#difference = difference;
    return position;
  }
}
