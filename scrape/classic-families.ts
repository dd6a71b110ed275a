/**
 * Which lines of a target's text are parts of classic histograms that are stored as native ones,
 * and the histogram that is being put together. The lines of one histogram must follow one another;
 * any other line ends it.
 */
import { type Exemplar, METRIC_NAME, parseFloatText } from '../model/index.ts';
import { BucketLimitError } from './exposition/exposition-error.ts';
import { ClassicHistogram } from './exposition/classic-to-custom.ts';
import { fitHistogram } from './exposition/histogram-limits.ts';
import type { RawLabels } from './exposition/series-text.ts';
import { EntryFlag, NO_ENTRY } from './series-cache.ts';
import type { TargetSeries } from './target-series.ts';

type Family = {
  /** Of the native series; NO_ENTRY as long as there is none. */
  entry: number;
  readonly key: Uint8Array;
  readonly raw: RawLabels;
};
/** A bucket without a bound belongs to no histogram but does not end one either. */
type Role = 'bucket' | 'sum' | 'count' | 'boundless';
export type ClassicPart = {
  readonly family: Family;
  readonly role: Role;
  /** Upper bound of a bucket, else NaN. */
  readonly bound: number;
};

const ROLE = /^(.*)_(bucket|sum|count)$/s;
const encoder = new TextEncoder();

export class ClassicFamilies {
  #parts = new Map<number, ClassicPart>();
  #families = new Map<string, Family>();
  #byEntry = new Map<number, Family>();

  readonly #histogram = new ClassicHistogram();
  #pending: Family | null = null;
  #ownTimeMs = NaN;
  #exemplars: Exemplar[] = [];

  get isPending(): boolean {
    return this.#pending !== null;
  }

  /** Whether the series is part of a histogram named `metric`; remembers what it is if so. */
  classify(raw: RawLabels, metric: string): ClassicPart | null {
    const match = ROLE.exec(raw[1]!);
    if (match === null || match[1] !== metric) return null;
    let role = match[2] as Role;
    let bound = NaN;
    const rest: RawLabels = [METRIC_NAME, metric];
    for (let i = 2; i < raw.length; i += 2) {
      if (raw[i] === 'le') bound = parseFloatText(raw[i + 1]!) ?? NaN;
      else rest.push(raw[i]!, raw[i + 1]!);
    }
    if (role === 'bucket' && bound !== bound) role = 'boundless';
    return { family: this.#family(rest), role, bound };
  }

  remember(entry: number, part: ClassicPart): void {
    this.#parts.set(entry, part);
  }

  /**
   * Takes one line of a histogram in, after handing over the one before if this is another's.
   * @returns false when the line is to be stored as it is
   */
  add(series: TargetSeries, entry: number, value: number, ownTimeMs: number): boolean {
    const { family, role, bound } = this.#parts.get(entry)!;
    if (this.#pending !== family) this.flush(series);
    if (role === 'boundless') return false;
    this.#pending = family;
    this.#ownTimeMs = ownTimeMs;
    if (role === 'bucket') this.#histogram.addBucket(bound, value);
    else if (role === 'sum') this.#histogram.setSum(value);
    else this.#histogram.setCount(value);
    return true;
  }

  addExemplar(exemplar: Exemplar): void {
    this.#exemplars.push(exemplar);
  }

  /** Hands the collected histogram over. One that contradicts itself is dropped without a word. */
  flush(series: TargetSeries): void {
    const family = this.#pending;
    if (family === null) return;
    const native = this.#histogram.convert();
    const exemplars = this.#exemplars;
    this.clear();
    if (native === null) return;
    if (fitHistogram(native, Infinity, series.options.nativeHistogramBucketLimit) === null) {
      throw new BucketLimitError();
    }
    if (family.entry === NO_ENTRY) {
      const { key, raw } = family;
      family.entry = series.cache.find(key, 0, key.length);
      if (family.entry === NO_ENTRY) {
        family.entry = series.addSeries(key, 0, key.length, raw, EntryFlag.Histogram);
      }
      if (family.entry === NO_ENTRY) return;
      series.synthesis?.mark(family.entry);
      this.#byEntry.set(family.entry, family);
    }
    if (!series.histogram(family.entry, native, this.#ownTimeMs)) return;
    for (const exemplar of exemplars) series.exemplar(family.entry, exemplar);
  }

  clear(): void {
    this.#pending = null;
    this.#histogram.clear();
    this.#exemplars = [];
  }

  /** The labels of a native series that was made here; undefined for other entries. */
  rawLabelsOf(entry: number): RawLabels | undefined {
    return this.#byEntry.get(entry)?.raw;
  }

  /** Entries have got other numbers; those that are gone are forgotten. */
  move(moved: Int32Array): void {
    const parts = this.#parts;
    this.#parts = new Map();
    for (const [entry, part] of parts) {
      if (moved[entry] !== NO_ENTRY) this.#parts.set(moved[entry]!, part);
    }
    const used = new Set(Array.from(this.#parts.values(), (part) => part.family));
    this.#byEntry.clear();
    for (const [key, family] of this.#families) {
      if (family.entry !== NO_ENTRY) family.entry = moved[family.entry]!;
      if (family.entry !== NO_ENTRY) this.#byEntry.set(family.entry, family);
      else if (!used.has(family)) this.#families.delete(key);
    }
  }

  #family(raw: RawLabels): Family {
    // No text of a target begins with NUL, so the key cannot meet one of those in the cache.
    const text = `\0${raw.join('\0')}`;
    let family = this.#families.get(text);
    if (family === undefined) {
      family = { entry: NO_ENTRY, key: encoder.encode(text), raw };
      this.#families.set(text, family);
    }
    return family;
  }
}
