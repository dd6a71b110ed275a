/** Figures about sending alerts, under the names that dashboards for Prometheus read. */
import type { Counter, Family, Gauge, Registry } from '../../model/index.ts';

export class NotifierMetrics {
  readonly discovered: Gauge;
  readonly #dropped: Family<Counter>;
  readonly #errors: Family<Counter>;
  readonly #sent: Family<Counter>;
  readonly #queueLength: Family<Gauge>;

  constructor(registry: Registry, queueCapacity: number) {
    const labels = ['alertmanager'];
    const name = (what: string) => `prometheus_notifications_${what}`;
    this.discovered = registry.gauge(
      name('alertmanagers_discovered'),
      'The number of alertmanagers discovered and active.',
    );
    registry
      .gauge(name('queue_capacity'), 'The capacity of the alert notifications queue.')
      .set(queueCapacity);
    this.#dropped = registry.counters(
      name('dropped_total'),
      'Total number of alerts dropped due to errors when sending to Alertmanager.',
      labels,
    );
    this.#errors = registry.counters(
      name('errors_total'),
      'Total number of sent alerts affected by errors.',
      labels,
    );
    this.#sent = registry.counters(name('sent_total'), 'Total number of alerts sent.', labels);
    this.#queueLength = registry.gauges(
      name('queue_length'),
      'The number of alert notifications in the queue.',
      labels,
    );
  }

  of(url: string): Record<'dropped' | 'errors' | 'sent', Counter> & { queueLength: Gauge } {
    return {
      dropped: this.#dropped.labels(url),
      errors: this.#errors.labels(url),
      sent: this.#sent.labels(url),
      queueLength: this.#queueLength.labels(url),
    };
  }

  forget(url: string): void {
    for (const family of [this.#dropped, this.#errors, this.#sent, this.#queueLength]) {
      family.remove(url);
    }
  }
}
