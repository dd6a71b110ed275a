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
 */
export function writeFederation(
  samples: readonly FederatedSample[],
  externalLabels: Labels,
  format: ExpositionFormat,
): Uint8Array {
  const families = groupFamilies(samples, externalLabels, format.escaping);
  if (format.kind === 'protobuf') return writeFamilyMessages(families);
  return new TextEncoder().encode(families.map(familyText).join(''));
}

function groupFamilies(
  samples: readonly FederatedSample[],
  externalLabels: Labels,
  escaping: EscapingScheme,
): FederatedFamily[] {
  const named = samples.map((sample) => ({ sample, name: sample.labels.get(METRIC_NAME) }));
  // Sorting is stable: series of one name stay in the order in which they came.
  named.sort((a, b) => compareText(a.name, b.name));
  const added = externalLabels.has('instance') ? externalLabels : withInstance(externalLabels);
  const families: { name: string; type: FederatedType; rows: FederatedRow[] }[] = [];
  let before = '';
  for (const { sample, name } of named) {
    if (name === '') continue;
    const type = typeOf(sample.histogram);
    let family = families.at(-1);
    if (family === undefined || before !== name || family.type !== type) {
      family = { name: escapeMetricName(name, escaping), type, rows: [] };
      families.push(family);
    }
    before = name;
    family.rows.push({ sample, labels: labelsOf(sample.labels, added, escaping) });
  }
  return families;
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
  added: Iterable<readonly [string, string]>,
  escaping: EscapingScheme,
): string[] {
  const labels: string[] = [];
  for (const [name, value] of own) {
    if (name !== METRIC_NAME) labels.push(escapeLabelName(name, escaping), value);
  }
  for (const [name, value] of added) {
    if (!own.has(name)) labels.push(escapeLabelName(name, escaping), value);
  }
  return labels;
}

function familyText({ name, type, rows }: FederatedFamily): string {
  let lines = '';
  for (const { sample, labels } of rows) {
    const { histogram, timestampMs } = sample;
    if (histogram === null) {
      const value = formatFloatShort(sample.value);
      lines += `${seriesText(name, labels)} ${value} ${timestampMs}\n`;
    } else if (usesCustomBuckets(histogram)) {
      lines += classicText(name, labels, histogram, timestampMs);
    }
  }
  const shownType = type === 'gaugehistogram' ? 'histogram' : type;
  return lines === '' ? '' : `# TYPE ${quoteMetricName(name)} ${shownType}\n${lines}`;
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
