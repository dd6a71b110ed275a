/** Sends alerts to every Alertmanager there is. */
import { type Clock, type Logger, type Registry, Relabeler } from '../../model/index.ts';
import {
  CloudAuthorizer,
  dialerMetrics,
  HttpClient,
  type TargetGroup,
} from '../../scrape/index.ts';
import type { AlertmanagersPort } from '../../web/index.ts';
import type { AlertmanagerConfig, NotifyConfig } from './alertmanager-config.ts';
import { alertmanagerUrls } from './alertmanager-targets.ts';
import { NotifierMetrics } from './notifier-metrics.ts';
import { type OutgoingAlert, relabelAlerts, withExternalLabels } from './outgoing-alert.ts';
import { type DeliveryReport, SendLoop } from './send-loop.ts';

export type NotifierOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly userAgent: string;
  /** `--alertmanager.notification-queue-capacity` */
  readonly queueCapacity: number;
  /** `--alertmanager.notification-batch-size` */
  readonly batchSizeMax: number;
  /** `--alertmanager.drain-notification-queue-on-shutdown` */
  readonly drains: boolean;
  readonly externalLabels: () => Readonly<Record<string, string>>;
  readonly onDelivery?: DeliveryReport;
};

/** The Alertmanagers of one entry of the configuration. */
type AlertmanagerSet = {
  readonly config: AlertmanagerConfig;
  readonly client: HttpClient;
  readonly authorizer: CloudAuthorizer | null;
  readonly relabeler: Relabeler;
  readonly alertRelabeler: Relabeler;
  readonly loops: Map<string, SendLoop>;
  dropped: readonly string[];
  /** What came before discovery had found anything; null from then on. */
  early: OutgoingAlert[] | null;
};

/** Under this name discovery knows the set at `index`. */
export const setName = (index: number) => `config-${index}`;

export class Notifier implements AlertmanagersPort {
  readonly #options: NotifierOptions;
  readonly #logger: Logger;
  readonly #metrics: NotifierMetrics;
  #relabeler = new Relabeler([]);
  #sets = new Map<string, AlertmanagerSet>();

  constructor(options: NotifierOptions) {
    this.#options = options;
    this.#logger = options.logger.with({ component: 'notifier' });
    this.#metrics = new NotifierMetrics(options.registry, options.queueCapacity);
  }

  /** A set that is configured as before keeps its queues and connections. */
  applyConfig({ alertRelabelConfigs, alertmanagers }: NotifyConfig): void {
    this.#relabeler = new Relabeler(alertRelabelConfigs);
    const before = this.#sets;
    this.#sets = new Map();
    alertmanagers.forEach((config, index) => {
      const name = setName(index);
      const known = before.get(name);
      if (known !== undefined && JSON.stringify(known.config) === JSON.stringify(config)) {
        this.#sets.set(name, known);
        before.delete(name);
      } else this.#sets.set(name, this.#createSet(config));
    });
    for (const set of before.values()) void this.#endSet(set);
    this.#count();
  }

  /** What discovery finds for the set `name`. */
  setTargets(name: string, groups: readonly TargetGroup[]): void {
    const set = this.#sets.get(name);
    if (set === undefined) return;
    const { active, dropped } = alertmanagerUrls(groups, set.config, set.relabeler);
    set.dropped = dropped;
    const wanted = new Set(active);
    for (const [url, loop] of set.loops) {
      if (wanted.has(url)) continue;
      set.loops.delete(url);
      void this.#endLoop(url, loop);
    }
    for (const url of active) {
      if (set.loops.has(url)) continue;
      const loop = this.#createLoop(url, set);
      set.loops.set(url, loop);
      // Rules may be faster than discovery; what they found first is not lost.
      if (set.early !== null && set.early.length > 0) loop.add(set.early);
    }
    // An empty list may only say that no mechanism has answered yet.
    if (active.length > 0) set.early = null;
    this.#count();
  }

  /** @returns what every receiver is told, Alertmanager or not */
  send(alerts: readonly OutgoingAlert[]): readonly OutgoingAlert[] {
    const external = this.#options.externalLabels();
    const common = relabelAlerts(
      alerts.map((alert) => withExternalLabels(alert, external)),
      this.#relabeler,
    );
    for (const set of this.#sets.values()) {
      const { alertRelabeler, loops } = set;
      const own = relabelAlerts(common, alertRelabeler);
      if (own.length > 0) for (const loop of loops.values()) loop.add(own);
      set.early?.push(...own);
      set.early?.splice(0, set.early.length - this.#options.queueCapacity);
    }
    return common;
  }

  async alertmanagers() {
    const sets = [...this.#sets.values()];
    return {
      active: sets.flatMap(({ loops }) => [...loops.keys()]),
      dropped: sets.flatMap(({ dropped }) => dropped),
    };
  }

  /** Sends what waits (when it is told to), then closes all connections. */
  async stop(): Promise<void> {
    const sets = [...this.#sets.values()];
    const loops = sets.flatMap((set) => [...set.loops.values()]);
    if (this.#options.drains) await Promise.all(loops.map((loop) => loop.drain()));
    await Promise.all(loops.map((loop) => loop.stop()));
    await Promise.all(sets.map(closeSet));
    this.#sets.clear();
  }

  #count(): void {
    let count = 0;
    for (const { loops } of this.#sets.values()) count += loops.size;
    this.#metrics.discovered.set(count);
  }

  #createSet(config: AlertmanagerConfig): AlertmanagerSet {
    const { clock, registry, userAgent } = this.#options;
    const { observe } = dialerMetrics(registry, 'alertmanager');
    return {
      config,
      client: new HttpClient(config.httpClient, { clock, userAgent, observe }),
      authorizer:
        config.cloudAuth === null
          ? null
          : new CloudAuthorizer(config.cloudAuth, { clock, userAgent }),
      relabeler: new Relabeler(config.relabelConfigs),
      alertRelabeler: new Relabeler(config.alertRelabelConfigs),
      loops: new Map(),
      dropped: [],
      early: [],
    };
  }

  #createLoop(url: string, { client, authorizer, config }: AlertmanagerSet): SendLoop {
    const { queueCapacity, batchSizeMax, onDelivery = () => {} } = this.#options;
    return new SendLoop({
      url,
      client,
      authorizer,
      timeoutMs: config.timeoutMs,
      queueCapacity,
      batchSizeMax,
      metrics: this.#metrics,
      logger: this.#logger,
      onDelivery,
    });
  }

  async #endSet(set: AlertmanagerSet): Promise<void> {
    await Promise.all([...set.loops].map(([url, loop]) => this.#endLoop(url, loop)));
    await closeSet(set);
  }

  async #endLoop(url: string, loop: SendLoop): Promise<void> {
    await loop.stop();
    const isKnown = [...this.#sets.values()].some(({ loops }) => loops.has(url));
    if (!isKnown) this.#metrics.forget(url);
  }
}

async function closeSet({ client, authorizer }: AlertmanagerSet): Promise<void> {
  await Promise.all([client.close(), authorizer?.close()]);
}
