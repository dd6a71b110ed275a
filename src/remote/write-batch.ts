/**
 * One request on its way into storage: finds the series, appends what they bring, reports what was
 * refused. Nothing is created before all labels are read, so that a request that turns out to be
 * malformed leaves nothing behind.
 */
import {
  type Appendable,
  type Appender,
  AppendOutcome,
  assert,
  EXEMPLAR_LABELS_LENGTH_MAX,
  type FloatHistogram,
  type Histogram,
  Labels,
  NO_SERIES,
  type Queryable,
  reduceSchema,
  type SeriesRef,
  validateHistogram,
  ValueError,
} from '../../model/index.ts';
import { Fingerprint } from './fingerprint.ts';
import { describeDuplicate } from './duplicate.ts';
import { checkLabels, showLabels } from './received-labels.ts';
import { Rejections } from './rejections.ts';
import type { SeriesRefCache } from './series-ref-cache.ts';
import type { WriteColumns, WrittenHistogram } from './write-columns.ts';
import type { WriteMessage } from './write-message.ts';

/** Samples from further ahead would keep out all that come after them. */
const AHEAD_MS_MAX = 10 * 60_000;
/** Exponential schemas up to here are understood, and made coarser up to what storage holds. */
const SCHEMA_MAX = 52;
const STORED_SCHEMA_MAX = 8;

const REASONS: Readonly<Record<AppendOutcome, string>> = {
  [AppendOutcome.Ok]: '',
  [AppendOutcome.OutOfOrder]: 'out of order sample',
  [AppendOutcome.DuplicateTimestamp]: 'duplicate sample for timestamp',
  [AppendOutcome.OutOfBounds]: 'out of bounds',
  [AppendOutcome.TooOld]: 'too old sample',
  [AppendOutcome.UnknownSeries]: 'unknown series',
  [AppendOutcome.SeriesRefused]:
    'new series refused: the memory budget of the head (--storage.tsdb.head-memory-limit) is used up',
};
const TOO_FAR_AHEAD = 'out of bounds: timestamp is too far in the future';
const NO_CONTENT = 'TimeSeries must contain at least one sample or histogram';
const LATE_EXEMPLAR = 'out of order exemplar';

export type WriteVersion = 1 | 2;

export type WriteReport = {
  readonly samplesWritten: number;
  readonly histogramsWritten: number;
  readonly exemplarsWritten: number;
  /** Null when everything was stored. */
  readonly rejection: string | null;
};

export type WriteContext = {
  readonly version: WriteVersion;
  /** Has been read into `columns`. */
  readonly message: WriteMessage;
  readonly columns: WriteColumns;
  readonly cache: SeriesRefCache;
  readonly storage: Appendable & Queryable;
  readonly nowMs: number;
};

/** Of a series that was not in the cache. */
type NewSeries = { readonly series: number; readonly labels: Labels };

export class WriteBatch {
  readonly #context: WriteContext;
  readonly #rejections = new Rejections();
  readonly #print = new Fingerprint();
  /** Series whose labels are wrong. */
  readonly #invalid = new Set<number>();
  #appender!: Appender;
  #samplesWritten = 0;
  #histogramsWritten = 0;
  #exemplarsWritten = 0;
  /** Samples of series with wrong labels. */
  invalidCount = 0;
  /** What is wrong with the first of them. */
  invalid = '';

  constructor(context: WriteContext) {
    this.#context = context;
  }

  get refusedCount(): number {
    return this.#rejections.count + this.invalidCount;
  }

  /** @throws WireError when labels are malformed; nothing is stored then */
  store(): WriteReport {
    const { columns, storage } = this.#context;
    const created = this.#findSeries();
    this.#appender = storage.appender();
    try {
      this.#createSeries(created);
      if (this.#invalid.size > 0 || columns.newestMs > this.#newestMsAllowed) this.#sift();
      this.#append();
      this.#appendExemplars();
      for (const { series, metadata } of columns.metadata) {
        const ref = this.#refOf(series);
        if (ref !== NO_SERIES) this.#appender.updateMetadata(ref, metadata);
      }
    } catch (error) {
      this.#appender.rollback();
      throw error;
    }
    this.#appender.commit();
    return {
      samplesWritten: this.#samplesWritten,
      histogramsWritten: this.#histogramsWritten,
      exemplarsWritten: this.#exemplarsWritten,
      rejection: this.#rejections.write(),
    };
  }

  get #newestMsAllowed(): number {
    return this.#context.nowMs + AHEAD_MS_MAX;
  }

