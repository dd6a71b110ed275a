/**
 * The series of one target: what they were at the last scrape, what the running scrape brings, and
 * what therefore has ended.
 *
 * One scrape runs `begin`, then a format's reader (`text-ingest.ts`, `protobuf-ingest.ts`), then
 * `finish` or, when the scrape failed, `abandon`, and at last `append`. Nothing of a scrape is
 * handed to storage before `append`, so a body that breaks off in the middle leaves nothing behind.
 */
import {
  type Appender,
  type Exemplar,
  type FloatHistogram,
  type Histogram,
  type MetricMetadata,
  NO_SERIES,
  type SeriesRef,
} from '../model/index.ts';
import {
  appendStaged,
  newTally,
  type ReportSource,
  type ScrapeTally,
  STALE_HISTOGRAM,
} from './append-staged.ts';
import { CreatedLines } from './created-lines.ts';
import { SampleLimitError } from './exposition/exposition-error.ts';
import type { RawLabels } from './exposition/series-text.ts';
import type { SeriesOptions } from './series-options.ts';
import { EntryFlag, NO_ENTRY, SeriesCache } from './series-cache.ts';
import type { Staging } from './staging.ts';
import { StartSynthesis } from './start-synthesis.ts';

/** An open series that has no entry. */
type Orphan = { readonly ref: number; readonly isHistogram: boolean };

/** How a cached text is to be understood. */
export type CacheFormat = 'text' | 'openmetrics' | 'protobuf';

/** Finds the labels of an entry again; belongs to the format that made the entry. */
export type EntryReader = { rawLabelsOf(series: TargetSeries, entry: number): RawLabels };

/** Never the number of a scrape that found something. */
const NEVER = 0;
/** Entries whose series exists and whose absence is told to storage. */
const NOT_TRACKED = EntryFlag.Comment | EntryFlag.Dropped | EntryFlag.OwnTime | EntryFlag.Refused;
/** A refused series asks again once in so many scrapes. */
const REFUSED_RETRY_SCRAPES = 8;
/** The cache is cleared of what was not seen when it is twice as large as a scrape and this. */
const DEAD_ENTRIES_MIN = 200;
/** Samples may lie so far in the future. */
const AHEAD_MAX_MS = 10 * 60 * 1000;
/** The same while scrapes fail, and so do not tell what is in use. */
const DEAD_ENTRIES_FAILED_MIN = 1000;

export class TargetSeries {
  readonly options: SeriesOptions;
  readonly cache = new SeriesCache();

  /** Number of the running scrape; counts up from 1. */
  scrape = NEVER;
  /** Number of the scrape whose series are open in storage; NEVER when all have been ended. */
  previous = NEVER;
  /** Number of the last scrape that succeeded. */
  #lastGood = NEVER;
  /** Tracked series that `previous` had. */
  #openCount = 0;

  // Of the running scrape. The readers keep some of it in locals and write it back.
  appender!: Appender;
  staging!: Staging;
  timestampMs = 0;
  tally: ScrapeTally = newTally();
  /** The entry of the line before; NO_ENTRY at the beginning. */
  last = NO_ENTRY;
  /** The entry that a scrape began with. */
  #first = NO_ENTRY;
  /** Lines read, to tell how much of the cache is in use. */
  lineCount = 0;
  #goodLineCount = 0;
  #grewBefore = false;
  /** Tracked series that were seen, and how many of them `previous` had, too. */
  tracked = 0;
  kept = 0;
  #countAtBegin = 0;
  /** Known entries that `previous` did not have. */
  #revived: number[] = [];
  /** Entries that `previous` had and that are tracked no longer. */
  #untracked: number[] = [];
  /** Where staleness markers begin among the staged samples. */
  #staleFrom = 0;
  #staleHistograms: number[] = [];
  /** Series of a cache in another format that was dropped. */
  #orphans: Orphan[] = [];
  #format: CacheFormat | null = null;
  #reader: EntryReader | null = null;
  /** Null where nobody wants to know when metrics began. */
  readonly created: CreatedLines | null;
  /** Null where starts are not made up. */
  readonly synthesis: StartSynthesis | null;
  /** Told when entries get other numbers. */
  onMove: ((moved: Int32Array) => void) | null = null;

