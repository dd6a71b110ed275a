/**
 * Rules and notification as the server sees them: one thing to load, apply and stop. The rules
 * themselves, which bring the query language into this thread, are loaded once there are some.
 */
import type { Database } from 'better-sqlite3';
import {
  type Clock,
  type Logger,
  MINUTE_MS,
  type Registry,
  type TracerSource,
} from '../model/index.ts';
import { DiscoveryManager } from '../scrape/index.ts';
import type { AlertmanagersPort, ReceiversPort, RulesPort } from '../web/index.ts';
import { type Config, parsePlainYaml, toNotifyConfig } from './config/index.ts';
import { Notifier, type OutgoingAlert, setName } from './notify/index.ts';
import type { ReceiverConfig, Receivers } from './notify/receivers/index.ts';
import type { Queries } from './queries.ts';
import type {
  Alert,
  AlertingDefinition,
  AlertTransition,
  GroupDefinition,
  RuleManager,
} from './rules/index.ts';
import { RuleMetrics } from './rules/rule-metrics.ts';
import { tableLink } from './rules/table-link.ts';
import type { IngestClient } from './threads/ingest-client.ts';

export type AlertingOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly queries: Queries;
  readonly ingest: IngestClient;
  readonly userAgent: string;
  readonly externalUrl: URL;
  readonly externalLabels: () => Readonly<Record<string, string>>;
  readonly discoveryIntervalMs: number;
  readonly outageToleranceMs: number;
  readonly gracePeriodMs: number;
  readonly resendDelayMs: number;
  /** How many independent rules are evaluated at a time; null: one after the other. */
  readonly concurrentCountMax: number | null;
  readonly queueCapacity: number;
  readonly batchSizeMax: number;
  readonly drains: boolean;
  readonly tracer: TracerSource;
  readonly onTransitions: (transitions: readonly AlertTransition[], queryMs: number) => void;
  readonly onDelivery: (
    to: string,
    alerts: readonly Pick<OutgoingAlert, 'ruleLabels' | 'isResolved'>[],
    error: string | null,
  ) => void;
};

/** Rules need two evaluations to find their alerts again after a start. */
const RETURN_MS = 5 * MINUTE_MS;

export class Alerting implements RulesPort, AlertmanagersPort, ReceiversPort {
  readonly #options: AlertingOptions;
  readonly #metrics: RuleMetrics;
  readonly #notifier: Notifier;
  readonly #discovery: DiscoveryManager;
  readonly #externalUrl: string;
  /** Null while there have never been rules. */
  #manager: RuleManager | null = null;
  #receiverConfigs: readonly ReceiverConfig[] = [];
  /** Null while there have never been any, or there is nowhere to queue messages. */
  #receivers: Receivers | null = null;
  #database: Database | null = null;
  /** What came before messages could be queued. */
  readonly #early: OutgoingAlert[] = [];

