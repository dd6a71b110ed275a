/**
 * Series that ended (their newest sample is a staleness marker) leave the head before their time:
 * what it holds of them goes into blocks, one per block range, that say that they are partial. Should
 * one go on meanwhile it stays; the block has a part of it twice then, which reading merges.
 *
 * Source: Prometheus configuration, `stale_series_compaction_threshold`.
 */
import type { Head } from '../head/head.ts';
import * as Rec from '../head/series-record.ts';
import { findRecord, forEachRecord } from '../head/series-table.ts';

/** How long before the head is cut anyway the stale ones wait for it, as a part of the block range. */
const SOON_PART = 0.1;

/** Stale series, and when each was seen last. */
export type StaleSeries = { readonly refs: Uint32Array; readonly lastMs: Float64Array };

/** Whether so many series are stale that it pays. */
export function isStaleCompactionDue(head: Head, threshold: number, minBlockMs: number): boolean {
  const seriesCount = head.series.count;
  if (threshold <= 0 || seriesCount === 0) return false;
  if (head.writer.staleCount === 0 || head.writer.staleCount / seriesCount < threshold)
    return false;
  return head.maxMs - head.minMs <= minBlockMs * (1.5 - SOON_PART);
}

/**
 * Those with late samples are left alone: these have a way of their own. So are those of which late
 * samples might come yet, because a series that was dropped does not know any more what is late.
 */
export function findStaleSeries(head: Head): StaleSeries {
  const refs: number[] = [];
  const lastMs: number[] = [];
  const window = head.outOfOrderWindowMs;
  const lastMaxMs = window > 0 ? head.maxMs - window - 1 : head.maxMs;
  forEachRecord(head.heap, (record, ref) => {
    const timestampMs = head.heap.f64[(record >>> 3) + Rec.MAX_TIME]!;
    if (timestampMs > lastMaxMs || !isStale(head, record)) return;
    refs.push(ref);
    lastMs.push(timestampMs);
  });
  return { refs: Uint32Array.from(refs), lastMs: Float64Array.from(lastMs) };
}

/** Whether nothing has happened to the series at `index` since. */
export function isStillStale(head: Head, { refs, lastMs }: StaleSeries, index: number): boolean {
  const record = findRecord(head.heap, refs[index]!);
  if (record === 0 || !isStale(head, record)) return false;
  return head.heap.f64[(record >>> 3) + Rec.MAX_TIME] === lastMs[index];
}

function isStale(head: Head, record: number): boolean {
  const { u32 } = head.heap;
  const word = record >>> 2;
  if ((u32[word + Rec.WINDOW]! & Rec.FLAG_STALE) === 0) return false;
  return u32[word + Rec.OUT_OF_ORDER] === 0 && !head.isPending(record);
}
