/**
 * The answer to a query as the HTTP API gives it, straight into bytes.
 * Source: Prometheus HTTP API documentation; order of fields as Prometheus 3.14 sends them.
 */
import {
  assert,
  bucketBrackets,
  type FloatHistogram,
  type Labels,
  listBuckets,
  newBucketList,
  usesCustomBuckets,
} from '../../model/index.ts';
import type { MatrixSeries, QueryAnswer, QueryResult } from '../engine/result.ts';
import type { QueryStats } from '../engine/stats.ts';
import { QueryCanceledError } from '../query-errors.ts';
import { JsonBytes, type PieceTaker, TIMESTAMP_SIZE_MAX, writeTimestamp } from './json-bytes.ts';
import { FLOAT_SIZE_MAX, writeFloat } from './shortest-float.ts';

export type WriteOptions = {
  /** Whether statistics go along (`stats=…`). Steps are written where the answer has them. */
  readonly stats?: boolean;
  /** Asked for every series; true gives up. */
  readonly isCanceled?: () => boolean;
  /** Gets a large answer while it is being written; null writes all of it at once. */
  readonly taker?: PieceTaker | null;
};

/**
 * The success envelope, `{"status":"success","data":…}`.
 * @returns all of it, or what comes after the last piece that the taker got, which is never nothing
 */
export function writeQueryAnswer(
  answer: QueryAnswer,
  options: WriteOptions = {},
): Uint8Array<ArrayBuffer> {
  const out = new JsonBytes(takeSpareBytes(), options.taker);
  out.ascii('{"status":"success","data":');
  writeQueryData(out, answer, options);
  if (answer.warnings.length > 0) writeTexts(out, ',"warnings":', answer.warnings);
  if (answer.infos.length > 0) writeTexts(out, ',"infos":', answer.infos);
  out.ascii('}');
  if (out.bytes.length > SPARE_SIZE_MAX) return out.handOut();
  spareBytes = out.bytes;
  return out.finish();
}

/**
 * Answers are written here and copied out when their size is known: fresh memory costs more than
 * the copy, because the system clears it page by page. It grows with the answers, up to a bound.
 */
let spareBytes = new Uint8Array(4096);
const SPARE_SIZE_MAX = 2 ** 22;

/** An answer that outgrew them, or failed on the way, took them with it. */
function takeSpareBytes(): Uint8Array<ArrayBuffer> {
  if (spareBytes.buffer.detached) spareBytes = new Uint8Array(SPARE_SIZE_MAX);
  return spareBytes;
}

/** Only the `data` part. */
export function writeQueryData(
  out: JsonBytes,
  { result, stats }: QueryAnswer,
  options: WriteOptions = {},
): void {
  out.ascii(`{"resultType":"${result.kind}","result":`);
  writeResult(out, result, options);
  if (options.stats) writeStats(out, stats);
  out.ascii('}');
}

function writeResult(out: JsonBytes, result: QueryResult, options: WriteOptions): void {
  switch (result.kind) {
    case 'scalar':
      out.ascii('[');
      out.timestamp(result.timestampMs);
      out.ascii(',');
      out.quotedFloat(result.value);
      out.ascii(']');
      return;
    case 'string':
      out.ascii('[');
      out.timestamp(result.timestampMs);
      out.ascii(',');
      out.string(result.value, true);
      out.ascii(']');
      return;
    case 'vector':
      out.ascii('[');
      result.entries.forEach(({ labels, value, histogram }, i) => {
        out.ascii(i === 0 ? '{"metric":' : ',{"metric":');
        writeLabels(out, labels);
        out.ascii(histogram === null ? ',"value":[' : ',"histogram":[');
        out.timestamp(result.timestampMs);
        out.ascii(',');
        if (histogram === null) out.quotedFloat(value);
        else writeHistogram(out, histogram);
        out.ascii(']}');
        out.passOn();
      });
      out.ascii(']');
      return;
    case 'matrix':
      writeMatrix(out, result.series, options);
  }
}

function writeMatrix(
  out: JsonBytes,
  all: readonly MatrixSeries[],
  { isCanceled }: WriteOptions,
): void {
  const times = new TimestampTexts();
  out.ascii('[');
  all.forEach((series, i) => {
    if (isCanceled?.()) throw new QueryCanceledError('result writing');
    const isShared = series.timestampsMs === all[i + 1]?.timestampsMs;
    out.ascii(i === 0 ? '{"metric":' : ',{"metric":');
    writeLabels(out, series.labels);
    if (series.histograms === null) {
      out.ascii(',"values":[');
      if (isShared || times.has(series.timestampsMs)) writeSharedPoints(out, series, times);
      else writePoints(out, series);
      out.ascii(']}');
      out.passOn();
      return;
    }
    const { histograms } = series;
    writeSome(
      out,
      ',"values":[',
      series,
      (at) => histograms[at] === null,
      (at) => {
        out.quotedFloat(series.values[at]!);
      },
    );
    writeSome(
      out,
      ',"histograms":[',
      series,
      (at) => histograms[at] !== null,
      (at) => {
        writeHistogram(out, histograms[at]!);
      },
    );
    out.ascii('}');
  });
  out.ascii(']');
}