  constructor(options: AlertingOptions) {
    const { clock, logger, registry, userAgent, externalLabels } = options;
    this.#options = options;
    this.#externalUrl = options.externalUrl.href.replace(/\/$/, '');
    this.#metrics = new RuleMetrics(registry);
    this.#notifier = new Notifier({
      clock,
      logger,
      registry,
      userAgent,
      queueCapacity: options.queueCapacity,
      batchSizeMax: Math.max(1, options.batchSizeMax),
      drains: options.drains,
      externalLabels,
      onDelivery: options.onDelivery,
    });
    this.#discovery = new DiscoveryManager({
      clock,
      logger,
      registry,
      name: 'notify',
      userAgent,
      parseYaml: parsePlainYaml,
      updateIntervalMs: options.discoveryIntervalMs,
      onTargets: (name, groups) => this.#notifier.setTargets(name, groups),
    });
  }

  /** From now on messages to receivers can be queued. */
  async openQueue(database: Database): Promise<void> {
    this.#database = database;
    await this.#applyReceivers(this.#receiverConfigs);
  }

  status() {
    return this.#receivers?.status() ?? { receivers: [], waiting: [] };
  }

  /** @param groups  the rules of `config` */
  async apply(
    config: Config,
    groups: readonly GroupDefinition[],
    receivers: readonly ReceiverConfig[],
  ): Promise<void> {
    await this.#applyReceivers(receivers);
    const notify = toNotifyConfig(config.values);
    this.#notifier.applyConfig(notify);
    this.#discovery.applyConfig(
      new Map(notify.alertmanagers.map(({ discovery }, index) => [setName(index), discovery])),
    );
    if (groups.length > 0) this.#manager ??= await this.#createManager();
    const { evaluation_interval: intervalMs, rule_query_offset: queryOffsetMs } =
      config.values.global;
    await this.#manager?.apply(groups, { intervalMs, queryOffsetMs });
  }

  async groups() {
    return (await this.#manager?.groups()) ?? [];
  }

  async alerts() {
    return (await this.#manager?.alerts()) ?? [];
  }

  alertmanagers() {
    return this.#notifier.alertmanagers();
  }

  /** Rules end at once; what they have to tell is still told. */
  async stop(): Promise<void> {
    this.#discovery.stop();
    await this.#manager?.stop();
    await Promise.all([this.#notifier.stop(), this.#receivers?.stop()]);
  }

  async #applyReceivers(configs: readonly ReceiverConfig[]): Promise<void> {
    this.#receiverConfigs = configs;
    if (configs.length === 0 && this.#receivers === null) return;
    if (this.#receivers === null) {
      if (this.#database === null) return;
      const { Receivers: Hub } = await import('./notify/receivers/index.ts');
      const { clock, logger, registry, userAgent, gracePeriodMs, onDelivery } = this.#options;
      this.#receivers = new Hub(this.#database, {
        clock,
        logger,
        registry,
        userAgent,
        externalUrl: this.#externalUrl,
        // Alerts that were about to fire wait for the grace period of rules.
        graceMs: gracePeriodMs + RETURN_MS,
        onDelivery,
      });
    }
    this.#receivers.apply(configs);
    this.#receivers.send(this.#early.splice(0));
  }

  async #createManager(): Promise<RuleManager> {
    const {
      RuleManager: Manager,
      ruleQueries,
      ruleSink,
      WorkLimit,
    } = await import('./rules/index.ts');
    const options = this.#options;
    const { concurrentCountMax } = options;
    return new Manager({
      clock: options.clock,
      logger: options.logger.with({ component: 'rule manager' }),
      queries: ruleQueries(options.queries),
      sink: ruleSink(options.ingest),
      metrics: this.#metrics,
      template: {
        externalLabels: options.externalLabels,
        externalUrl: this.#externalUrl,
        pathPrefix: options.externalUrl.pathname.replace(/\/$/, ''),
      },
      send: (rule, alerts) => this.#send(rule, alerts),
      onTransitions: options.onTransitions,
      outageToleranceMs: options.outageToleranceMs,
      gracePeriodMs: options.gracePeriodMs,
      resendDelayMs: options.resendDelayMs,
      concurrency: concurrentCountMax === null ? null : new WorkLimit(concurrentCountMax),
      tracer: options.tracer,
    });
  }

  #send({ query }: AlertingDefinition, alerts: readonly Alert[]): void {
    const generatorUrl = this.#externalUrl + tableLink(query);
    const told = this.#notifier.send(
      alerts.map(({ labels, annotations, firedAtMs, resolvedAtMs, validUntilMs }) => ({
        labels,
        annotations,
        startsAtMs: firedAtMs ?? 0,
        endsAtMs: resolvedAtMs ?? validUntilMs,
        generatorUrl,
        isResolved: resolvedAtMs !== null,
        ruleLabels: labels,
      })),
    );
    if (this.#receivers !== null) this.#receivers.send(told);
    else if (this.#receiverConfigs.length > 0) {
      this.#early.push(...told);
      this.#early.splice(0, this.#early.length - this.#options.queueCapacity);
    }
  }
}
