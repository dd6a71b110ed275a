/**
 * Says why new series are refused: when the head's memory limit is reached, the metric with the most
 * series and the label with the most values are named, in the log and in `/metrics`. Series that
 * exist keep flowing meanwhile. Looked at with every tick; named at most once a minute, because
 * finding the largest means looking at all label pairs.
 */
import type { Clock, Logger, Registry } from '../model/index.ts';
import type { Loudest, RefusalReason } from './db-status.ts';

const REPORT_INTERVAL_MS = 60_000;

export type CardinalityFigures = {
  readonly memoryBytes: number;
  readonly limitBytes: number;
  /** Since the start. */
  readonly refusedSeriesCount: Readonly<Record<RefusalReason, number>>;
};

export type CardinalityGuardOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly figures: () => CardinalityFigures;
  /** Null while there are no series. */
  readonly findLoudest: () => Loudest | null;
};

export class CardinalityGuard {
  readonly #options: CardinalityGuardOptions;
  /** Refused series that were reported. */
  #reportedCount = 0;
  #nextReportMs = -Infinity;
  /** What is shown in the metrics: its label values, to take them away again. */
  #shown: Loudest | null = null;

  constructor(options: CardinalityGuardOptions) {
    this.#options = options;
    options.registry.beforeSnapshot(() => this.#measure());
  }

  /** Reports series that were refused since the last report. */
  check(): void {
    const { clock, logger, figures, findLoudest } = this.#options;
    const { refusedSeriesCount, memoryBytes, limitBytes } = figures();
    const { memory_limit, reference_limit } = refusedSeriesCount;
    const refusedCount = memory_limit + reference_limit;
    if (refusedCount === this.#reportedCount || clock.nowMs() < this.#nextReportMs) return;
    const loudest = findLoudest();
    this.#show(loudest);
    logger.warn('New series are refused, existing ones go on', {
      reason: memory_limit > 0 ? 'memory_limit' : 'reference_limit',
      refused: refusedCount - this.#reportedCount,
      head_bytes: memoryBytes,
      limit_bytes: limitBytes,
      metric: loudest?.metric.name ?? '',
      metric_series: loudest?.metric.value ?? 0,
      label: loudest?.label.name ?? '',
      label_values: loudest?.label.value ?? 0,
    });
    this.#reportedCount = refusedCount;
    this.#nextReportMs = clock.nowMs() + REPORT_INTERVAL_MS;
  }

  #measure(): void {
    const { registry, figures } = this.#options;
    const { refusedSeriesCount, memoryBytes, limitBytes } = figures();
    registry
      .gauge('narthex_tsdb_head_memory_bytes', 'Memory of the head that is in use.')
      .set(memoryBytes);
    registry
      .gauge('narthex_tsdb_head_memory_limit_bytes', 'From here on new series are refused.')
      .set(limitBytes);
    const refused = registry.counters(
      'narthex_tsdb_head_series_refused_total',
      'New series that were refused.',
      ['reason'],
    );
    for (const [reason, count] of Object.entries(refusedSeriesCount)) {
      refused.labels(reason).value = count;
    }
  }

  #show(loudest: Loudest | null): void {
    const { registry } = this.#options;
    const metrics = registry.gauges(
      'narthex_tsdb_head_loudest_metric_series',
      'Series of the metric that had the most when series were refused last.',
      ['metric'],
    );
    const labels = registry.gauges(
      'narthex_tsdb_head_loudest_label_values',
      'Values of the label that had the most when series were refused last.',
      ['label'],
    );
    if (this.#shown !== null) {
      metrics.remove(this.#shown.metric.name);
      labels.remove(this.#shown.label.name);
    }
    this.#shown = loudest;
    if (loudest === null) return;
    metrics.labels(loudest.metric.name).set(loudest.metric.value);
    labels.labels(loudest.label.name).set(loudest.label.value);
  }
}