/** The samples that `belongs` chooses, as a list that is left out when it is empty. */
function writeSome(
  out: JsonBytes,
  opening: string,
  { timestampsMs, count }: MatrixSeries,
  belongs: (at: number) => boolean,
  writeValue: (at: number) => void,
): void {
  let isFirst = true;
  for (let at = 0; at < count; at++) {
    if (!belongs(at)) continue;
    out.ascii(isFirst ? `${opening}[` : ',[');
    isFirst = false;
    out.timestamp(timestampsMs[at]!);
    out.ascii(',');
    writeValue(at);
    out.ascii(']');
    out.passOn();
  }
  if (!isFirst) out.ascii(']');
}

/** `,[1700000000,"` for every time of an array: series of one query mostly share their times. */
class TimestampTexts {
  #timestampsMs: Float64Array | null = null;
  /** The texts in groups of `wordCount` words, which are written whole: what is past the end of a
   * text gets overwritten by the value. ASCII is never the pattern of a NaN, so all bits survive. */
  words = new Float64Array(0);
  wordCount = 0;
  sizes = new Uint8Array(0);

  has(timestampsMs: Float64Array): boolean {
    return timestampsMs === this.#timestampsMs;
  }

  prepare(timestampsMs: Float64Array): void {
    if (this.has(timestampsMs)) return;
    this.#timestampsMs = timestampsMs;
    const count = timestampsMs.length;
    this.sizes = new Uint8Array(count);
    const texts = new JsonBytes(new Uint8Array(count * TEXT_SIZE_MAX));
    let longest = 0;
    for (let i = 0; i < count; i++) {
      texts.length = i * TEXT_SIZE_MAX;
      texts.ascii(',[');
      texts.timestamp(timestampsMs[i]!);
      texts.ascii(',"');
      this.sizes[i] = texts.length - i * TEXT_SIZE_MAX;
      if (this.sizes[i]! > longest) longest = this.sizes[i]!;
    }
    this.wordCount = Math.ceil(longest / WORD_SIZE);
    this.words = new Float64Array(count * this.wordCount);
    for (let i = 0; i < this.words.length; i++) {
      const group = Math.floor(i / this.wordCount);
      const at = group * TEXT_SIZE_MAX + (i - group * this.wordCount) * WORD_SIZE;
      this.words[i] = texts.view.getFloat64(at, true);
    }
  }
}

const WORD_SIZE = 8;
const TEXT_SIZE_MAX = 40;
assert(TEXT_SIZE_MAX >= TIMESTAMP_SIZE_MAX + 4 && TEXT_SIZE_MAX % WORD_SIZE === 0, 'whole words');

/** Points that room is made for at once: a series of an instant query may have millions. */
const RUN_COUNT_MAX = 8192;

function writePoints(out: JsonBytes, series: MatrixSeries): void {
  for (let from = 0; from < series.count; from += RUN_COUNT_MAX) {
    writePointRun(out, series, from, Math.min(series.count, from + RUN_COUNT_MAX));
    out.passOn();
  }
}

function writePointRun(
  out: JsonBytes,
  { timestampsMs, values }: MatrixSeries,
  from: number,
  to: number,
): void {
  out.reserve((to - from) * (FLOAT_SIZE_MAX + TIMESTAMP_SIZE_MAX + 6));
  const { bytes, view } = out;
  let position = out.length;
  for (let i = from; i < to; i++) {
    if (i > 0) bytes[position++] = 0x2c;
    bytes[position++] = 0x5b;
    position = writeTimestamp(bytes, view, position, timestampsMs[i]!);
    bytes[position++] = 0x2c;
    bytes[position++] = 0x22;
    position = writeFloat(bytes, view, position, values[i]!);
    bytes[position++] = 0x22;
    bytes[position++] = 0x5d;
  }
  out.length = position;
}

function writeSharedPoints(out: JsonBytes, series: MatrixSeries, times: TimestampTexts): void {
  times.prepare(series.timestampsMs);
  for (let from = 0; from < series.count; from += RUN_COUNT_MAX) {
    writeSharedRun(out, series, times, from, Math.min(series.count, from + RUN_COUNT_MAX));
    out.passOn();
  }
}

