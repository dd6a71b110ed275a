/**
 * What a query worker answers without the engine: label names and values, series, federation.
 * Everything is bytes in the end, because the main thread only passes them on.
 */
import {
  compareLabels,
  compareText,
  type FloatHistogram,
  highBits,
  isStaleAt,
  Labels,
  lowBits,
  type Matcher,
  type Queryable,
  type Querier,
  SampleBuffer,
  STALE_NAN_HIGH,
  STALE_NAN_LOW,
} from '../../model/index.ts';
import { parseSelector } from '../../promql/index.ts';
import {
  requireSelective,
  searchTexts,
  writeSeriesAnswer,
  writeTextsAnswer,
} from '../../web/answers/index.ts';
import { type FederatedSample, writeFederation } from '../../web/exposition/index.ts';
import type {
  FederationRequest,
  SearchAnswer,
  SearchRequest,
  SelectionRequest,
} from '../../web/index.ts';
import type { Call } from './rpc.ts';

const TRUNCATED_WARNING = 'results truncated due to limit';
const NO_MATCHERS: readonly (readonly Matcher[])[] = [[]];

function parseSelectors(texts: readonly string[]): readonly (readonly Matcher[])[] {
  const sets = texts.map((text) => parseSelector(text));
  requireSelective(sets);
  return sets;
}

function withQuerier<T>(
  queryable: Queryable,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
  work: (querier: Querier) => T,
): T {
  const querier = queryable.querier(minMs, maxMs);
  try {
    return work(querier);
  } finally {
    querier.close();
  }
}

/** Asked for one more than is wanted, a source shows whether there would be more. */
function probeLimit(limit: number): number {
  return limit > 0 ? limit + 1 : 0;
}

function cut<T>(items: readonly T[], limit: number, warnings: string[]): readonly T[] {
  if (limit <= 0 || items.length <= limit) return items;
  warnings.push(TRUNCATED_WARNING);
  return items.slice(0, limit);
}

/** Joins sorted lists into one, without doubles. */
function union<T>(lists: readonly (readonly T[])[], compare: (a: T, b: T) => number): readonly T[] {
  const [only] = lists;
  if (lists.length === 1) return only!;
  const all = lists.flat().sort(compare);
  return all.filter((item, index) => index === 0 || compare(all[index - 1]!, item) !== 0);
}

/**
 * @param name  of the label whose values are wanted; null for the names of labels
 * @returns all of it, or what comes after what was sent ahead
 */
export function answerTexts(
  queryable: Queryable,
  request: SelectionRequest,
  name: string | null,
  sendPiece: Call['sendPiece'],
): Uint8Array {
  const sets = parseSelectors(request.selectors);
  const limit = probeLimit(request.limit);
  const warnings: string[] = [];
  const lists = withQuerier(queryable, request, (querier) =>
    (sets.length === 0 ? NO_MATCHERS : sets).map((matchers) => {
      const found =
        name === null
          ? querier.labelNames(matchers, limit)
          : querier.labelValues(name, matchers, limit);
      warnings.push(...found.warnings.filter((warning) => warning !== TRUNCATED_WARNING));
      return found.texts;
    }),
  );
  const texts = cut(union(lists, compareText), request.limit, warnings);
  // The client may be slow; the database is not kept open for it.
  return writeTextsAnswer(texts, warnings, sendPiece);
}

/** Names of labels or values of one that are like what somebody types. */
export function answerSearch(queryable: Queryable, request: SearchRequest): SearchAnswer {
  const sets = parseSelectors(request.selectors);
  const { label } = request;
  const warnings: string[] = [];
  return withQuerier(queryable, request, (querier) => {
    const lists = (sets.length === 0 ? NO_MATCHERS : sets).map((matchers) => {
      const found =
        label === null ? querier.labelNames(matchers) : querier.labelValues(label, matchers);
      warnings.push(...found.warnings);
      return found.texts;
    });
    return { ...searchTexts(union(lists, compareText), request.search), warnings };
  });
}

/** @returns all of it, or what comes after what was sent ahead */
export function answerSeries(
  queryable: Queryable,
  request: SelectionRequest,
  sendPiece: Call['sendPiece'],
): Uint8Array {
  const sets = parseSelectors(request.selectors);
  const { minMs, maxMs } = request;
  const hints = {
    minMs,
    maxMs,
    labelsOnly: true,
    function: 'series',
    limit: probeLimit(request.limit),
  };
  const warnings: string[] = [];
  const lists = withQuerier(queryable, request, (querier) =>
    sets.map((matchers) => {
      const selected = querier.select(matchers, hints);
      warnings.push(...selected.warnings.filter((warning) => warning !== TRUNCATED_WARNING));
      return selected.labels;
    }),
  );
  const found = cut(union(lists, compareLabels), request.limit, warnings);
  return writeSeriesAnswer(found, warnings, sendPiece);
}

export type FederationJob = FederationRequest & {
  readonly nowMs: number;
  readonly lookbackMs: number;
  readonly externalLabels: Readonly<Record<string, string>>;
};

/** @returns all of it, or what comes after what was sent ahead */
export function answerFederation(
  queryable: Queryable,
  job: FederationJob,
  sendPiece: Call['sendPiece'],
): Uint8Array {
  const sets = job.selectors.map((text) => parseSelector(text));
  const range = { minMs: job.nowMs - job.lookbackMs, maxMs: job.nowMs };
  const samples = withQuerier(queryable, range, (querier) => newestSamples(querier, sets, range));
  return writeFederation(samples, Labels.fromObject(job.externalLabels), job.format, sendPiece);
}

function newestSamples(
  querier: Querier,
  sets: readonly (readonly Matcher[])[],
  range: { readonly minMs: number; readonly maxMs: number },
): FederatedSample[] {
  const buffer = new SampleBuffer();
  const found: FederatedSample[] = [];
  for (const matchers of sets) {
    const selected = querier.select(matchers, range);
    selected.labels.forEach((labels, row) => {
      selected.read(row, range.minMs, range.maxMs, buffer);
      const sample = newestOf(buffer, labels);
      if (sample !== null) found.push(sample);
    });
  }
  if (sets.length === 1) return found;
  found.sort((a, b) => compareLabels(a.labels, b.labels));
  return found.filter(
    ({ labels }, index) => index === 0 || compareLabels(found[index - 1]!.labels, labels) !== 0,
  );
}

/** Null when there is no sample, or when the newest says that the series has ended. */
function newestOf(buffer: SampleBuffer, labels: Labels): FederatedSample | null {
  const last = buffer.count - 1;
  if (last < 0) return null;
  const histogram = buffer.histograms?.[last] ?? null;
  const isStale = histogram === null ? isStaleAt(buffer.values, last) : isStaleHistogram(histogram);
  if (isStale) return null;
  return {
    labels,
    timestampMs: buffer.timestampsMs[last]!,
    value: buffer.values[last]!,
    histogram,
  };
}

function isStaleHistogram({ sum }: FloatHistogram): boolean {
  return highBits(sum) === STALE_NAN_HIGH && lowBits(sum) === STALE_NAN_LOW;
}
