/**
 * A server's figures about itself as text.
 *
 *     # HELP http_requests_total Requests that were answered.
 *     # TYPE http_requests_total counter
 *     http_requests_total{code="200"} 3
 *
 * Families without children are left out; children come in the order of their label values.
 * Source: Prometheus text format 0.0.4, OpenMetrics 1.0.
 */
import {
  compareText,
  formatFloatShort,
  type MetricFamily,
  type MetricSample,
} from '../../model/index.ts';
import { escapeHelp, formatOpenMetricsFloat, seriesText } from './line-text.ts';

export function writeFamiliesText(families: readonly MetricFamily[]): string {
  let text = '';
  for (const family of families) {
    if (family.samples.length === 0) continue;
    text += `# HELP ${family.name} ${escapeHelp(family.help, false)}\n`;
    text += `# TYPE ${family.name} ${family.kind}\n`;
    text += samplesText(family, family.name, formatFloatShort);
  }
  return text;
}

export function writeFamiliesOpenMetrics(families: readonly MetricFamily[]): string {
  let text = '';
  for (const family of families) {
    if (family.samples.length === 0) continue;
    // A counter that is not called `…_total` cannot be one here; its name must stay as it is.
    const isCounter = family.kind === 'counter' && family.name.endsWith('_total');
    const name = isCounter ? family.name.slice(0, -'_total'.length) : family.name;
    const type = family.kind === 'counter' && !isCounter ? 'unknown' : family.kind;
    text += `# HELP ${name} ${escapeHelp(family.help, true)}\n# TYPE ${name} ${type}\n`;
    text += samplesText(family, family.name, formatOpenMetricsFloat);
  }
  return `${text}# EOF\n`;
}

type FormatFloat = (value: number) => string;

function samplesText(family: MetricFamily, name: string, format: FormatFloat): string {
  // Label names stand sorted, whatever order the code registered them in.
  const order = family.labelNames.map((_, i) => i);
  order.sort((a, b) => compareText(family.labelNames[a]!, family.labelNames[b]!));
  const rows = family.samples.map((sample) => ({
    sample,
    labels: order.flatMap((i) => [family.labelNames[i]!, sample.labels[i]!]),
  }));
  rows.sort((a, b) => compareRows(a.labels, b.labels));
  let text = '';
  for (const { sample, labels } of rows) {
    switch (family.kind) {
      case 'histogram':
        text += bucketsText(family, name, sample, labels, format);
        break;
      case 'summary':
        text += quantilesText(family, name, sample, labels, format);
        break;
      case 'counter':
      case 'gauge':
        text += `${seriesText(name, labels)} ${format(sample.value)}\n`;
    }
  }
  return text;
}

function compareRows(a: readonly string[], b: readonly string[]): number {
  for (let i = 1; i < a.length; i += 2) {
    const order = compareText(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

function bucketsText(
  family: MetricFamily,
  name: string,
  sample: MetricSample,
  labels: readonly string[],
  format: FormatFloat,
): string {
  const counts = sample.parts ?? [];
  let text = '';
  family.bounds.forEach((bound, i) => {
    text += `${seriesText(`${name}_bucket`, [...labels, 'le', format(bound)])} ${counts[i] ?? 0}\n`;
  });
  const count = sample.count ?? 0;
  text += `${seriesText(`${name}_bucket`, [...labels, 'le', '+Inf'])} ${count}\n`;
  return text + sumAndCountText(name, sample, labels, format);
}

function quantilesText(
  family: MetricFamily,
  name: string,
  sample: MetricSample,
  labels: readonly string[],
  format: FormatFloat,
): string {
  const values = sample.parts ?? [];
  let text = '';
  family.bounds.forEach((quantile, i) => {
    const series = seriesText(name, [...labels, 'quantile', format(quantile)]);
    text += `${series} ${format(values[i] ?? NaN)}\n`;
  });
  return text + sumAndCountText(name, sample, labels, format);
}

function sumAndCountText(
  name: string,
  sample: MetricSample,
  labels: readonly string[],
  format: FormatFloat,
): string {
  const sum = `${seriesText(`${name}_sum`, labels)} ${format(sample.value)}\n`;
  return `${sum}${seriesText(`${name}_count`, labels)} ${sample.count ?? 0}\n`;
}
