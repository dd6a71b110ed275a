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

/** Marks samples in [minMs, maxMs] of the head, in the log first. */
export function deleteFromHead(
  head: Head,
  reader: HeadReader,
  log: HeadLog | null,
  matchers: readonly Matcher[],
  minMs: number,
  maxMs: number,
): void {
  const query = reader.query();
  const rows: TombstoneRow[] = [];
  try {
    const fromMs = Math.max(minMs, reader.minMs);
    const toMs = Math.min(maxMs, reader.maxMs);
    if (fromMs > toMs) return;
    const hints = { minMs: fromMs, maxMs: toMs, labelsOnly: true };
    const selected = query.select(matchers, fromMs, toMs, hints);
    for (let row = 0; row < selected.labels.length; row++) {
      // Samples that come later are not meant.
      const { minMs: seriesMinMs, maxMs: seriesMaxMs } = selected.timesOf(row);
      rows.push({
        ref: selected.refOf(row),
        minMs: Math.max(fromMs, seriesMinMs),
        maxMs: Math.min(toMs, seriesMaxMs),
      });
    }
  } finally {
    query.close();
  }
  if (rows.length === 0) return;
  log?.logTombstones(rows);
  const { heap, allocator, retired, isolation } = head;
  for (const { ref, minMs: from, maxMs: to } of rows) {
    const record = findRecord(heap, ref);
    if (record === 0) continue;
    const owner = (record >>> 2) + Rec.DELETED;
    const intervals = addInterval(readDeletedRanges(heap, heap.u32[owner]!), from, to);
    isolation.change(record, () => {
      writeDeletedRanges(heap, allocator, retired, owner, intervals);
    });
  }
}
