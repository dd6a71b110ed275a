/**
 * A query sees all of a commit or nothing of it, while one thread writes and others read.
 *
 * *Which samples.* Commits are numbered; a query takes the number of the newest finished one when
 * it opens (readers.ts) and must not see samples of later commits. Samples of a series arrive in
 * time order, so a series remembers, as a "mark", the id of the newest commit that touched it and
 * its newest timestamp before: a query from before that commit cuts there. When the mark is
 * replaced while an open query still needs it, the old one is kept behind it in a block:
 *
 *   word 0  commit id      word 1  address of an older mark, or 0      byte 8  f64, max time before
 *
 * *Which bytes.* While the writer changes a record, its sequence is odd; a reader that finds it odd,
 * or changed after copying, tries again. To do without a memory barrier per sample the writer
 * opens a few hundred records, then changes them, then closes them, with one barrier in between.
 */
import type { Allocator } from '../memory/allocator.ts';
import { isNewer, Word } from '../memory/control-block.ts';
import type { Heap } from '../memory/heap.ts';
import { openSnapshots, READER_SLOT_COUNT } from '../memory/readers.ts';
import type { Retired } from '../memory/retired.ts';
import * as Rec from './series-record.ts';

const MARK_SIZE_BYTES = 16;

/** How many records are open for change at a time, at most. */
export const CHANGE_BATCH = 256;

/** The writer's side. */
export class Isolation {
  readonly #heap: Heap;
  readonly #allocator: Allocator;
  readonly #retired: Retired;
  readonly #snapshots = new Uint32Array(READER_SLOT_COUNT);
  #snapshotCount = 0;
  /** Id of the commit that is under way, or of the next one. */
  #commitId: number;

  constructor(heap: Heap, allocator: Allocator, retired: Retired) {
    this.#heap = heap;
    this.#allocator = allocator;
    this.#retired = retired;
    this.#commitId = (heap.u32[Word.CommitId]! + 1) >>> 0;
  }

  /** Id of the commit that is under way. */
  get pendingId(): number {
    return this.#commitId;
  }

  /** Before the first record of a commit is changed. */
  begin(): void {
    this.#snapshotCount = openSnapshots(this.#heap, this.#snapshots);
  }

