/**
 * What this server can do, for `/api/v1/features`. Keys are those of Prometheus 3.14; what is not
 * there yet is false, because clients switch parts of themselves on by it.
 */
import type { Features } from '../web/index.ts';
import { DISCOVERY_MECHANISMS } from './config/index.ts';
import type { Feature, FlagValues } from './flags.ts';
import type { LanguageFeatures } from './language.ts';

const OPERATORS = [
  '!=',
  '!~',
  '%',
  '*',
  '+',
  '-',
  '/',
  '<',
  '</',
  '<=',
  '==',
  '=~',
  '>',
  '>/',
  '>=',
  '@',
  '^',
  'and',
  'atan2',
  'avg',
  'bottomk',
  'count',
  'count_values',
  'group',
  'max',
  'min',
  'or',
  'quantile',
  'stddev',
  'stdvar',
  'sum',
  'topk',
  'unless',
];
/** Beyond those of Go. */
const TEMPLATE_FUNCTIONS = [
  'args',
  'externalURL',
  'first',
  'graphLink',
  'humanize',
  'humanize1024',
  'humanizeDuration',
  'humanizePercentage',
  'humanizeTimestamp',
  'label',
  'match',
  'now',
  'parseDuration',
  'pathPrefix',
  'query',
  'reReplaceAll',
  'safeHtml',
  'sortByLabel',
  'stripDomain',
  'stripPort',
  'strvalue',
  'tableLink',
  'title',
  'toDuration',
  'toLower',
  'toTime',
  'toUpper',
  'urlQueryEscape',
  'value',
];
/** Roles of the mechanism `aws` that are listed beside it. */
const AWS_ROLES = ['ecs', 'elasticache', 'msk', 'rds'];
const EXPERIMENTAL_OPERATORS = ['limit_ratio', 'limitk'];

function allOf(names: readonly string[], value: boolean): Record<string, boolean> {
  return Object.fromEntries(names.map((name) => [name, value]));
}

export function serverFeatures(
  flags: FlagValues,
  names: ReadonlySet<Feature>,
  language: LanguageFeatures,
): Features {
  const experimental = names.has('promql-experimental-functions');
  const features: Features = {
    api: {
      admin: flags['web.enable-admin-api'],
      exclude_alerts: true,
      label_values_match: true,
      lifecycle: flags['web.enable-lifecycle'],
      'openapi_3.1': true,
      'openapi_3.2': true,
      otlp_write_receiver: flags['web.enable-otlp-receiver'],
      query_stats: true,
      query_warnings: true,
      remote_write_receiver: flags['web.enable-remote-write-receiver'],
      search: names.has('search-api'),
      search_fuzz_alg_jarowinkler: names.has('search-api'),
      search_fuzz_alg_subsequence: names.has('search-api'),
      time_range_labels: true,
      time_range_series: true,
    },
    otlp_receiver: {
      delta_conversion: names.has('otlp-deltatocumulative'),
      native_delta_ingestion: names.has('otlp-native-delta-ingestion'),
    },
    prometheus: {
      agent_mode: flags.agent,
      auto_reload_config: flags['config.auto-reload'],
      server_mode: !flags.agent,
      stringlabels: false,
    },
    promql: {
      anchored: names.has('promql-extended-range-selectors'),
      at_modifier: true,
      bool: true,
      by: true,
      delayed_name_removal: names.has('promql-delayed-name-removal'),
      duration_expr: true,
      fill: names.has('promql-binop-fill-modifiers'),
      fill_left: names.has('promql-binop-fill-modifiers'),
      fill_right: names.has('promql-binop-fill-modifiers'),
      group_left: true,
      group_right: true,
      ignoring: true,
      negative_offset: true,
      offset: true,
      on: true,
      per_query_lookback_delta: true,
      per_step_stats: names.has('promql-per-step-stats'),
      smoothed: names.has('promql-extended-range-selectors'),
      subqueries: true,
      type_and_unit_labels: names.has('type-and-unit-labels'),
      without: true,
    },
    promql_functions: Object.fromEntries(
      Object.entries(language.functions).map(([name, isExperimental]) => [
        name,
        !isExperimental || experimental,
      ]),
    ),
    promql_operators: {
      ...allOf(OPERATORS, true),
      ...allOf(EXPERIMENTAL_OPERATORS, experimental),
    },
    rules: {
      concurrent_rule_eval: names.has('concurrent-rule-eval'),
      keep_firing_for: true,
      query_offset: true,
    },
    scrape: {
      extra_scrape_metrics: true,
      // Spelt and left out as Prometheus does.
      ...(names.has('st-synthesis') ? { 'st-synthesis': true } : {}),
      start_timestamp_zero_ingestion: names.has('created-timestamp-zero-ingestion'),
      type_and_unit_labels: false,
    },
    service_discovery_providers: Object.fromEntries(
      [...DISCOVERY_MECHANISMS, ...AWS_ROLES].map((name) => [name, true]),
    ),
    templating_functions: allOf(TEMPLATE_FUNCTIONS, true),
    tsdb: {
      delayed_compaction: names.has('delayed-compaction'),
      exemplar_storage: names.has('exemplar-storage'),
      histograms_st_encoding: names.has('histograms-st-encoding'),
      isolation: true,
      native_histograms: true,
      st_storage: names.has('st-storage'),
      use_uncached_io: names.has('use-uncached-io'),
      xor2_encoding: names.has('xor2-encoding'),
    },
    ui: { ui_v2: false, ui_v3: true },
  };
  if (!flags.agent) return features;
  const groups = Object.entries(features).filter(([group]) => !SERVER_GROUPS.has(group));
  return Object.fromEntries(groups);
}

/** Those of which an agent says nothing. */
const SERVER_GROUPS = new Set(['promql', 'promql_functions', 'promql_operators', 'rules', 'tsdb']);
