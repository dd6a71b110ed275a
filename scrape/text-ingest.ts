/**
 * Reads text bodies (text format and OpenMetrics) into a target's series.
 *
 * Nearly every line of nearly every scrape repeats one of the scrape before at the same place and
 * differs only in its number. Such a line is recognised by comparing bytes, its number is read in
 * place, and three array elements are written: no text, no hash, no object. Everything else (a new
 * line, a time or exemplar, an odd number, a repetition) goes through `EntryScanner`, which alone
 * decides what is right.
 */
import {
  decodeUtf8,
  type Exemplar,
  Labels,
  METRIC_TYPES,
  type MetricMetadata,
  type MetricType,
} from '../model/index.ts';
import type { ClassicFamilies } from './classic-families.ts';
import type { CreatedLines } from './created-lines.ts';
import {
  BRACE_OPEN,
  DIGIT_ZERO,
  MINUS,
  NEWLINE,
  NUL,
  PLUS,
  POINT,
  QUOTE,
  SPACE,
} from './exposition/bytes.ts';
import { parseDecimal, POWERS_OF_TEN } from './exposition/decimal.ts';
import { EntryKind, EntryScanner } from './exposition/entry-scanner.ts';
import {
  BoundLabel,
  boundLabelOf,
  type RawLabels,
  readExemplarLabels,
  readName,
  readRawLabels,
  unescape,
} from './exposition/series-text.ts';
import { EntryFlag, NO_ENTRY } from './series-cache.ts';
import type { EntryReader, TargetSeries } from './target-series.ts';

/** With any of these a line is not a plain sample. */
const SPECIAL =
  EntryFlag.Comment |
  EntryFlag.Dropped |
  EntryFlag.OwnTime |
  EntryFlag.Histogram |
  EntryFlag.ClassicPart |
  EntryFlag.Refused;
/** What kind of metric an entry was understood for; see `boundFlagOf`. */
const BOUND = EntryFlag.Le | EntryFlag.Quantile;
const TYPES_WITH_CREATED: ReadonlySet<MetricType> = new Set(['counter', 'histogram', 'summary']);
/** Those that count from a start that may have to be made up. */
const CUMULATIVE_TYPES: ReadonlySet<MetricType> = new Set(['counter', 'histogram']);
const CREATED_SUFFIX = Buffer.from('_created');
const LETTER_E = 0x65;
/** So many digits are exact in a double. */
const EXACT_DIGITS_MAX = 15;

/** Reads bodies of one dialect for all targets in turn. */
export class TextReader implements EntryReader {
  readonly #openMetrics: boolean;
  readonly #scanner: EntryScanner;
  /** For texts out of a cache, while the other one is in the middle of a body. */
  readonly #cacheScanner: EntryScanner;
  #view: DataView = new DataView(new ArrayBuffer(0));