function writeSharedRun(
  out: JsonBytes,
  { values }: MatrixSeries,
  { words, wordCount, sizes }: TimestampTexts,
  from: number,
  to: number,
): void {
  out.reserve((to - from) * (wordCount * WORD_SIZE + FLOAT_SIZE_MAX + 2));
  const { bytes, view } = out;
  const start = out.length;
  let position = start;
  let previous = NaN;
  let previousStart = 0;
  let previousEnd = 0;
  for (let i = from; i < to; i++) {
    for (let word = 0; word < wordCount; word++) {
      view.setFloat64(position + word * WORD_SIZE, words[i * wordCount + word]!, true);
    }
    position += sizes[i]!;
    const value = values[i]!;
    const valueStart = position;
    // At small steps a sample comes again and again. Zero has a sign that === does not see.
    if (value === previous && value !== 0) {
      for (let at = previousStart; at < previousEnd; ) bytes[position++] = bytes[at++]!;
    } else {
      position = writeFloat(bytes, view, position, value);
    }
    previous = value;
    previousStart = valueStart;
    previousEnd = position;
    bytes[position++] = 0x22;
    bytes[position++] = 0x5d;
  }
  if (from === 0) {
    // No comma before the first.
    bytes.copyWithin(start, start + 1, position);
    position--;
  }
  out.length = position;
}

function writeLabels(out: JsonBytes, labels: Labels): void {
  const { flat } = labels;
  out.byte(0x7b);
  for (let i = 0; i < flat.length; i += 2) {
    if (i > 0) out.byte(0x2c);
    out.string(flat[i]!);
    out.byte(0x3a);
    out.string(flat[i + 1]!);
  }
  out.byte(0x7d);
}

const buckets = newBucketList();
/** Which ends belong to a bucket, as the API numbers it. */
const BOUNDARY_RULES: Readonly<Record<string, string>> = {
  '(]': '0',
  '[)': '1',
  '()': '2',
  '[]': '3',
};

function writeHistogram(out: JsonBytes, histogram: FloatHistogram): void {
  out.ascii('{"count":');
  out.quotedFloat(histogram.count);
  out.ascii(',"sum":');
  out.quotedFloat(histogram.sum);
  listBuckets(histogram, buckets);
  const custom = usesCustomBuckets(histogram);
  let isFirst = true;
  for (let i = 0; i < buckets.size; i++) {
    const count = buckets.counts[i]!;
    if (count === 0) continue;
    const lower = buckets.lowers[i]!;
    const upper = buckets.uppers[i]!;
    const [open, close] = bucketBrackets(lower, upper, custom);
    out.ascii(isFirst ? ',"buckets":[[' : ',[');
    isFirst = false;
    out.ascii(BOUNDARY_RULES[open + close]!);
    for (const number of [lower, upper, count]) {
      out.byte(0x2c);
      out.quotedFloat(number);
    }
    out.byte(0x5d);
  }
  out.ascii(isFirst ? '}' : ']}');
}

function writeTexts(out: JsonBytes, opening: string, texts: readonly string[]): void {
  out.ascii(opening);
  texts.forEach((text, i) => {
    out.ascii(i === 0 ? '[' : ',');
    out.string(text, true);
  });
  out.ascii(']');
}

function writeStats(out: JsonBytes, { timings, samples }: QueryStats): void {
  const { evalTotalTime, resultSortTime, queryPreparationTime } = timings;
  const { innerEvalTime, execQueueTime, execTotalTime } = timings;
  const seconds = {
    evalTotalTime,
    resultSortTime,
    queryPreparationTime,
    innerEvalTime,
    execQueueTime,
    execTotalTime,
  };
  out.ascii(`,"stats":{"timings":${JSON.stringify(seconds, toNanoseconds)},"samples":{`);
  const { perStep } = samples;
  if (perStep !== null) {
    writeSteps(
      out,
      'totalQueryableSamplesPerStep',
      perStep.timestampsMs,
      perStep.totalQueryableSamples,
    );
  }
  out.ascii(`"totalQueryableSamples":${samples.totalQueryableSamples},`);
  if (perStep !== null) {
    writeSteps(out, 'samplesReadPerStep', perStep.timestampsMs, perStep.samplesRead);
  }
  out.ascii(`"samplesRead":${samples.samplesRead},"peakSamples":${samples.peakSamples}}}`);
}

/** Seconds are shown to the nanosecond. */
function toNanoseconds(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1e9) / 1e9 : value;
}

function writeSteps(
  out: JsonBytes,
  name: string,
  timestampsMs: Float64Array,
  counts: Float64Array,
): void {
  out.ascii(`"${name}":[`);
  for (let i = 0; i < counts.length; i++) {
    out.ascii(i === 0 ? '[' : ',[');
    out.timestamp(timestampsMs[i]!);
    out.ascii(`,${counts[i]}]`);
  }
  out.ascii('],');
}
