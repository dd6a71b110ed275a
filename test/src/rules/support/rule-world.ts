/** Rules without a server: a clock that tests move, answers that they set, samples that they look at. */
import {
  AppendOutcome,
  Labels,
  Registry,
  SILENT_LOGGER,
  SimulatedClock,
} from '../../../../model/index.ts';
import {
  type Alert,
  type AlertTransition,
  type GroupSetting,
  parseRuleFile,
  RuleManager,
} from '../../../../src/rules/index.ts';
import { RuleMetrics } from '../../../../src/rules/rule-metrics.ts';

export type Row = { readonly labels: Record<string, string>; readonly value: number };
export type Written = {
  readonly series: string;
  readonly timestampMs: number;
  /** Null for a staleness marker. */
  readonly value: number | null;
};
type Sent = { readonly atMs: number; readonly alert: Alert };

export class RuleWorld {
  readonly clock: SimulatedClock;
  readonly registry = new Registry();
  readonly metrics = new RuleMetrics(this.registry);
  /** Query text → what it gives, or the error. */
  readonly answers = new Map<string, readonly Row[] | Error>();
  readonly asked: { readonly query: string; readonly timeMs: number; readonly atMs: number }[] = [];
  written: Written[] = [];
  sent: Sent[] = [];
  transitions: AlertTransition[] = [];
  /** How long a query takes. */
  queryMs = 0;
  manager: RuleManager;

  constructor(startMs = 1_800_000_000_000) {
    this.clock = new SimulatedClock(startMs);
    this.manager = this.restart();
  }

  /** Another process on the same data. */
  restart(options: Partial<GroupSetting> = {}): RuleManager {
    this.manager = new RuleManager({
      clock: this.clock,
      logger: SILENT_LOGGER,
      metrics: this.metrics,
      queries: {
        vector: async (query, timeMs, signal) => {
          this.asked.push({ query, timeMs, atMs: this.clock.nowMs() });
          if (this.queryMs > 0) await this.clock.sleep(this.queryMs, signal);
          const answer = this.answers.get(query) ?? [];
          if (answer instanceof Error) throw answer;
          return {
            labels: answer.map(({ labels }) => Labels.fromObject(labels)),
            values: Float64Array.from(answer, ({ value }) => value),
            histograms: null,
          };
        },
        latest: async ({ metric, alertName, minMs, maxMs }) => {
          const bySeries = new Map<string, Written>();
          for (const sample of this.written) {
            const set = JSON.parse(sample.series) as Record<string, string>;
            const fits = set['__name__'] === metric && set['alertname'] === alertName;
            const isInside = sample.timestampMs >= minMs && sample.timestampMs <= maxMs;
            if (fits && isInside && sample.value !== null) bySeries.set(sample.series, sample);
          }
          const found = [...bySeries.values()];
          return {
            labels: found.map(({ series }) => Labels.fromObject(JSON.parse(series))),
            timestampsMs: Float64Array.from(found, ({ timestampMs }) => timestampMs),
            values: Float64Array.from(found, ({ value }) => value!),
          };
        },
      },
      sink: {
        append: async ({ labels, values, timestampMs, ended }) => {
          labels.forEach((set, row) => {
            this.written.push({ series: seriesText(set), timestampMs, value: values[row]! });
          });
          for (const set of ended) {
            this.written.push({ series: seriesText(set), timestampMs, value: null });
          }
          return new Uint8Array(labels.length).fill(AppendOutcome.Ok);
        },
      },
      template: {
        externalLabels: () => ({ region: 'eu' }),
        externalUrl: 'http://host:9090',
        pathPrefix: '',
      },
      send: (_, alerts) => {
        for (const alert of alerts) this.sent.push({ atMs: this.clock.nowMs(), alert });
      },
      onTransitions: (transitions) => this.transitions.push(...transitions),
      outageToleranceMs: 3_600_000,
      gracePeriodMs: 600_000,
      resendDelayMs: 60_000,
      concurrency: null,
      ...options,
    });
    return this.manager;
  }

  apply(text: string, times = { intervalMs: 60_000, queryOffsetMs: 0 }): Promise<void> {
    return this.manager.apply(parseRuleFile(text, 'rules.yml'), times);
  }

  /** The newest sample of each series whose name is `name`: JSON of the other labels → value. */
  newest(name: string): Record<string, number | null> {
    const found: Record<string, number | null> = {};
    for (const { series, value } of this.written) {
      const { __name__: own, ...labels } = JSON.parse(series) as Record<string, string>;
      if (own === name) found[JSON.stringify(labels)] = value;
    }
    return found;
  }

  metric(name: string): number {
    const family = this.registry.snapshot().find((known) => known.name === name);
    return family?.samples[0]?.value ?? NaN;
  }
}

function seriesText(labels: Labels): string {
  return JSON.stringify(labels.toObject());
}
