/**
 * Calls functions at their times: one heap and, as a rule, one sleeping timer for any number of
 * scrape loops.
 *
 * The heap is a binary tree in an array: the parent of i is (i - 1) / 2, and no parent is due later
 * than its children.
 */
import { CanceledError, type Clock } from '../model/index.ts';

export type Appointment = {
  /** By the clock's `monotonicMs`. */
  readonly dueMs: number;
  readonly run: () => void;
  canceled: boolean;
};

export class Scheduler {
  readonly #clock: Clock;
  readonly #heap: Appointment[] = [];
  readonly #stop = new AbortController();
  /** When the sleep that counts ends; Infinity while there is none. */
  #wakeMs = Infinity;
  /** Number of the sleep that counts: an earlier appointment starts another one. */
  #sleep = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `run` when `monotonicMs` reaches `dueMs`, at once if it has passed, never within `at`. */
  at(dueMs: number, run: () => void): Appointment {
    const appointment = { dueMs, run, canceled: false };
    this.#push(appointment);
    if (dueMs < this.#wakeMs) void this.#sleepUntil(dueMs);
    return appointment;
  }

  stop(): void {
    this.#heap.length = 0;
    this.#stop.abort();
  }

  async #sleepUntil(wakeMs: number): Promise<void> {
    this.#wakeMs = wakeMs;
    const sleep = ++this.#sleep;
    try {
      await this.#clock.sleep(Math.max(0, wakeMs - this.#clock.monotonicMs()), this.#stop.signal);
    } catch (error) {
      if (error instanceof CanceledError) return;
      throw error;
    }
    if (sleep !== this.#sleep) return;
    this.#wakeMs = Infinity;
    this.#runDue();
    const next = this.#heap[0];
    if (next !== undefined && next.dueMs < this.#wakeMs) void this.#sleepUntil(next.dueMs);
  }

  #runDue(): void {
    const nowMs = this.#clock.monotonicMs();
    for (;;) {
      const first = this.#heap[0];
      // Timers may fire a fraction of a millisecond early.
      if (first === undefined || first.dueMs > nowMs + 0.5) return;
      this.#pop();
      if (!first.canceled) first.run();
    }
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(appointment);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.dueMs <= appointment.dueMs) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = appointment;
  }

  #pop(): void {
    const heap = this.#heap;
    const moved = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.dueMs < heap[child]!.dueMs) child++;
      if (heap[child]!.dueMs >= moved.dueMs) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = moved;
  }
}
