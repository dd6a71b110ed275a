/** Bits going out, into a buffer that grows. For chunks whose samples have no bound on their size. */
import { bytesForBits, write64Bits, writeBits } from './bits.ts';
import { VARBIT_SIZE_BYTES_MAX, writeVarbitInt, writeVarbitUint } from './varbit.ts';
import { nextXorWindow, writeXor } from './xor.ts';

/** More than any single thing below takes. */
const STEP_SIZE_BYTES_MAX = Math.max(VARBIT_SIZE_BYTES_MAX, 10) + 7;

export class BitSink {
  bytes = new Uint8Array(1024);
  /** In bits. */
  position = 0;

  get sizeBytes(): number {
    return bytesForBits(this.position);
  }

  /** Room for one more thing. */
  reserve(): void {
    const end = (this.position >>> 3) + STEP_SIZE_BYTES_MAX;
    if (end <= this.bytes.length) return;
    const grown = new Uint8Array(this.bytes.length * 2);
    grown.set(this.bytes);
    this.bytes = grown;
  }

  putBits(value: number, count: number): void {
    this.reserve();
    this.position = writeBits(this.bytes, this.position, value, count);
  }

  put64Bits(high: number, low: number): void {
    this.reserve();
    this.position = write64Bits(this.bytes, this.position, high, low);
  }

  putVarbitInt(value: number): void {
    this.reserve();
    this.position = writeVarbitInt(this.bytes, this.position, value);
  }

  putVarbitUint(value: number): void {
    this.reserve();
    this.position = writeVarbitUint(this.bytes, this.position, value);
  }

  /** A xor as in XOR chunks; returns the window to pass with the next one. */
  putXor(high: number, low: number, window: number): number {
    this.reserve();
    const next = (high | low) === 0 ? window : nextXorWindow(window, high, low);
    this.position = writeXor(this.bytes, this.position, high, low, window, next);
    return next;
  }
}