  // Of the body being read.
  #series!: TargetSeries;
  #classic: ClassicFamilies | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #end = 0;
  #type: MetricType = 'unknown';
  /** Kept only where somebody asks for it: see `watchesFamilies`. */
  #family: Family = NO_FAMILY;
  /** The type line says something else than in the last scrape; no entry below it can be trusted. */
  #typeIsNew = false;
  /** See `#isLeftOut`. */
  #leavesOutCreated = false;

  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics;
    this.#scanner = new EntryScanner(openMetrics);
    this.#cacheScanner = new EntryScanner(openMetrics);
  }

  /**
   * Reads the body `bytes[0…sizeBytes)` into `series`, whose scrape has begun. Two bytes past the
   * body are overwritten.
   * @throws ExpositionError when the body breaks its format; the scrape is then to be abandoned
   */
  read(
    series: TargetSeries,
    classic: ClassicFamilies | null,
    bytes: Uint8Array,
    sizeBytes: number,
  ): void {
    this.#series = series;
    this.#classic = classic;
    this.#type = 'unknown';
    this.#family = NO_FAMILY;
    this.#typeIsNew = false;
    this.#leavesOutCreated = this.#openMetrics && series.created !== null;
    this.#bytes = bytes;
    this.#end = this.#scanner.reset(bytes, sizeBytes);
    if (this.#view.buffer !== bytes.buffer || this.#view.byteOffset !== bytes.byteOffset) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset);
    }
    classic?.clear();
    series.created?.begin();
    let at = 0;
    do {
      at = this.#readRepeated(at);
      at = this.#scanner.next(at);
      if (this.#scanner.kind === EntryKind.Sample) this.#takeSample();
      else if (this.#scanner.kind !== EntryKind.End) this.#takeComment();
    } while (this.#scanner.kind !== EntryKind.End);
    classic?.flush(series);
    series.created?.finish(series.staging, (entry) => this.rawLabelsOf(series, entry));
  }

  rawLabelsOf(series: TargetSeries, entry: number): RawLabels {
    const { cache } = series;
    const text = cache.textOf(entry);
    if (text[0] === NUL) return this.#classic!.rawLabelsOf(entry)!;
    const scanner = this.#cacheScanner.series;
    scanner.reset(terminated(text, 1), text.length);
    scanner.scan(0);
    const flags = cache.flags[entry]!;
    const bound =
      (flags & EntryFlag.Le) !== 0
        ? BoundLabel.Le
        : (flags & EntryFlag.Quantile) !== 0
          ? BoundLabel.Quantile
          : BoundLabel.None;
    return readRawLabels(scanner, bound);
  }

  /** What the target says about its metrics, by name, as of the last scrape. */
  metadataOf(series: TargetSeries): Map<string, MetricMetadata> {
    const { cache } = series;
    const byName = new Map<string, MetricMetadata>();
    for (let entry = 0; entry < cache.count; entry++) {
      if ((cache.flags[entry]! & EntryFlag.Comment) === 0 || !series.isLive(entry)) continue;
      const { name, part } = this.#readMetadata(cache.textOf(entry));
      byName.set(name, { ...(byName.get(name) ?? NO_METADATA), ...part });
    }
    return byName;
  }

  /**
   * Reads lines as long as they are those of the last scrape in their order.
   * @returns the beginning of the first line that is not
   */
  #readRepeated(start: number): number {
    const series = this.#series;
    const { cache, staging, scrape, previous, timestampMs } = series;
    const watchesFamilies = this.#classic !== null || series.options.appendMetadata;
    const isAside =
      this.#family.isNew || this.#typeIsNew || (this.#classic !== null && this.#classic.isPending);
    if (isAside || !series.hasPrevious) return start;
    const { starts, lengths, flags, seen, next, textView, refs } = cache;
    const cacheRefs = refs;
    const bytes = this.#bytes;
    const view = this.#view;
    const end = this.#end;
    staging.reserve(staging.count + cache.count + 1);
    const {
      entries: outEntries,
      refs: outRefs,
      values: outValues,
      timestampsMs: outTimes,
    } = staging;
    let staged = staging.count;
    const room = outRefs.length;
    const stagedBefore = staged;
    let lines = 0;
    let at = start;
    let last = series.last;
    let entry = series.guess;
    let bound = boundFlagOf(this.#type);

    scan: while (entry !== NO_ENTRY && staged < room) {
      const length = lengths[entry]!;
      let p = at + length;
      if (p >= end) break;

      // The same text as last time? Four bytes a step; the last step may look at some bytes again.
      const text = starts[entry]!;
      if (length >= 4) {
        const stop = length - 4;
        for (let i = 0; i < stop; i += 4) {
          if (view.getInt32(at + i, true) !== textView.getInt32(text + i, true)) break scan;
        }
        if (view.getInt32(at + stop, true) !== textView.getInt32(text + stop, true)) break;
      } else {
        for (let i = 0; i < length; i++) {
          if (bytes[at + i] !== cache.text[text + i]) break scan;
        }
      }

      const flag = flags[entry]!;
      // One comparison for both: the line is not special, and it is understood for this type.
      if ((flag & (SPECIAL | BOUND)) !== bound) {
        if ((flag & EntryFlag.Comment) === 0 || bytes[p] !== NEWLINE || watchesFamilies) break;
        const code = cacheRefs[entry]!;
        if (code !== 0) {
          this.#type = METRIC_TYPES[code - 1]!;
          bound = boundFlagOf(this.#type);
        }
        seen[entry] = scrape;
        lines++;
        at = p + 1;
        last = entry;
        entry = next[entry]!;
        continue;
      }

      if (bytes[p] !== SPACE || seen[entry] !== previous) break;
      const numberStart = p + 1;
      let byte = bytes[numberStart]!;
      p = numberStart;
      const negative = byte === MINUS;
      if (negative) byte = bytes[++p]!;
      const digitsStart = p;
      let value = 0;
      let digit = byte - DIGIT_ZERO;
      while (digit >= 0 && digit <= 9) {
        value = value * 10 + digit;
        digit = bytes[++p]! - DIGIT_ZERO;
      }
      let digits = p - digitsStart;
      let exponent = 0;
      byte = digit + DIGIT_ZERO;
      if (byte === POINT && digits > 0) {
        const fractionStart = p + 1;
        digit = bytes[++p]! - DIGIT_ZERO;
        while (digit >= 0 && digit <= 9) {
          value = value * 10 + digit;
          digit = bytes[++p]! - DIGIT_ZERO;
        }
        exponent = fractionStart - p;
        digits -= exponent;
        byte = digit + DIGIT_ZERO;
      }
      if (byte === LETTER_E && digits > 0) {
        const sign = bytes[p + 1]!;
        let written = 0;
        p += sign === MINUS || sign === PLUS ? 2 : 1;
        const writtenStart = p;
        digit = bytes[p]! - DIGIT_ZERO;
        while (digit >= 0 && digit <= 9) {
          written = written * 10 + digit;
          digit = bytes[++p]! - DIGIT_ZERO;
        }
        if (p === writtenStart) break;
        exponent += sign === MINUS ? -written : written;
        byte = digit + DIGIT_ZERO;
      }
      if (byte !== NEWLINE || digits === 0) break;
      if (digits > EXACT_DIGITS_MAX || exponent < -22 || exponent > 22) {
        value = parseDecimal(bytes, numberStart, p);
        if (value !== value) break;
      } else {
        if (exponent < 0) value /= POWERS_OF_TEN[-exponent]!;
        else if (exponent > 0) value *= POWERS_OF_TEN[exponent]!;
        if (negative) value = -value;
      }

      seen[entry] = scrape;
      outEntries[staged] = entry;
      outRefs[staged] = cacheRefs[entry]!;
      outValues[staged] = value;
      outTimes[staged] = timestampMs;
      staged++;
      lines++;
      at = p + 1;
      last = entry;
      entry = next[entry]!;
    }

    const count = staged - stagedBefore;
    staging.count = staged;
    series.tally.samplesScraped += count;
    series.tally.samplesKept += count;
    series.tracked += count;
    series.kept += count;
    series.lineCount += lines;
    series.last = last;
    return at;
  }

  /** The sample that was just scanned. */
  #takeSample(): void {
    const series = this.#series;
    const scanner = this.#scanner;
    const bytes = this.#bytes;
    const { start, textEnd } = scanner;
    if (this.#leavesOutCreated && this.#isLeftOut(start, textEnd)) {
      if (series.created !== null) this.#takeCreated(series.created, start, textEnd);
      return;
    }
    let entry = series.lookup(bytes, start, textEnd);
    const isOfOtherType =
      entry !== NO_ENTRY &&
      (this.#typeIsNew || (series.cache.flags[entry]! & BOUND) !== boundFlagOf(this.#type));
    const isNew = entry === NO_ENTRY || (isOfOtherType && series.forget(entry));
    if (isNew) {
      entry = this.#addSeries(start, textEnd);
      if (entry === NO_ENTRY) return;
    }
    series.advanceTo(entry);
    const flags = series.cache.flags[entry]!;
    const { value, timestampMs } = scanner;
    const exemplar = scanner.exemplarStart >= 0 ? this.#exemplar() : null;
    const classic = this.#classic;
    if (classic !== null) {
      if ((flags & EntryFlag.ClassicPart) === 0) {
        classic.flush(series);
      } else if (classic.add(series, entry, value, timestampMs)) {
        if (exemplar !== null) classic.addExemplar(exemplar);
        this.#leavesOutCreated = this.#openMetrics;
        if (!series.options.keepClassicHistograms) {
          series.cache.seen[entry] = series.scrape;
          return;
        }
      }
    }
    series.sample(entry, value, timestampMs);
    if (exemplar !== null) series.exemplar(entry, exemplar);
    if (series.options.appendMetadata && (isNew || this.#family.isNew)) {
      series.metadata(entry, this.#family.metadata);
    }
  }

  /**
   * Whether the line tells when its metric began. A native histogram has its beginning in itself, so
   * once Prometheus has converted one it reads these lines of OpenMetrics, those of other metrics
   * too, and stores none of them.
   */
  #isLeftOut(start: number, end: number): boolean {
    if (!TYPES_WITH_CREATED.has(this.#type)) return false;
    const bytes = this.#bytes;
    const isQuoted = bytes[start] === BRACE_OPEN;
    let nameEnd = isQuoted ? start + 2 : start;
    const stop = isQuoted ? QUOTE : BRACE_OPEN;
    while (nameEnd < end && bytes[nameEnd] !== stop) nameEnd++;
    for (let i = 1; i <= CREATED_SUFFIX.length; i++) {
      if (bytes[nameEnd - i] !== CREATED_SUFFIX[CREATED_SUFFIX.length - i]) return false;
    }
    return true;
  }

  #takeCreated(created: CreatedLines, start: number, end: number): void {
    // Prometheus finds only those whose names are written without quotes.
    if (this.#bytes[start] === BRACE_OPEN) return;
    const series = this.#series;
    const scanner = this.#scanner;
    created.take(
      decodeUtf8(this.#bytes.subarray(start, end)),
      () => readRawLabels(scanner.series, BoundLabel.None),
      scanner.value,
      series.staging,
      (entry) => this.rawLabelsOf(series, entry),
    );
  }

  #addSeries(start: number, end: number): number {
    const series = this.#series;
    const scanner = this.#scanner;
    const bound = boundLabelOf(this.#type);
    const wasExemplar = scanner.exemplarStart >= 0;
    // The exemplar's labels have taken the place of the series' own.
    if (wasExemplar) scanner.series.scan(start, scanner.series.entryStart);
    const raw = readRawLabels(scanner.series, bound);
    if (wasExemplar) {
      scanner.series.scanExemplar(scanner.exemplarStart, scanner.series.entryStart);
    }

    let flags = boundFlagOf(this.#type);
    const part =
      this.#classic !== null && this.#type === 'histogram'
        ? this.#classic.classify(raw, this.#family.name)
        : null;
    if (part === null) {
      const added = series.addSeries(this.#bytes, start, end, raw, flags);
      const isCreated = this.#openMetrics && this.#isLeftOut(start, end);
      if (added !== NO_ENTRY && CUMULATIVE_TYPES.has(this.#type) && !isCreated) {
        series.synthesis?.mark(added);
      }
      return added;
    }
    flags |= EntryFlag.ClassicPart;
    const isStored = series.options.keepClassicHistograms || part.role === 'boundless';
    const entry = isStored
      ? series.addSeries(this.#bytes, start, end, raw, flags)
      : series.addText(this.#bytes, start, end, 0, flags);
    if (entry !== NO_ENTRY) this.#classic!.remember(entry, part);
    if (entry !== NO_ENTRY) series.synthesis?.mark(entry);
    return entry;
  }

  /** The metadata line, or comment, that was just scanned. */
  #takeComment(): void {
    const series = this.#series;
    const scanner = this.#scanner;
    this.#classic?.flush(series);
    if (scanner.kind === EntryKind.Comment) return;
    const { start, textEnd } = scanner;
    let code = 0;
    if (scanner.kind === EntryKind.Type) {
      this.#type = scanner.type;
      code = METRIC_TYPES.indexOf(scanner.type) + 1;
    }
    let entry = series.lookupLine(this.#bytes, start, textEnd);
    const isNew = entry === NO_ENTRY;
    if (isNew) entry = series.addText(this.#bytes, start, textEnd, code, EntryFlag.Comment);
    if (code !== 0) this.#typeIsNew = isNew || !series.isLive(entry);
    series.cache.seen[entry] = series.scrape;
    series.advanceTo(entry);
    if (this.#classic !== null || series.options.appendMetadata) {
      this.#watchFamily(this.#bytes.subarray(start, textEnd), isNew);
    }
  }

  #watchFamily(line: Uint8Array, isNew: boolean): void {
    const { name, part } = this.#readMetadata(line);
    const before = this.#family.name === name ? this.#family : NO_FAMILY;
    this.#family = {
      name,
      isNew: (isNew && this.#series.options.appendMetadata) || before.isNew,
      metadata: { ...before.metadata, ...part },
    };
  }

  /** Name and content of a metadata line that is known to be right. */
  #readMetadata(line: Uint8Array): { name: string; part: Partial<MetricMetadata> } {
    const scanner = this.#cacheScanner;
    const bytes = terminated(line, 3);
    bytes[line.length] = NEWLINE;
    scanner.reset(bytes, line.length + 1);
    scanner.next(0);
    const name = readName(bytes, scanner.nameStart, scanner.nameEnd, scanner.nameIsQuoted);
    if (scanner.kind === EntryKind.Type) return { name, part: { type: scanner.type } };
    const text = decodeUtf8(bytes.subarray(scanner.metaStart, scanner.metaEnd));
    if (scanner.kind === EntryKind.Unit) return { name, part: { unit: text } };
    const help = this.#openMetrics ? unescape(text) : unescapeHelp(text);
    return { name, part: { help } };
  }

  #exemplar(): Exemplar {
    const scanner = this.#scanner;
    const raw = readExemplarLabels(scanner.series);
    const pairs: [string, string][] = [];
    for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i]!, raw[i + 1]!]);
    const exemplar = { labels: Labels.fromPairs(pairs), value: scanner.exemplarValue };
    const timestampMs = scanner.exemplarTimestampMs;
    return timestampMs === timestampMs ? { ...exemplar, timestampMs } : exemplar;
  }
}

type Family = {
  readonly name: string;
  /** Something about it was said for the first time. */
  readonly isNew: boolean;
  readonly metadata: MetricMetadata;
};

const NO_METADATA: MetricMetadata = { type: 'unknown', unit: '', help: '' };
const NO_FAMILY: Family = { name: '', isNew: false, metadata: NO_METADATA };

/** An entry was understood for metrics whose `le`, or `quantile`, is a number; or for others. */
function boundFlagOf(type: MetricType): number {
  const bound = boundLabelOf(type);
  if (bound === BoundLabel.Le) return EntryFlag.Le;
  return bound === BoundLabel.Quantile ? EntryFlag.Quantile : 0;
}

/** A copy with `spareBytes` zero bytes behind it, as the scanners want it. */
function terminated(text: Uint8Array, spareBytes: number): Uint8Array {
  const bytes = new Uint8Array(text.length + spareBytes);
  bytes.set(text);
  return bytes;
}

/** The text format escapes quotes in label values but not in help texts. */
function unescapeHelp(text: string): string {
  return text.replace(/\\([n\\])/g, (_, char: string) => (char === 'n' ? '\n' : '\\'));
}
