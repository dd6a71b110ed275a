/**
 * Hands the samples of one scrape to storage and learns from what became of each: some are refused,
 * and series that storage has dropped meanwhile get new references.
 */
import {
  AppendOutcome,
  type Appender,
  type Histogram,
  type Labels,
  NO_SERIES,
  type SeriesRef,
} from '../model/index.ts';
import type { SeriesCache } from './series-cache.ts';
import type { StagedHistogram, Staging } from './staging.ts';
import type { StartSynthesis } from './start-synthesis.ts';

/** The samples' own series, such as `up`: entry numbers from here downwards. */
export const REPORT_ENTRY = -2;

/** What a scrape came to; the reasons for samples that were not stored are counted apart. */
export type ScrapeTally = {
  samplesScraped: number;
  samplesKept: number;
  seriesAdded: number;
  duplicates: number;
  outOfOrder: number;
  outOfBounds: number;
  exemplarsOutOfOrder: number;
  /** How often (0 or 1) the cache had to be cleared although the scrape failed. */
  cacheFlushesForced: number;
};

export function newTally(): ScrapeTally {
  return {
    samplesScraped: 0,
    samplesKept: 0,
    seriesAdded: 0,
    duplicates: 0,
    outOfOrder: 0,
    outOfBounds: 0,
    exemplarsOutOfOrder: 0,
    cacheFlushesForced: 0,
  };
}

/** Labels and references of the scrape's own series, by their number. */
export type ReportSource = {
  readonly refs: Float64Array;
  labels(index: number): Labels;
};

/** A scrape that is ready to be stored. */
export type StagedScrape = {
  readonly appender: Appender;
  readonly staging: Staging;
  readonly cache: SeriesCache;
  readonly synthesis: StartSynthesis | null;
  readonly tally: ScrapeTally;
  /** Number of the scrape. */
  readonly scrape: number;
  readonly timestampMs: number;
  /** Entries from here on were made by this scrape. */
  readonly firstNewEntry: number;
  /** Staged samples from here on are staleness markers, but for those of the report. */
  readonly staleFrom: number;
  /** Entries of native histograms that have ended. */
  readonly staleHistograms: readonly number[];
  /** Null when metric relabelling drops the series now. */
  readonly labelsOf: (entry: number) => Labels | null;
  readonly report: ReportSource;
};

export const STALE_HISTOGRAM: Histogram = {
  kind: 'integer',
  hint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 0,
  sum: NaN,
  positiveSpans: [],
  negativeSpans: [],
  positiveDeltas: [],
  negativeDeltas: [],
  customBounds: [],
  stale: true,
};

export function appendStaged(scrape: StagedScrape): void {
  const { staging, appender, cache, tally } = scrape;
  if (staging.count > 0 && appender.appendSamples(staging, staging.outcomes) > 0) settle(scrape);
  for (const staged of staging.histograms) appendHistogram(scrape, staged);
  for (const entry of scrape.staleHistograms) {
    appender.appendHistogram(refOf(cache, entry), scrape.timestampMs, STALE_HISTOGRAM);
  }
  for (const { entry, exemplar } of staging.exemplars) {
    if (!appender.appendExemplar(refOf(cache, entry), exemplar)) tally.exemplarsOutOfOrder++;
  }
  for (const { entry, metadata } of staging.metadata) {
    appender.updateMetadata(refOf(cache, entry), metadata);
  }
}

/** Looks at each sample that storage did not take. */
function settle(scrape: StagedScrape): void {
  const { staging, cache, tally, firstNewEntry, staleFrom } = scrape;
  const { outcomes, entries, count } = staging;
  const unknown: number[] = [];
  for (let i = 0; i < count; i++) {
    const outcome = outcomes[i]! as AppendOutcome;
    if (outcome === AppendOutcome.Ok) continue;
    const entry = entries[i]!;
    const isStale = i >= staleFrom && entry > REPORT_ENTRY;
    if (outcome === AppendOutcome.UnknownSeries) {
      // What storage has dropped needs no end.
      if (!isStale) unknown.push(i);
      continue;
    }
    if (isStale) continue;
    countOutcome(tally, outcome);
    scrape.synthesis?.forget(entry);
    if (entry >= firstNewEntry && cache.seen[entry] === scrape.scrape) {
      // Nothing of the new series was stored: next time it is as new as today.
      cache.seen[entry] = 0;
      tally.seriesAdded--;
    }
  }
  if (unknown.length > 0) appendAgain(scrape, unknown);
}

/** Storage has dropped series that it did not hear of for long: they get new references. */
function appendAgain(scrape: StagedScrape, indexes: readonly number[]): void {
  const { staging, cache, appender, tally, report } = scrape;
  let kept = 0;
  for (const index of indexes) {
    const entry = staging.entries[index]!;
    const reportIndex = REPORT_ENTRY - entry;
    const isReport = reportIndex >= 0;
    const labels = isReport ? report.labels(reportIndex) : scrape.labelsOf(entry);
    const ref = labels === null ? NO_SERIES : appender.series(labels);
    if (ref === NO_SERIES) continue;
    if (isReport) report.refs[reportIndex] = ref;
    else cache.refs[entry] = ref;
    // The indexes ascend, so nothing is overwritten that is still to be read.
    staging.move(index, kept);
    staging.refs[kept++] = ref;
  }
  staging.count = kept;
  if (kept === 0 || appender.appendSamples(staging, staging.outcomes) === 0) return;
  for (let i = 0; i < kept; i++) countOutcome(tally, staging.outcomes[i]! as AppendOutcome);
}

function appendHistogram(
  { cache, appender, tally, labelsOf, synthesis }: StagedScrape,
  { entry, timestampMs, histogram, startMs }: StagedHistogram,
): void {
  let outcome = appender.appendHistogram(refOf(cache, entry), timestampMs, histogram, startMs);
  if (outcome === AppendOutcome.UnknownSeries) {
    const labels = labelsOf(entry);
    const ref = labels === null ? NO_SERIES : appender.series(labels);
    if (ref === NO_SERIES) return;
    cache.refs[entry] = ref;
    outcome = appender.appendHistogram(ref, timestampMs, histogram, startMs);
  }
  countOutcome(tally, outcome);
  if (outcome !== AppendOutcome.Ok) synthesis?.forget(entry);
}

function refOf(cache: SeriesCache, entry: number): SeriesRef {
  return cache.refs[entry]! as SeriesRef;
}

function countOutcome(tally: ScrapeTally, outcome: AppendOutcome): void {
  if (outcome === AppendOutcome.OutOfOrder) tally.outOfOrder++;
  else if (outcome === AppendOutcome.DuplicateTimestamp) tally.duplicates++;
  else if (outcome === AppendOutcome.OutOfBounds || outcome === AppendOutcome.TooOld) {
    tally.outOfBounds++;
  }
}