  #refOf(series: number): SeriesRef {
    return this.#context.columns.seriesRefs[series]! as SeriesRef;
  }

  /** Looks every series up, and reads the labels of those that are not known. */
  #findSeries(): NewSeries[] {
    const { columns, message, cache, version } = this.#context;
    const { seriesRefs } = columns;
    const print = this.#print;
    const unknown: NewSeries[] = [];
    const empty = new Set(columns.emptySeries);
    for (let series = 0; series < columns.seriesCount; series++) {
      const ref = message.fingerprint(series, print) ? cache.find(print) : NO_SERIES;
      seriesRefs[series] = ref;
      if (ref !== NO_SERIES) continue;
      const labels = this.#readLabels(series);
      if (labels !== null && !empty.has(series)) unknown.push({ series, labels });
    }
    if (version === 2) {
      for (const series of columns.emptySeries) {
        if (!this.#invalid.has(series)) this.#refuse(series, NO_CONTENT);
      }
    }
    for (const { series, problem } of columns.problems) {
      if (!this.#invalid.has(series)) this.#refuse(series, problem);
    }
    return unknown;
  }

  /** Null when they are wrong, which is noted. */
  #readLabels(series: number): Labels | null {
    const { message, version } = this.#context;
    let problem: string;
    try {
      const verdict = checkLabels(message.labels(series));
      if (verdict.labels !== null) return verdict.labels;
      problem = verdict.problem;
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      problem = error.message;
    }
    this.#invalid.add(series);
    if (this.invalid === '') this.invalid = problem;
    // Senders of version 1.0 are not told, as they are not by Prometheus: it is in the log.
    if (version === 2) this.#rejections.add('invalid labels', () => problem);
    return null;
  }

  #createSeries(created: readonly NewSeries[]): void {
    const { columns, message, cache } = this.#context;
    for (const { series, labels } of created) {
      const ref = this.#appender.series(labels);
      columns.seriesRefs[series] = ref;
      if (ref !== NO_SERIES && message.fingerprint(series, this.#print))
        cache.set(this.#print, ref);
    }
  }

  /** Takes samples out that storage must not see: those of invalid series, and from the future. */
  #sift(): void {
    const { columns } = this.#context;
    const { histograms } = columns;
    let kept = 0;
    let nextHistogram = 0;
    for (let i = 0; i < columns.count; i++) {
      for (; histograms[nextHistogram]?.floatsBefore === i; nextHistogram++) {
        histograms[nextHistogram]!.floatsBefore = kept;
      }
      const series = columns.seriesOf[i]!;
      if (this.#invalid.has(series)) {
        this.invalidCount++;
      } else if (columns.timestampsMs[i]! > this.#newestMsAllowed) {
        this.#refuse(series, TOO_FAR_AHEAD);
      } else {
        if (kept < i) columns.moveSample(i, kept);
        kept++;
      }
    }
    for (; nextHistogram < histograms.length; nextHistogram++) {
      histograms[nextHistogram]!.floatsBefore = kept;
    }
    columns.count = kept;
  }

  /** Floats and histograms in the order of the request, because a series may have both. */
  #append(): void {
    const { columns } = this.#context;
    const { count, refs, seriesRefs, seriesOf } = columns;
    for (let i = 0; i < count; i++) refs[i] = seriesRefs[seriesOf[i]!]!;
    let start = 0;
    for (const written of columns.histograms) {
      this.#appendFloats(start, written.floatsBefore);
      start = written.floatsBefore;
      this.#appendHistogram(written);
    }
    this.#appendFloats(start, count);
  }

  #appendFloats(start: number, end: number): void {
    if (start === end) return;
    const { columns } = this.#context;
    const outcomes = columns.outcomes.subarray(start, end);
    const refusedCount = this.#appender.appendSamples(columns.slice(start, end), outcomes);
    this.#samplesWritten += end - start;
    if (refusedCount === 0) return;
    for (let i = start; i < end; i++) {
      let outcome = outcomes[i - start]! as AppendOutcome;
      if (outcome === AppendOutcome.Ok) continue;
      if (outcome === AppendOutcome.UnknownSeries) outcome = this.#appendAgain(i);
      if (outcome === AppendOutcome.Ok) continue;
      this.#samplesWritten--;
      this.#refuseFloat(i, outcome);
    }
  }

  /** Storage has dropped a series that it did not hear of for long: it gets a new reference. */
  #appendAgain(index: number): AppendOutcome {
    const { columns } = this.#context;
    const ref = this.#renew(columns.seriesOf[index]!);
    if (ref === NO_SERIES) return AppendOutcome.SeriesRefused;
    columns.refs[index] = ref;
    const outcome = new Uint8Array(1);
    this.#appender.appendSamples(columns.slice(index, index + 1), outcome);
    return outcome[0]! as AppendOutcome;
  }

  /** The series by its labels instead of its cached reference. */
  #renew(series: number): SeriesRef {
    const { columns, message, cache } = this.#context;
    // Asked for in this request and refused; asked again, it would be counted twice.
    if (columns.seriesRefs[series] === NO_SERIES) return NO_SERIES;
    const labels = this.#labelsOf(series);
    const ref = this.#appender.series(labels);
    columns.seriesRefs[series] = ref;
    if (message.fingerprint(series, this.#print)) cache.set(this.#print, ref);
    return ref;
  }

  #appendHistogram({ series, timestampMs, histogram, startMs }: WrittenHistogram): void {
    if (this.#invalid.has(series)) {
      this.invalidCount++;
      return;
    }
    if (timestampMs > this.#newestMsAllowed) {
      this.#refuse(series, TOO_FAR_AHEAD);
      return;
    }
    let fitting: Histogram | FloatHistogram;
    try {
      fitting = checkHistogram(histogram);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      const { message } = error;
      this.#rejections.add('invalid histogram', () => this.#line(series, message));
      return;
    }
    const append = (to: SeriesRef) =>
      this.#appender.appendHistogram(to, timestampMs, fitting, startMs);
    let outcome = append(this.#refOf(series));
    if (outcome === AppendOutcome.UnknownSeries) {
      const ref = this.#renew(series);
      outcome = ref === NO_SERIES ? AppendOutcome.SeriesRefused : append(ref);
    }
    if (outcome === AppendOutcome.Ok) this.#histogramsWritten++;
    else this.#refuse(series, REASONS[outcome]);
  }

  #appendExemplars(): void {
    const { columns, version } = this.#context;
    for (const { series, labels: flat, value, timestampMs } of columns.exemplars) {
      if (this.#invalid.has(series) || this.#refOf(series) === NO_SERIES) continue;
      const labels = exemplarLabels(flat);
      if (labels === null) continue;
      const exemplar = { labels, value, timestampMs };
      let isIn = this.#appender.appendExemplar(this.#refOf(series), exemplar);
      if (!isIn) {
        // Late, or the series has got another reference meanwhile.
        const before = this.#refOf(series);
        const ref = this.#renew(series);
        isIn = ref !== before && ref !== NO_SERIES && this.#appender.appendExemplar(ref, exemplar);
      }
      if (isIn) this.#exemplarsWritten++;
      else if (version === 2) this.#refuse(series, LATE_EXEMPLAR);
    }
  }

  #refuseFloat(index: number, outcome: AppendOutcome): void {
    const { columns, storage } = this.#context;
    const series = columns.seriesOf[index]!;
    if (outcome !== AppendOutcome.DuplicateTimestamp) {
      this.#refuse(series, REASONS[outcome]);
      return;
    }
    const timestampMs = columns.timestampsMs[index]!;
    const value = columns.values[index]!;
    this.#rejections.add(REASONS[outcome], () => {
      const what = describeDuplicate(storage, this.#labelsOf(series), timestampMs, value);
      return this.#line(series, what);
    });
  }

  #refuse(series: number, reason: string): void {
    this.#rejections.add(reason, () => this.#line(series, reason));
  }

  #line(series: number, what: string): string {
    return `${what} for series ${showLabels(this.#context.message.labels(series))}`;
  }

  /** Of a series whose labels are good. */
  #labelsOf(series: number): Labels {
    const { labels } = checkLabels(this.#context.message.labels(series));
    assert(labels !== null, 'was checked before');
    return labels;
  }
}

/** @throws ValueError */
function checkHistogram(histogram: Histogram | FloatHistogram): Histogram | FloatHistogram {
  const { schema } = histogram;
  if (schema <= STORED_SCHEMA_MAX || schema > SCHEMA_MAX) {
    validateHistogram(histogram);
    return histogram;
  }
  // Its buckets have to be in order before they can be joined.
  validateHistogram({ ...histogram, schema: STORED_SCHEMA_MAX });
  return reduceSchema(histogram, STORED_SCHEMA_MAX);
}

/** Null when they are too long or no text: the sample counts, its exemplar does not. */
function exemplarLabels(flat: readonly string[]): Labels | null {
  let length = 0;
  const pairs: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    const value = flat[i + 1]!;
    if (!name.isWellFormed() || !value.isWellFormed()) return null;
    length += Array.from(name).length + Array.from(value).length;
    if (length > EXEMPLAR_LABELS_LENGTH_MAX) return null;
    pairs.push([name, value]);
  }
  return Labels.fromPairs(pairs);
}
