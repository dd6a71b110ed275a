/** `global`. */
import {
  compareText,
  isLegacyLabelName,
  MINUTE_MS,
  quoteText,
  SECOND_MS,
} from '../../model/index.ts';
import { labelSet } from './discovery-shapes.ts';
import { expandVariables } from './expand-variables.ts';
import { bool, duration, filePath, size, string, uint } from './scalar-types.ts';
import { nameScheme, protocolsField } from './scrape-shape.ts';
import { field, type Infer, object, shown } from './type.ts';

/** Printed in the order of label sets, which is not that of other maps. */
const externalLabels: typeof labelSet = {
  ...labelSet,
  print: (labels) => new Map(Object.entries(labels).sort(([a], [b]) => compareText(a, b))),
};

const fields = {
  scrape_interval: field(duration, MINUTE_MS),
  scrape_timeout: field(duration, 0),
  scrape_protocols: protocolsField,
  evaluation_interval: field(duration, MINUTE_MS),
  rule_query_offset: field(duration, 0),
  query_log_file: field(filePath, ''),
  scrape_failure_log_file: field(filePath, ''),
  external_labels: field(externalLabels, {}),
  body_size_limit: field(size, 0),
  sample_limit: field(uint, 0),
  target_limit: field(uint, 0),
  label_limit: field(uint, 0),
  label_name_length_limit: field(uint, 0),
  label_value_length_limit: field(uint, 0),
  keep_dropped_targets: field(uint, 0),
  metric_name_validation_scheme: field(nameScheme, 'utf8'),
  metric_name_escaping_scheme: field(string, ''),
  scrape_native_histograms: shown(bool, false),
  convert_classic_histograms_to_nhcb: field(bool, false),
  always_scrape_classic_histograms: field(bool, false),
  extra_scrape_metrics: shown(bool, false),
};

export const globalConfig = object(fields, (value, place) => {
  const scrape_interval = value.scrape_interval || MINUTE_MS;
  if (value.scrape_timeout > scrape_interval) {
    place.fail('global scrape timeout greater than scrape interval', 'scrape_timeout');
  }
  const scheme = value.metric_name_validation_scheme || 'utf8';
  for (const name of Object.keys(value.external_labels)) {
    if (scheme === 'legacy' && !isLegacyLabelName(name)) {
      place.fail(`${quoteText(name)} is not a valid label name`, 'external_labels');
    }
  }
  return {
    ...value,
    scrape_interval,
    scrape_timeout: value.scrape_timeout || Math.min(10 * SECOND_MS, scrape_interval),
    evaluation_interval: value.evaluation_interval || MINUTE_MS,
    metric_name_validation_scheme: scheme,
  };
});
export type GlobalValues = Infer<typeof globalConfig>;

/** `global` of a file that has none. */
export function defaultGlobal(): GlobalValues {
  return {
    ...globalConfig.initial(),
    scrape_timeout: 10 * SECOND_MS,
    // Prometheus shows it here only when there is no global section at all.
    metric_name_escaping_scheme: 'allow-utf-8',
  };
}

/** @returns the external labels with variables of the environment put in, and those it missed */
export function expandExternalLabels(
  labels: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): { labels: Record<string, string>; missing: string[] } {
  const missing: string[] = [];
  const expanded = Object.entries(labels).map(([name, value]) => [
    name,
    expandVariables(value, (variable) => {
      const found = environment[variable];
      if (found === undefined || found === '') missing.push(variable);
      return found ?? '';
    }),
  ]);
  return { labels: Object.fromEntries(expanded) as Record<string, string>, missing };
}