  constructor(options: SeriesOptions) {
    this.options = options;
    this.created = options.readsStarts ? new CreatedLines() : null;
    this.synthesis = options.synthesizesStarts ? new StartSynthesis() : null;
  }

  begin(
    appender: Appender,
    staging: Staging,
    timestampMs: number,
    format: CacheFormat,
    reader: EntryReader,
  ): void {
    this.#start(appender, staging, timestampMs);
    if (this.#format !== null && this.#format !== format) this.#dropCache();
    this.#format = format;
    this.#reader = reader;
    this.#countAtBegin = this.cache.count;
  }

  /** Begins a scrape that brought no body. */
  beginWithoutBody(appender: Appender, staging: Staging, timestampMs: number): void {
    this.#start(appender, staging, timestampMs);
    this.#countAtBegin = this.cache.count;
  }

  /** Whether a scrape before left series open. */
  get hasPrevious(): boolean {
    return this.previous !== NEVER;
  }

  get format(): CacheFormat | null {
    return this.#format;
  }

  /** The entry that probably comes next. */
  get guess(): number {
    return this.last === NO_ENTRY ? this.#first : this.cache.next[this.last]!;
  }

  /** The entry with this text, or NO_ENTRY; the guess is tried first. */
  lookup(bytes: Uint8Array, start: number, end: number): number {
    const { guess } = this;
    if (guess !== NO_ENTRY && this.cache.isTextOf(guess, bytes, start, end)) return guess;
    return this.cache.find(bytes, start, end);
  }

  /**
   * The entry of a metadata line with this text. Targets that mix their metrics repeat such lines;
   * each place gets an entry of its own, or the lines behind it could not be guessed.
   */
  lookupLine(bytes: Uint8Array, start: number, end: number): number {
    const { guess, cache, scrape } = this;
    const isGuess = guess !== NO_ENTRY && cache.seen[guess] !== scrape;
    if (isGuess && cache.isTextOf(guess, bytes, start, end)) return guess;
    return cache.find(bytes, start, end, scrape);
  }

  /** Takes note that `entry` comes after the one before. */
  advanceTo(entry: number): void {
    this.lineCount++;
    if (this.last === NO_ENTRY) this.#first = entry;
    else this.cache.next[this.last] = entry;
    this.last = entry;
  }

  /**
   * A sample of a series that is new by its text.
   * @returns its entry, or NO_ENTRY when no sample can be kept any more
   * @throws ExpositionError when the series may not be stored
   */
  addSeries(bytes: Uint8Array, start: number, end: number, raw: RawLabels, flags: number): number {
    const labels = this.options.sampleLabels.of(raw);
    if (labels === null) return this.#add(bytes, start, end, 0, flags | EntryFlag.Dropped);
    const { sampleLimit } = this.options;
    if (sampleLimit > 0 && this.tally.samplesKept >= sampleLimit) {
      this.tally.samplesScraped++;
      this.tally.samplesKept++;
      return NO_ENTRY;
    }
    const ref = this.appender.series(labels);
    this.tally.seriesAdded++;
    const refused = ref === NO_SERIES ? EntryFlag.Refused : 0;
    return this.#add(bytes, start, end, ref, flags | refused);
  }

  /**
   * Lets go of what a text meant so far, since the type of its metric is another one now: its series
   * has ended, unless the text means the same again.
   * @returns false when the running scrape has used it already, so that it has to stay
   */
  forget(entry: number): boolean {
    const { cache, previous } = this;
    const seen = cache.seen[entry]!;
    if (seen === this.scrape) return false;
    const flags = cache.flags[entry]!;
    if (previous !== NEVER && seen === previous && (flags & NOT_TRACKED) === 0) {
      const isHistogram = (flags & EntryFlag.Histogram) !== 0;
      this.#orphans.push({ ref: cache.refs[entry]!, isHistogram });
    }
    cache.detach(entry);
    return true;
  }

  /** A text that has no series of its own: metadata, or a part of a converted histogram. */
  addText(bytes: Uint8Array, start: number, end: number, code: number, flags: number): number {
    return this.#add(bytes, start, end, code, flags);
  }

  /** Counts a sample of `entry`; false when it goes no further. `ownTimeMs` is NaN without a time. */
  admit(entry: number, ownTimeMs: number): boolean {
    const { cache, tally, scrape, previous, options } = this;
    tally.samplesScraped++;
    const flags = cache.flags[entry]!;
    const seen = cache.seen[entry]!;
    cache.seen[entry] = scrape;
    if ((flags & EntryFlag.Dropped) !== 0) return false;
    tally.samplesKept++;
    const hasTime = options.honorTimestamps && ownTimeMs === ownTimeMs;
    if (seen === scrape) {
      if (!hasTime) tally.duplicates++;
      return hasTime;
    }
    const isNew = entry >= this.#countAtBegin;
    const wasThere = !isNew && previous !== NEVER && seen === previous;
    const wasOpen = wasThere && (flags & NOT_TRACKED) === 0;
    if (!isNew && !wasThere) {
      this.#revived.push(entry);
      if (seen < this.#lastGood) tally.seriesAdded++;
    }
    if ((flags & EntryFlag.Refused) !== 0 && !this.#retryRefused(entry)) return false;

    const isTracked = !hasTime || options.trackTimestampsStaleness;
    if (isTracked) {
      cache.flags[entry]! &= ~EntryFlag.OwnTime;
      this.tracked++;
      // It was there, but with a time of its own, so nothing was open.
      if (wasThere && !wasOpen) this.#revived.push(entry);
    } else {
      cache.flags[entry]! |= EntryFlag.OwnTime;
      if (wasOpen) this.#untracked.push(entry);
    }
    if (wasOpen) this.kept++;
    return true;
  }

  /** A float sample of a known series. */
  sample(entry: number, value: number, ownTimeMs: number, startMs = 0): void {
    if (!this.admit(entry, ownTimeMs) || this.#isTooFarAhead(ownTimeMs)) return;
    const { staging } = this;
    staging.push(entry, this.cache.refs[entry]!, this.#timeOf(ownTimeMs), value);
    if (startMs !== 0) staging.setStart(staging.count - 1, startMs);
  }

  histogram(
    entry: number,
    histogram: Histogram | FloatHistogram,
    ownTimeMs: number,
    startMs = 0,
  ): boolean {
    if (!this.admit(entry, ownTimeMs) || this.#isTooFarAhead(ownTimeMs)) return false;
    const timestampMs = this.#timeOf(ownTimeMs);
    this.staging.histograms.push({ entry, timestampMs, histogram, startMs });
    return true;
  }

  exemplar(entry: number, exemplar: Exemplar): void {
    if ((this.cache.flags[entry]! & (EntryFlag.Dropped | EntryFlag.Refused)) !== 0) return;
    this.staging.exemplars.push({ entry, exemplar });
  }

  metadata(entry: number, metadata: MetricMetadata): void {
    if ((this.cache.flags[entry]! & (EntryFlag.Dropped | EntryFlag.Refused)) !== 0) return;
    this.staging.metadata.push({ entry, metadata });
  }

  /** Whether the newest successful scrape, or a failed one since, had the entry. */
  isLive(entry: number): boolean {
    return this.#lastGood !== NEVER && this.cache.seen[entry]! >= this.#lastGood;
  }

  /**
   * Ends a scrape that was read to its end: stages a marker for each series that is missing.
   * @throws SampleLimitError
   */
  finish(): void {
    const { sampleLimit } = this.options;
    if (sampleLimit > 0 && this.tally.samplesKept > sampleLimit) throw new SampleLimitError();
    const { staging, scrape: running, previous } = this;
    this.tally.outOfOrder += this.synthesis?.apply(staging, { running, previous }) ?? 0;
    const someEnded =
      this.kept !== this.#openCount || this.#untracked.length > 0 || this.#orphans.length > 0;
    if (someEnded) this.#endMissing();
    this.previous = this.#lastGood = this.scrape;
    this.#openCount = this.tracked;
    this.#goodLineCount = this.lineCount;
  }

  /** Ends a scrape that failed: forgets its samples and ends all series that were open. */
  abandon(): void {
    const { cache, previous, scrape } = this;
    this.staging.clear();
    const revived = new Set(this.#revived);
    const open: number[] = [...this.#untracked];
    if (previous !== NEVER) {
      for (let entry = 0; entry < this.#countAtBegin; entry++) {
        if ((cache.flags[entry]! & NOT_TRACKED) !== 0) continue;
        const seen = cache.seen[entry]!;
        if (seen === previous || (seen === scrape && !revived.has(entry))) open.push(entry);
      }
    }
    this.#stageEnds(open, new Set());
    this.previous = NEVER;
    this.#openCount = 0;
    this.tracked = 0;
  }

  /** Takes over what another one left open; series that do not come again are then ended. */
  adopt(former: TargetSeries): void {
    this.#orphans.push(...former.#openSeries(), ...former.#orphans);
  }

  /** Hands what was staged to storage; the caller commits. */
  append(report: ReportSource): void {
    appendStaged({
      appender: this.appender,
      staging: this.staging,
      cache: this.cache,
      synthesis: this.synthesis,
      tally: this.tally,
      scrape: this.scrape,
      timestampMs: this.timestampMs,
      firstNewEntry: this.#countAtBegin,
      staleFrom: this.#staleFrom,
      staleHistograms: this.#staleHistograms,
      labelsOf: (entry) => this.options.sampleLabels.of(this.#reader!.rawLabelsOf(this, entry)),
      report,
    });
    this.#tidyCache();
  }

  #start(appender: Appender, staging: Staging, timestampMs: number): void {
    staging.clear();
    this.appender = appender;
    this.staging = staging;
    this.timestampMs = timestampMs;
    this.tally = newTally();
    this.scrape++;
    this.last = NO_ENTRY;
    this.lineCount = 0;
    this.tracked = 0;
    this.kept = 0;
    this.#revived.length = 0;
    this.#untracked.length = 0;
    this.#staleHistograms.length = 0;
    this.#staleFrom = Infinity;
  }

  #isTooFarAhead(ownTimeMs: number): boolean {
    if (!(this.#timeOf(ownTimeMs) > this.timestampMs + AHEAD_MAX_MS)) return false;
    this.tally.outOfBounds++;
    return true;
  }

  #timeOf(ownTimeMs: number): number {
    return this.options.honorTimestamps && ownTimeMs === ownTimeMs ? ownTimeMs : this.timestampMs;
  }

  #add(bytes: Uint8Array, start: number, end: number, ref: number, flags: number): number {
    // Marked as never seen, so that the first sample is told from its repetition.
    return this.cache.add(bytes, start, end, ref, flags, NEVER);
  }

  #retryRefused(entry: number): boolean {
    const due = (this.scrape + entry) % REFUSED_RETRY_SCRAPES === 0;
    if (!due || entry >= this.#countAtBegin) return false;
    const labels = this.options.sampleLabels.of(this.#reader!.rawLabelsOf(this, entry));
    const ref = labels === null ? NO_SERIES : this.appender.series(labels);
    if (ref === NO_SERIES) return false;
    this.cache.refs[entry] = ref;
    this.cache.flags[entry]! &= ~EntryFlag.Refused;
    return true;
  }

  #endMissing(): void {
    const { cache, previous, staging } = this;
    const missing: number[] = [];
    if (previous !== NEVER) {
      for (let entry = 0; entry < this.#countAtBegin; entry++) {
        if (cache.seen[entry] !== previous || (cache.flags[entry]! & NOT_TRACKED) !== 0) continue;
        missing.push(entry);
      }
    }
    if (missing.length > 0 && this.#revived.length > 0) this.#renewRefs();
    // Another text may stand for the same series now: only what nobody continues has ended.
    const present = new Set<number>();
    const gone = new Set(missing.map((entry) => cache.refs[entry]!));
    for (const { ref } of this.#orphans) gone.add(ref);
    if (gone.size > 0) {
      for (let i = 0; i < staging.count; i++) {
        const isTracked = (cache.flags[staging.entries[i]!]! & EntryFlag.OwnTime) === 0;
        if (isTracked && gone.has(staging.refs[i]!)) present.add(staging.refs[i]!);
      }
      for (const { entry } of staging.histograms) present.add(cache.refs[entry]!);
    }
    this.#stageEnds(missing, present);
    // These are present with a time of their own, and ended all the same.
    for (const entry of this.#untracked) this.#stageEnd(entry);
  }

  /**
   * A text that comes again may have the reference of a series that storage has dropped since, and
   * created anew for another text, which is missing now: then that series goes on.
   */
  #renewRefs(): void {
    const { cache, staging } = this;
    for (const entry of this.#revived) {
      const labels = this.options.sampleLabels.of(this.#reader!.rawLabelsOf(this, entry));
      const ref = labels === null ? NO_SERIES : this.appender.series(labels);
      if (ref !== NO_SERIES) cache.refs[entry] = ref;
    }
    for (let i = 0; i < staging.count; i++) {
      const entry = staging.entries[i]!;
      if (entry >= 0) staging.refs[i] = cache.refs[entry]!;
    }
  }

  #stageEnds(entries: readonly number[], present: ReadonlySet<number>): void {
    this.#staleFrom = Math.min(this.#staleFrom, this.staging.count);
    for (const entry of entries) {
      if (!present.has(this.cache.refs[entry]!)) this.#stageEnd(entry);
    }
    for (const { ref, isHistogram } of this.#orphans) {
      if (present.has(ref)) continue;
      if (isHistogram) {
        this.appender.appendHistogram(ref as SeriesRef, this.timestampMs, STALE_HISTOGRAM);
      } else {
        this.staging.pushStale(ref, this.timestampMs);
      }
    }
    this.#orphans.length = 0;
  }

  #stageEnd(entry: number): void {
    this.#staleFrom = Math.min(this.#staleFrom, this.staging.count);
    if ((this.cache.flags[entry]! & EntryFlag.Histogram) !== 0) this.#staleHistograms.push(entry);
    else this.staging.pushStale(this.cache.refs[entry]!, this.timestampMs, entry);
  }

  #openSeries(): Orphan[] {
    const { cache, previous } = this;
    const open: Orphan[] = [];
    if (previous === NEVER) return open;
    for (let entry = 0; entry < cache.count; entry++) {
      if (cache.seen[entry] !== previous || (cache.flags[entry]! & NOT_TRACKED) !== 0) continue;
      const isHistogram = (cache.flags[entry]! & EntryFlag.Histogram) !== 0;
      open.push({ ref: cache.refs[entry]!, isHistogram });
    }
    return open;
  }

  /** A target that changes its format starts with an empty cache, and its old series are ended. */
  #dropCache(): void {
    const { cache } = this;
    this.#orphans.push(...this.#openSeries());
    this.#move(cache.forgetBefore(Infinity));
    this.#first = NO_ENTRY;
    this.previous = NEVER;
    this.#openCount = 0;
  }

  #move(moved: Int32Array): void {
    this.created?.forget();
    this.synthesis?.move(moved);
    this.onMove?.(moved);
  }

  /** Forgets texts that no longer come: many of them, or with every scrape failing on the way. */
  #tidyCache(): void {
    const { cache } = this;
    const failed = this.previous === NEVER;
    const used = failed ? this.#goodLineCount : this.lineCount;
    const spare = failed ? DEAD_ENTRIES_FAILED_MIN : DEAD_ENTRIES_MIN;
    const grew = cache.count > this.#countAtBegin;
    if (cache.count > 2 * used + spare) {
      if (failed) this.tally.cacheFlushesForced++;
      const moved = cache.forgetBefore(this.scrape);
      this.#first = this.#first === NO_ENTRY ? NO_ENTRY : moved[this.#first]!;
      this.#move(moved);
    } else if (!grew && this.#grewBefore) {
      cache.fit();
    }
    this.#grewBefore = grew;
  }
}
