/**
 * When a group is evaluated: every interval, at an offset that follows from its name, so that groups
 * spread over the interval and keep their moments over restarts.
 */
import { createHash } from 'node:crypto';

/** In [0, intervalMs). */
export function groupOffsetMs(file: string, name: string, intervalMs: number): number {
  const hash = createHash('sha256').update(`${file}\0${name}`).digest();
  return Math.floor((hash.readUInt32LE(0) / 2 ** 32) * intervalMs);
}

/** The last moment of the group at or before `nowMs`. */
export function slotBefore(nowMs: number, intervalMs: number, offsetMs: number): number {
  return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
}

/**
 * What comes after an evaluation of the slot `slotMs` that ended at `nowMs`. When later slots have
 * begun meanwhile, the last of them is evaluated at once and the others are missed.
 */
export function nextSlot(
  slotMs: number,
  nowMs: number,
  intervalMs: number,
): { readonly slotMs: number; readonly missed: number } {
  const late = Math.max(1, Math.floor((nowMs - slotMs) / intervalMs));
  return { slotMs: slotMs + late * intervalMs, missed: late - 1 };
}