  /** From here on new queries see what was changed since `begin`. */
  publish(): void {
    Atomics.store(this.#heap.u32, Word.CommitId, this.#commitId);
    this.#commitId = (this.#commitId + 1) >>> 0;
  }

  /** The oldest commit that an open query stands on. */
  lowWatermark(): number {
    const count = openSnapshots(this.#heap, this.#snapshots);
    let low = this.#heap.u32[Word.CommitId]!;
    for (let i = 0; i < count; i++)
      if (isNewer(low, this.#snapshots[i]!)) low = this.#snapshots[i]!;
    return low;
  }

  /** Opens the records `records[first, last)` for change; a record may occur more than once. */
  open(records: Uint32Array, first: number, last: number): void {
    const { u32 } = this.#heap;
    for (let i = first; i < last; i++) u32[records[i]! >>> 2]! |= 1;
    Atomics.add(u32, Word.Fence, 1);
  }

  /** Closes them. */
  close(records: Uint32Array, first: number, last: number): void {
    const { u32 } = this.#heap;
    Atomics.add(u32, Word.Fence, 1);
    for (let i = first; i < last; i++) {
      const word = records[i]! >>> 2;
      const sequence = u32[word]!;
      if ((sequence & 1) === 1) u32[word] = sequence + 1;
    }
  }

  /** Changes one record, outside of a batch. */
  change(record: number, change: () => void): void {
    const { u32 } = this.#heap;
    const word = record >>> 2;
    Atomics.add(u32, word, 1);
    try {
      change();
    } finally {
      Atomics.add(u32, word, 1);
    }
  }

  /** `mark` for each of `records[first, last)`. */
  markAll(records: Uint32Array, first: number, last: number): void {
    const { u32, f64 } = this.#heap;
    const hasSnapshots = this.#snapshotCount > 0;
    for (let i = first; i < last; i++) {
      const word = records[i]! >>> 2;
      if (hasSnapshots || u32[word + Rec.MARK_OLDER] !== 0) {
        this.mark(records[i]!);
      } else if (u32[word + Rec.MARK_COMMIT] !== this.#commitId) {
        u32[word + Rec.MARK_COMMIT] = this.#commitId;
        f64[(word >>> 1) + Rec.MARK_TIME] = f64[(word >>> 1) + Rec.MAX_TIME]!;
      }
    }
  }

  /** Remembers how the series was before this commit. Call before its first sample is added. */
  mark(record: number): void {
    const { u32, f64 } = this.#heap;
    const word = record >>> 2;
    const oldCommit = u32[word + Rec.MARK_COMMIT]!;
    if (oldCommit === this.#commitId) return;
    const older = u32[word + Rec.MARK_OLDER]!;
    if (this.#snapshotCount > 0 || older !== 0) this.#keepOlder(record, oldCommit, older);
    u32[word + Rec.MARK_COMMIT] = this.#commitId;
    f64[(record >>> 3) + Rec.MARK_TIME] = f64[(record >>> 3) + Rec.MAX_TIME]!;
  }

  /** Gives back the older marks of a series that goes away. */
  drop(record: number): void {
    this.#retireMarks(this.#heap.u32[(record >>> 2) + Rec.MARK_OLDER]!);
  }

  /** Puts the current mark behind the record when an open query needs it; drops unneeded ones. */
  #keepOlder(record: number, oldCommit: number, older: number): void {
    const time = this.#heap.f64[(record >>> 3) + Rec.MARK_TIME]!;
    let kept = this.#pruned(older);
    const keptCommit = kept === 0 ? 0 : this.#heap.u32[kept >>> 2]!;
    if (this.#isNeeded(oldCommit, kept !== 0, keptCommit)) {
      kept = this.#createMark(oldCommit, kept, time);
    }
    this.#heap.u32[(record >>> 2) + Rec.MARK_OLDER] = kept;
  }

  /** The chain without the marks that no open query needs; made anew where it changes. */
  #pruned(mark: number): number {
    if (mark === 0) return 0;
    const { u32, f64 } = this.#heap;
    const commit = u32[mark >>> 2]!;
    const older = u32[(mark >>> 2) + 1]!;
    const time = f64[(mark >>> 3) + 1]!;
    const kept = this.#pruned(older);
    const keptCommit = kept === 0 ? 0 : u32[kept >>> 2]!;
    const isNeeded = this.#isNeeded(commit, kept !== 0, keptCommit);
    if (isNeeded && kept === older) return mark;
    this.#retired.add(mark, MARK_SIZE_BYTES);
    return isNeeded ? this.#createMark(commit, kept, time) : kept;
  }

  /** Whether an open query is from before `commit` and not served by the next older mark. */
  #isNeeded(commit: number, hasOlder: boolean, olderCommit: number): boolean {
    for (let i = 0; i < this.#snapshotCount; i++) {
      const snapshot = this.#snapshots[i]!;
      if (isNewer(commit, snapshot) && !(hasOlder && isNewer(olderCommit, snapshot))) return true;
    }
    return false;
  }

  #createMark(commit: number, older: number, time: number): number {
    const mark = this.#allocator.allocate(MARK_SIZE_BYTES);
    const { u32, f64 } = this.#heap;
    u32[mark >>> 2] = commit;
    u32[(mark >>> 2) + 1] = older;
    f64[(mark >>> 3) + 1] = time;
    return mark;
  }

  #retireMarks(mark: number): void {
    while (mark !== 0) {
      const older = this.#heap.u32[(mark >>> 2) + 1]!;
      this.#retired.add(mark, MARK_SIZE_BYTES);
      mark = older;
    }
  }
}

/**
 * The newest timestamp of a series that a query with this snapshot may see; Infinity when it may
 * see all. For readers; the answer counts only when the record's sequence has not changed.
 */
export function visibleUntilMs(heap: Heap, record: number, snapshot: number): number {
  const { u32, f64 } = heap;
  const word = record >>> 2;
  if (!isNewer(u32[word + Rec.MARK_COMMIT]!, snapshot)) return Infinity;
  let timeMs = f64[(record >>> 3) + Rec.MARK_TIME]!;
  let mark = u32[word + Rec.MARK_OLDER]!;
  while (mark !== 0) {
    heap.cover(mark + MARK_SIZE_BYTES);
    // Only in a race with the writer can this lead anywhere but to an older mark.
    if (!isNewer(heap.u32[mark >>> 2]!, snapshot)) break;
    timeMs = heap.f64[(mark >>> 3) + 1]!;
    mark = heap.u32[(mark >>> 2) + 1]!;
  }
  return timeMs;
}
