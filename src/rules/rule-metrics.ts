/** Figures about rules, under the names that dashboards for Prometheus read. */
import type { Counter, Distribution, Family, Gauge, Registry, Summary } from '../../model/index.ts';

const BUCKETS_SECONDS = [0.01, 0.1, 1, 10];

export type GroupMetrics = {
  readonly evaluations: Counter;
  readonly failures: Counter;
  readonly iterations: Counter;
  readonly missed: Counter;
  readonly intervalSeconds: Gauge;
  readonly lastDurationSeconds: Gauge;
  readonly lastRuleDurationSumSeconds: Gauge;
  readonly lastRestoreDurationSeconds: Gauge;
  readonly lastEvaluationSeconds: Gauge;
  readonly lastSamples: Gauge;
  readonly rules: Gauge;
};

export class RuleMetrics {
  readonly expansions: Counter;
  readonly expansionFailures: Counter;
  readonly ruleSeconds: Summary;
  readonly ruleSecondsHistogram: Distribution;
  readonly groupSeconds: Summary;
  readonly groupSecondsHistogram: Distribution;
  readonly #counters: Readonly<
    Record<'evaluations' | 'failures' | 'iterations' | 'missed', Family<Counter>>
  >;
  readonly #gauges: Readonly<
    Record<
      Exclude<keyof GroupMetrics, 'evaluations' | 'failures' | 'iterations' | 'missed'>,
      Family<Gauge>
    >
  >;

  constructor(registry: Registry) {
    const group = ['rule_group'];
    const counters = (name: string, help: string) =>
      registry.counters(`prometheus_rule_${name}`, help, group);
    const gauges = (name: string, help: string) =>
      registry.gauges(`prometheus_rule_group_${name}`, help, group);
    this.expansions = registry.counter(
      'prometheus_template_text_expansions_total',
      'The total number of template text expansions.',
    );
    this.expansionFailures = registry.counter(
      'prometheus_template_text_expansion_failures_total',
      'The total number of template text expansion failures.',
    );
    this.ruleSeconds = registry
      .summaries(
        'prometheus_rule_evaluation_duration_seconds',
        'The duration for a rule to execute.',
        [],
        [0.5, 0.9, 0.99],
      )
      .labels();
    this.ruleSecondsHistogram = registry
      .histograms(
        'prometheus_rule_evaluation_duration_histogram_seconds',
        'The duration for a rule to execute.',
        [],
        BUCKETS_SECONDS,
      )
      .labels();
    this.groupSeconds = registry
      .summaries(
        'prometheus_rule_group_duration_seconds',
        'The duration of rule group evaluations.',
        [],
        [0.01, 0.05, 0.5, 0.9, 0.99],
      )
      .labels();
    this.groupSecondsHistogram = registry
      .histograms(
        'prometheus_rule_group_duration_histogram_seconds',
        'The duration of rule group evaluations.',
        [],
        BUCKETS_SECONDS,
      )
      .labels();
    this.#counters = {
      evaluations: counters('evaluations_total', 'The total number of rule evaluations.'),
      failures: counters(
        'evaluation_failures_total',
        'The total number of rule evaluation failures.',
      ),
      iterations: counters(
        'group_iterations_total',
        'The total number of scheduled rule group evaluations, whether executed or missed.',
      ),
      missed: counters(
        'group_iterations_missed_total',
        'The total number of rule group evaluations missed due to slow rule group evaluation.',
      ),
    };
    this.#gauges = {
      intervalSeconds: gauges('interval_seconds', 'The interval of a rule group.'),
      lastDurationSeconds: gauges(
        'last_duration_seconds',
        'The duration of the last rule group evaluation.',
      ),
      lastRuleDurationSumSeconds: gauges(
        'last_rule_duration_sum_seconds',
        'The sum of time in seconds it took to evaluate each rule in the group regardless of concurrency.',
      ),
      lastRestoreDurationSeconds: gauges(
        'last_restore_duration_seconds',
        'The duration of the last alert rules alerts restoration.',
      ),
      lastEvaluationSeconds: gauges(
        'last_evaluation_timestamp_seconds',
        'The timestamp of the last rule group evaluation in seconds.',
      ),
      lastSamples: gauges(
        'last_evaluation_samples',
        'The number of samples returned during the last rule group evaluation.',
      ),
      rules: gauges('rules', 'The number of rules.'),
    };
  }

  /** Those of one group; they appear with this. */
  ofGroup(label: string): GroupMetrics {
    const families = { ...this.#counters, ...this.#gauges };
    const pairs = Object.entries(families).map(([name, family]) => [name, family.labels(label)]);
    return Object.fromEntries(pairs);
  }

  forget(label: string): void {
    const families = { ...this.#counters, ...this.#gauges };
    for (const family of Object.values(families)) family.remove(label);
  }
}
