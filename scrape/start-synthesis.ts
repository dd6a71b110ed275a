/**
 * Start timestamps for counters whose target tells none: the first sample of a series is kept back,
 * as the point from which counting begins.
 *
 *   scraped   10  15  15   3   7            10 is not stored
 *   stored     –   5   5   3   7            what was counted since
 *   start      –  t0  t0  t3  t3            t3: a millisecond before the sample that fell
 *
 * A sample that has a start, is missing or is not stored ends this; the next one is a first again.
 * Source: Prometheus 3.14 feature flags, `st-synthesis`; what 3.14 stored of counters that fall, pause
 * and begin to tell their start.
 */
import {
  type FloatHistogram,
  type Histogram,
  isCounterReset,
  newCombineNotes,
  subtractHistograms,
  toFloatHistogram,
  toIntegerHistogram,
} from '../model/index.ts';
import type { Staging } from './staging.ts';

/** The count of one series so far. */
type Track<T> = {
  last: T;
  lastMs: number;
  /** Taken off each value; null when counting began at zero. */
  base: T | null;
  startMs: number;
  /** Number of the scrape that had the last value. */
  scrape: number;
};

type Arithmetic<T> = {
  readonly hasFallen: (value: T, before: T) => boolean;
  /** Null where the two have nothing in common. */
  readonly since: (value: T, base: T) => T | null;
};

const FLOATS: Arithmetic<number> = {
  hasFallen: (value, before) => value < before,
  since: (value, base) => value - base,
};
const HISTOGRAMS: Arithmetic<FloatHistogram> = {
  hasFallen: isCounterReset,
  since: (value, base) => subtractHistograms(value, base, newCombineNotes()),
};

/** Which scrape runs, and which one before it the open series are of. */
export type ScrapeNumbers = { readonly running: number; readonly previous: number };

export class StartSynthesis {
  /** Entries of counters and of parts of histograms. */
  #cumulative = new Set<number>();
  #floats = new Map<number, Track<number>>();
  #histograms = new Map<number, Track<FloatHistogram>>();

  /** Says that the series of an entry only counts upwards. */
  mark(entry: number): void {
    this.#cumulative.add(entry);
  }

  /**
   * Replaces what was staged, and takes out what is not to be stored.
   * @returns how many samples were taken out for being older than those before them
   */
  apply(staging: Staging, scrapes: ScrapeNumbers): number {
    return this.#applyToFloats(staging, scrapes) + this.#applyToHistograms(staging, scrapes);
  }

  /** A sample of the entry was not stored. */
  forget(entry: number): void {
    this.#floats.delete(entry);
    this.#histograms.delete(entry);
  }

  /** Entries have got other numbers, below zero where they are gone. */
  move(moved: Int32Array): void {
    const numberOf = (entry: number) => moved[entry] ?? -1;
    this.#cumulative = new Set([...this.#cumulative].map(numberOf).filter((entry) => entry >= 0));
    this.#floats = renumbered(this.#floats, numberOf);
    this.#histograms = renumbered(this.#histograms, numberOf);
  }

  #applyToFloats(staging: Staging, scrapes: ScrapeNumbers): number {
    const { entries, values, timestampsMs, count } = staging;
    let late = 0;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const entry = entries[i]!;
      if (this.#cumulative.has(entry)) {
        const startMs = staging.startTimestampsMs?.[i] ?? 0;
        if (startMs !== 0) {
          this.#floats.delete(entry);
        } else {
          const timestampMs = timestampsMs[i]!;
          const step = advance(this.#floats, entry, timestampMs, values[i]!, scrapes, FLOATS);
          if (step === 'late') late++;
          if (step === 'late' || step === 'first') continue;
          values[i] = step.value;
          staging.setStart(i, step.startMs);
        }
      }
      if (kept < i) staging.move(i, kept);
      kept++;
    }
    staging.count = kept;
    return late;
  }

  #applyToHistograms(staging: Staging, scrapes: ScrapeNumbers): number {
    const { histograms } = staging;
    let late = 0;
    let kept = 0;
    for (const staged of histograms) {
      const { entry, timestampMs, histogram } = staged;
      let result = staged;
      if (this.#cumulative.has(entry)) {
        if (staged.startMs !== 0) {
          this.#histograms.delete(entry);
        } else {
          const value = toFloatHistogram(histogram);
          const step = advance(this.#histograms, entry, timestampMs, value, scrapes, HISTOGRAMS);
          if (step === 'late') late++;
          if (step === 'late' || step === 'first') continue;
          const rest = { ...step.value, hint: histogram.hint };
          result = { ...staged, histogram: likeOf(histogram, rest), startMs: step.startMs };
        }
      }
      histograms[kept++] = result;
    }
    histograms.length = kept;
    return late;
  }
}

/** What is to be stored of a value, or why it is not. */
function advance<T>(
  tracks: Map<number, Track<T>>,
  entry: number,
  timestampMs: number,
  value: T,
  { running, previous }: ScrapeNumbers,
  { hasFallen, since }: Arithmetic<T>,
): { readonly value: T; readonly startMs: number } | 'first' | 'late' {
  const track = tracks.get(entry);
  if (track === undefined || (track.scrape !== previous && track.scrape !== running)) {
    const first = { last: value, lastMs: timestampMs, base: value, startMs: timestampMs };
    tracks.set(entry, { ...first, scrape: running });
    return 'first';
  }
  if (timestampMs < track.lastMs) {
    tracks.delete(entry);
    return 'late';
  }
  let rest = track.base === null ? value : since(value, track.base);
  if (rest === null || hasFallen(value, track.last)) {
    track.base = null;
    track.startMs = timestampMs - 1;
    rest = value;
  }
  track.last = value;
  track.lastMs = timestampMs;
  track.scrape = running;
  return { value: rest, startMs: track.startMs };
}

/** In the form in which it came. */
function likeOf(
  before: Histogram | FloatHistogram,
  rest: FloatHistogram,
): Histogram | FloatHistogram {
  return before.kind === 'float' ? rest : toIntegerHistogram(rest);
}

function renumbered<T>(
  tracks: ReadonlyMap<number, T>,
  numberOf: (entry: number) => number,
): Map<number, T> {
  const moved = new Map<number, T>();
  for (const [entry, track] of tracks) if (numberOf(entry) >= 0) moved.set(numberOf(entry), track);
  return moved;
}
