/** What a job pushes: a body in an exposition format, under the labels of its group. */
import {
  type FloatHistogram,
  type Histogram,
  type Labels,
  LabelsBuilder,
  METRIC_NAME,
  type MetricMetadata,
  ValueError,
} from '../../model/index.ts';
import { readExposition } from '../../scrape/index.ts';

export type PushedSeries = {
  readonly labels: Labels;
  readonly value: number;
  /** Null for floats. */
  readonly histogram: Histogram | FloatHistogram | null;
};
/** Series by the name of their family: what a later push of the same name replaces. */
export type PushedFamilies = ReadonlyMap<string, readonly PushedSeries[]>;

/** Series that belong to the family without the suffix, where that has one of these types. */
const SUFFIX_TYPES: Readonly<Record<string, readonly string[]>> = {
  _bucket: ['histogram', 'gaugehistogram'],
  _sum: ['histogram', 'summary'],
  _count: ['histogram', 'summary'],
  _gsum: ['gaugehistogram'],
  _gcount: ['gaugehistogram'],
  _total: ['counter'],
  _created: ['counter', 'histogram', 'summary'],
  _info: ['info'],
};

/**
 * @param groupLabels  take the place of equally named ones in the body; empty ones remove them
 * @throws ExpositionError, ValueError  saying what is wrong with the body
 */
export function readPush(
  body: Uint8Array,
  contentType: string,
  groupLabels: Readonly<Record<string, string>>,
): PushedFamilies {
  const { samples, repeatedCount, metadata } = readExposition(body, contentType);
  if (repeatedCount > 0) throw repeated('a metric');
  const seen = new Set<string>();
  const families = new Map<string, PushedSeries[]>();
  for (const { labels: given, value, histogram, hasTimestamp } of samples) {
    if (hasTimestamp) throw new ValueError('pushed metrics must not have timestamps');
    const builder = new LabelsBuilder(given);
    for (const [name, text] of Object.entries(groupLabels)) builder.set(name, text);
    const labels = builder.build();
    if (seen.has(labels.key)) {
      throw repeated(String(labels));
    }
    seen.add(labels.key);
    const family = familyOf(labels.get(METRIC_NAME), metadata);
    const series = families.get(family) ?? [];
    series.push({ labels, value, histogram });
    families.set(family, series);
  }
  return families;
}

function repeated(what: string): ValueError {
  return new ValueError(
    `collected metric: ${what} was collected before with the same name and label values`,
  );
}

function familyOf(name: string, metadata: ReadonlyMap<string, MetricMetadata>): string {
  if (metadata.has(name)) return name;
  for (const [suffix, types] of Object.entries(SUFFIX_TYPES)) {
    const base = name.endsWith(suffix) ? name.slice(0, -suffix.length) : null;
    const type = base === null ? undefined : metadata.get(base)?.type;
    if (type !== undefined && types.includes(type)) return base!;
  }
  return name;
}
