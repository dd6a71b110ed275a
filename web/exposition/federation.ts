/**
 * What /federate answers: the newest sample of many series, each with its time.
 *
 * Floats are `untyped`, because their type is not known here. Native histograms appear as classic
 * ones in text when their bounds are custom, and not at all when they are exponential: those need
 * protobuf. Observed on Prometheus 3.14; its documentation on federation explains why one name may
 * appear with several types.
 */
import {
  compareText,
  type FloatHistogram,
  formatFloatShort,
  type Labels,
  METRIC_NAME,
  spanIndexes,
  usesCustomBuckets,
} from '../../model/index.ts';
import { memoize } from '../memoize.ts';
import { PieceText, type TakePiece } from '../piece-writer.ts';
import { writeFamilyMessages } from './family-message.ts';
import { quoteMetricName, seriesText } from './line-text.ts';
import { escapeLabelName, escapeMetricName, type EscapingScheme } from './names.ts';
import type { ExpositionFormat } from './negotiate.ts';

export type FederatedSample = {
  readonly labels: Labels;
  readonly timestampMs: number;
  /** Without meaning beside a histogram. */
  readonly value: number;
  readonly histogram: FloatHistogram | null;
};

/** What is written under one `# TYPE`. */
export type FederatedType = 'untyped' | 'histogram' | 'gaugehistogram';
export type FederatedFamily = {
  readonly name: string;
  readonly type: FederatedType;
  readonly rows: readonly FederatedRow[];
};
export type FederatedRow = {
  readonly sample: FederatedSample;
  /** `[name, value, …]`, names escaped, without the metric name. */
  readonly labels: readonly string[];
};

/**
 * The body of an answer. `samples` come in any order; series without a name are left out.
 * Every sample gets those `externalLabels` that it has not, and an empty `instance` where it has
 * none, so that the scraping server does not put its own there.
 * @param takePiece  null writes all of it at once
 * @returns all of it, or what comes after the last piece
 */
export function writeFederation(
  samples: readonly FederatedSample[],
  externalLabels: Labels,
  format: ExpositionFormat,
  takePiece: TakePiece | null = null,
): Uint8Array {
  const families = groupFamilies(samples, externalLabels, format.escaping);
  if (format.kind === 'protobuf') return writeFamilyMessages(families, takePiece);
  const text = new PieceText(takePiece);
  for (const family of families) putFamily(text, family);
  return text.end();
}

/** One after the other: labels in the form of an answer take more memory than the samples. */
function* groupFamilies(
  samples: readonly FederatedSample[],
  externalLabels: Labels,
  escaping: EscapingScheme,
): Generator<FederatedFamily> {
  // Series of one name stay in the order in which they came.
  const byName = Map.groupBy(samples, ({ labels }) => labels.get(METRIC_NAME));
  byName.delete('');
  const added = [
    ...(externalLabels.has('instance') ? externalLabels : withInstance(externalLabels)),
  ];
  const escape = memoize((name) => escapeLabelName(name, escaping));
  for (const name of [...byName.keys()].sort(compareText)) {
    const own = byName.get(name)!;
    for (let start = 0, end = 0; start < own.length; start = end) {
      const type = typeOf(own[start]!.histogram);
      while (end < own.length && typeOf(own[end]!.histogram) === type) end++;
      const rows = own
        .slice(start, end)
        .map((sample) => ({ sample, labels: labelsOf(sample.labels, added, escape) }));
      yield { name: escapeMetricName(name, escaping), type, rows };
    }
  }
}

function withInstance(labels: Labels): Iterable<readonly [string, string]> {
  const pairs = [...labels, ['instance', ''] as const];
  return pairs.sort(([a], [b]) => compareText(a, b));
}

function typeOf(histogram: FloatHistogram | null): FederatedType {
  if (histogram === null) return 'untyped';
  return histogram.hint === 'gauge' ? 'gaugehistogram' : 'histogram';
}

function labelsOf(
  own: Labels,
  added: readonly (readonly [string, string])[],
  escape: (name: string) => string,
): string[] {
  const labels: string[] = [];
  const { flat } = own;
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]!;
    if (name !== METRIC_NAME) labels.push(escape(name), flat[i + 1]!);
  }
  for (const [name, value] of added) {
    if (!own.has(name)) labels.push(escape(name), value);
  }
  return labels;
}

/** Nothing at all where no sample can be shown. */
function putFamily(text: PieceText, { name, type, rows }: FederatedFamily): void {
  const shownType = type === 'gaugehistogram' ? 'histogram' : type;
  let isEmpty = true;
  for (const { sample, labels } of rows) {
    const { histogram, timestampMs } = sample;
    if (histogram !== null && !usesCustomBuckets(histogram)) continue;
    if (isEmpty) text.add(`# TYPE ${quoteMetricName(name)} ${shownType}\n`);
    isEmpty = false;
    if (histogram === null) {
      const value = formatFloatShort(sample.value);
      text.add(`${seriesText(name, labels)} ${value} ${timestampMs}\n`);
    } else {
      text.add(classicText(name, labels, histogram, timestampMs));
    }
  }
}

function classicText(
  name: string,
  labels: readonly string[],
  histogram: FloatHistogram,
  timestampMs: number,
): string {
  const { customBounds, positiveCounts } = histogram;
  const perBound = new Float64Array(customBounds.length + 1);
  spanIndexes(histogram.positiveSpans).forEach((index, i) => {
    perBound[Math.min(index, customBounds.length)]! += positiveCounts[i]!;
  });
  const line = (suffix: string, value: number, more: readonly string[] = []) => {
    const series = seriesText(name + suffix, [...labels, ...more]);
    return `${series} ${formatFloatShort(value)} ${timestampMs}\n`;
  };
  let text = '';
  let cumulative = 0;
  customBounds.forEach((bound, i) => {
    cumulative += perBound[i]!;
    text += line('_bucket', cumulative, ['le', formatFloatShort(bound)]);
  });
  text += line('_bucket', histogram.count, ['le', '+Inf']);
  return text + line('_sum', histogram.sum) + line('_count', histogram.count);
}
