/**
 * The pieces that lines of the text formats are made of.
 * Source: Prometheus text format 0.0.4, OpenMetrics 1.0.
 */
import {
  formatFloatShort,
  isLegacyLabelName,
  isLegacyMetricName,
  METRIC_NAME,
} from '../../model/index.ts';

/** Inside quotes: backslash, quote and newline are escaped. */
export function escapeLabelValue(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
    : value;
}

/** HELP of the text format keeps quotes; that of OpenMetrics escapes them as well. */
export function escapeHelp(help: string, escapesQuotes: boolean): string {
  const escaped = help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  return escapesQuotes ? escaped.replace(/"/g, '\\"') : escaped;
}

/** A name as it stands behind `# TYPE`: quoted when it is not a legacy one. */
export function quoteMetricName(name: string): string {
  return isLegacyMetricName(name) ? name : `"${escapeLabelValue(name)}"`;
}

/** `name{a="b"}` of names and values in turn, or `{"odd name",a="b"}` where the name needs quotes. */
export function seriesText(name: string, labels: readonly string[]): string {
  const isLegacy = isLegacyMetricName(name);
  if (labels.length === 0 && isLegacy) return name;
  let text = isLegacy ? `${name}{` : `{${quoteMetricName(name)}`;
  let separator = isLegacy ? '' : ',';
  for (let i = 0; i < labels.length; i += 2) {
    const label = labels[i]!;
    if (label === METRIC_NAME) continue;
    const shown = isLegacyLabelName(label) ? label : `"${escapeLabelValue(label)}"`;
    text += `${separator}${shown}="${escapeLabelValue(labels[i + 1]!)}"`;
    separator = ',';
  }
  return `${text}}`;
}

/** OpenMetrics wants a float to look like one. */
export function formatOpenMetricsFloat(value: number): string {
  const text = formatFloatShort(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
