/**
 * The values of --enable-feature. Source: Prometheus 3.14 command line and "Feature flags".
 */

import { ValueError } from '../../model/index.ts';

/** Listed in the help. */
export const FEATURES = [
  'concurrent-rule-eval',
  'created-timestamp-zero-ingestion',
  'delayed-compaction',
  'exemplar-storage',
  'extra-scrape-metrics',
  'histograms-st-encoding',
  'memory-snapshot-on-shutdown',
  'metadata-wal-records',
  'old-ui',
  'otlp-deltatocumulative',
  'otlp-native-delta-ingestion',
  'promql-binop-fill-modifiers',
  'promql-delayed-name-removal',
  'promql-experimental-functions',
  'promql-extended-range-selectors',
  'promql-per-step-stats',
  'search-api',
  'st-storage',
  'st-synthesis',
  'type-and-unit-labels',
  'use-start-timestamps',
  'use-uncached-io',
  'xor2-encoding',
] as const;
export type Feature = (typeof FEATURES)[number];

/** Accepted without being listed or doing anything; the text is the warning. */
export const FORMER_FEATURES: Readonly<Record<string, string>> = {
  'auto-reload-config':
    'This option for --enable-feature is deprecated. Use --config.auto-reload instead.',
  'fast-startup': 'This option for --enable-feature is a no-op here.',
  'native-histograms':
    'This option for --enable-feature is a no-op. To scrape native histograms, set the scrape_native_histograms scrape config setting to true.',
  'ooo-native-histograms':
    'This option for --enable-feature is now permanently enabled and therefore a no-op.',
  'promql-duration-expr':
    'This option for --enable-feature is now permanently enabled and therefore a no-op.',
};

export type ChosenFeatures = {
  readonly names: ReadonlySet<Feature>;
  /** `--enable-feature=auto-reload-config` stood for --config.auto-reload once. */
  readonly autoReload: boolean;
  readonly warnings: readonly { readonly message: string; readonly option: string }[];
};

/**
 * @param values as given, each may be a comma-separated list
 * @throws ValueError when two of them exclude each other
 */
export function chooseFeatures(values: readonly string[]): ChosenFeatures {
  const names = new Set<Feature>();
  const warnings: { message: string; option: string }[] = [];
  const options = values.flatMap((value) => value.split(','));
  for (const option of options) {
    const feature = FEATURES.find((known) => known === option);
    if (feature !== undefined) {
      names.add(feature);
    } else if (option !== '') {
      const message = FORMER_FEATURES[option] ?? 'Unknown option for --enable-feature';
      warnings.push({ message, option });
    }
  }
  if (names.has('otlp-deltatocumulative') && names.has('otlp-native-delta-ingestion')) {
    throw new ValueError(
      'Error parsing feature list: cannot enable otlp-deltatocumulative and ' +
        'otlp-native-delta-ingestion features at the same time',
    );
  }
  return { names, autoReload: options.includes('auto-reload-config'), warnings };
}
