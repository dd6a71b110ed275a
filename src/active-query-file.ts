/**
 * The file that tells, after a crash, which queries were under way.
 *
 *   queries.active
 *   ┌─────┬──────────────┬──────────────┬───
 *   │ '[' │ slot 0       │ slot 1       │ …      a slot for each query that may run at once
 *   │ u8  │ 1000 bytes   │ 1000 bytes   │
 *   └─────┴──────────────┴──────────────┴───
 *   slot   {"query":"up","timestamp_sec":1700000000},   and zeros behind; zeros alone when free
 *
 * It is written, never flushed: the system keeps what a dead process has written. Prometheus writes
 * the same file, so each tells what the other was doing when it died.
 * Source: files that Prometheus 3.14 left behind when it was killed.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { type Logger, messageOf } from '../model/index.ts';

export const SLOT_SIZE_BYTES = 1000;
const OPENING = Buffer.from('[');
const EMPTY_SLOT = Buffer.alloc(SLOT_SIZE_BYTES);

export class ActiveQueryFile {
  readonly #descriptor: number;
  readonly #isTaken: boolean[];

  private constructor(descriptor: number, slotCount: number) {
    this.#descriptor = descriptor;
    this.#isTaken = new Array<boolean>(slotCount).fill(false);
  }

  /**
   * Starts over with an empty file.
   * @returns what the last process left behind as JSON text; empty when it left nothing
   * @throws Error when the file cannot be written
   */
  static open(file: string, slotCount: number): { opened: ActiveQueryFile; unfinished: string } {
    const unfinished = readUnfinished(file);
    const descriptor = openSync(file, 'w');
    writeSync(descriptor, OPENING, 0, OPENING.length, 0);
    for (let slot = 0; slot < slotCount; slot++) writeSlot(descriptor, slot, EMPTY_SLOT);
    return { opened: new ActiveQueryFile(descriptor, slotCount), unfinished };
  }

  /** Returns the slot it took; -1 when none is free or the disk does not want it. */
  add(query: string, startedMs: number): number {
    const slot = this.#isTaken.indexOf(false);
    if (slot < 0) return -1;
    try {
      writeSlot(this.#descriptor, slot, encodeSlot(query, startedMs));
    } catch {
      // A full disk must not fail the query.
      return -1;
    }
    this.#isTaken[slot] = true;
    return slot;
  }

  remove(slot: number): void {
    this.#isTaken[slot] = false;
    try {
      writeSlot(this.#descriptor, slot, EMPTY_SLOT);
    } catch {
      // What stays behind names a query that was not to blame; that is all.
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Logs what was under way when the last process ended. Null, and a warning, if it cannot be used. */
export function openActiveQueryFile(
  directory: string,
  slotCount: number,
  logger: Logger,
): ActiveQueryFile | null {
  const component = 'active queries';
  const file = path.join(directory, 'queries.active');
  try {
    const { opened, unfinished } = ActiveQueryFile.open(file, slotCount);
    if (unfinished !== '') {
      logger.info("These queries didn't finish in the last run:", {
        component,
        queries: unfinished,
      });
    }
    return opened;
  } catch (error) {
    logger.warn('Active queries will not be known after a crash', {
      component,
      file,
      err: messageOf(error),
    });
    return null;
  }
}

function writeSlot(descriptor: number, slot: number, bytes: Buffer): void {
  writeSync(descriptor, bytes, 0, SLOT_SIZE_BYTES, OPENING.length + slot * SLOT_SIZE_BYTES);
}

/** A long query loses its end. */
function encodeSlot(query: string, startedMs: number): Buffer {
  const slot = Buffer.alloc(SLOT_SIZE_BYTES);
  for (let shown = query.slice(0, SLOT_SIZE_BYTES); ; shown = shown.slice(0, -20)) {
    const entry = { query: shown.toWellFormed(), timestamp_sec: Math.floor(startedMs / 1000) };
    const text = `${JSON.stringify(entry)},`;
    if (Buffer.byteLength(text) > SLOT_SIZE_BYTES) continue;
    slot.write(text);
    return slot;
  }
}

function readUnfinished(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replaceAll('\0', '');
  } catch {
    return '';
  }
  const entries = text.replace(/^\[/, '').replace(/,$/, '');
  return entries === '' ? '' : `[${entries}]`;
}
