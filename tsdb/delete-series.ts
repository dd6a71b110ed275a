/**
 * Deletes samples by marking them: tombstones in blocks, deleted ranges (and a log record) in the
 * head. They are gone from queries at once and from the disk with the next compaction.
 */
import type { Matcher } from '../model/index.ts';
import type { Block } from './block/block.ts';
import { addInterval } from './chunk/intervals.ts';
import { readDeletedRanges, writeDeletedRanges } from './head/deleted-ranges.ts';
import type { Head } from './head/head.ts';
import type { HeadLog } from './head/head-log.ts';
import type { HeadReader } from './head/head-reader.ts';
import * as Rec from './head/series-record.ts';
import { findRecord } from './head/series-table.ts';
import { SeriesEntry } from './index-file/series-entry.ts';
import { matchPostings } from './query/match-postings.ts';
import type { TombstoneRow } from './record/tombstones.ts';

/** Further than any sample, and exact as a number. */
const TIME_LIMIT_MS = 2 ** 52;

/** Marks samples in [minMs, maxMs] of a block; true when there were any. */
export function deleteFromBlock(
  block: Block,
  matchers: readonly Matcher[],
  minMs: number,
  maxMs: number,
): boolean {
  const entry = new SeriesEntry();
  const tombstones = block.tombstones.copy();
  let isChanged = false;
  for (const ref of matchPostings(block.index, matchers)) {
    block.index.readSeries(ref, entry);
    const { chunkCount, chunkMinMs, chunkMaxMs } = entry;
    let isHit = false;
    for (let i = 0; i < chunkCount; i++) {
      isHit ||= chunkMinMs[i]! <= maxMs && chunkMaxMs[i]! >= minMs;
    }
    if (!isHit) continue;
    // No further than there are samples.
    const fromMs = Math.max(minMs, chunkMinMs[0]!);
    const toMs = Math.min(maxMs, chunkMaxMs[chunkCount - 1]!);
    tombstones.add(ref, fromMs, toMs);
    isChanged = true;
  }
  if (isChanged) block.setTombstones(tombstones);
  return isChanged;
}

/**
 * Marks samples in [minMs, maxMs] of the head, in the log first. What the log says goes further back
 * than the head: files that were emptied or removed a moment ago may be there again after a crash,
 * with samples that only blocks were asked to delete.
 */
export function deleteFromHead(
  head: Head,
  reader: HeadReader,
  log: HeadLog | null,
  matchers: readonly Matcher[],
  minMs: number,
  maxMs: number,
): void {
  const query = reader.query();
  const logged: TombstoneRow[] = [];
  const applied: TombstoneRow[] = [];
  const fromMs = Math.max(minMs, -TIME_LIMIT_MS);
  try {
    const all = { minMs: -Infinity, maxMs: Infinity, labelsOnly: true };
    const selected = query.select(matchers, all.minMs, all.maxMs, all);
    for (let row = 0; row < selected.labels.length; row++) {
      const ref = selected.refOf(row);
      const { minMs: seriesMinMs, maxMs: seriesMaxMs } = selected.timesOf(row);
      // Samples that come later are not meant.
      const toMs = Math.min(maxMs, seriesMaxMs);
      if (fromMs > toMs) continue;
      logged.push({ ref, minMs: fromMs, maxMs: toMs });
      if (seriesMinMs <= toMs) {
        applied.push({ ref, minMs: Math.max(fromMs, seriesMinMs), maxMs: toMs });
      }
    }
  } finally {
    query.close();
  }
  if (logged.length === 0) return;
  log?.logTombstones(logged);
  const { heap, allocator, retired, isolation } = head;
  for (const { ref, minMs: from, maxMs: to } of applied) {
    const record = findRecord(heap, ref);
    if (record === 0) continue;
    const owner = (record >>> 2) + Rec.DELETED;
    const intervals = addInterval(readDeletedRanges(heap, heap.u32[owner]!), from, to);
    isolation.change(record, () => {
      writeDeletedRanges(heap, allocator, retired, owner, intervals);
    });
  }
}
