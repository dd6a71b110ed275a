/**
 * Messages of the server to whoever looks at its pages: each holds from `add` to `remove`, and
 * subscribers hear of both. Source: Prometheus HTTP API, notifications.
 */
import type { Gauge, Counter, Registry } from '../model/index.ts';
import type { Notification, NotificationsPort } from './ports.ts';

/** Texts of Prometheus, which its tools and ours know. */
export const NOTIFICATION_TEXTS = {
  reloadFailed: 'Configuration reload has failed.',
  starting: 'Prometheus is starting and replaying the write-ahead log (WAL).',
  stopping: 'Prometheus is shutting down and gracefully stopping all operations.',
} as const;

type Listener = (notification: Notification) => boolean;

export class NotificationBoard implements NotificationsPort {
  readonly #subscriberCountMax: number;
  readonly #nowMs: () => number;
  readonly #active = new Map<string, Notification>();
  readonly #listeners = new Set<Listener>();
  readonly #subscribers: Gauge;
  readonly #sent: Counter;
  readonly #dropped: Counter;

  constructor(options: {
    /** `--web.max-notifications-subscribers`. */
    readonly subscriberCountMax: number;
    readonly nowMs: () => number;
    readonly registry: Registry;
  }) {
    this.#subscriberCountMax = options.subscriberCountMax;
    this.#nowMs = options.nowMs;
    this.#subscribers = options.registry.gauge(
      'prometheus_api_notification_active_subscribers',
      'The current number of active notification subscribers.',
    );
    this.#sent = options.registry.counter(
      'prometheus_api_notification_updates_sent_total',
      'Total number of notification updates sent.',
    );
    this.#dropped = options.registry.counter(
      'prometheus_api_notification_updates_dropped_total',
      'Total number of notification updates dropped.',
    );
  }

  /** Does nothing when the text is there already. */
  add(text: string): void {
    if (this.#active.has(text)) return;
    const notification = { text, dateMs: this.#nowMs(), active: true };
    this.#active.set(text, notification);
    this.#tell(notification);
  }

  /** Does nothing when the text is not there. */
  remove(text: string): void {
    const notification = this.#active.get(text);
    if (notification === undefined) return;
    this.#active.delete(text);
    this.#tell({ ...notification, active: false });
  }

  active(): readonly Notification[] {
    return [...this.#active.values()];
  }

  subscribe(listener: Listener): (() => void) | null {
    if (this.#listeners.size >= this.#subscriberCountMax) return null;
    this.#listeners.add(listener);
    this.#subscribers.set(this.#listeners.size);
    return () => {
      this.#listeners.delete(listener);
      this.#subscribers.set(this.#listeners.size);
    };
  }

  #tell(notification: Notification): void {
    for (const listener of this.#listeners) {
      const figure = listener(notification) ? this.#sent : this.#dropped;
      figure.increase();
    }
  }
}
