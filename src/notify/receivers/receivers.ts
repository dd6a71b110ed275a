/** Tells receivers that need no Alertmanager: groups alerts, queues messages, sends them. */
import type { Database } from 'better-sqlite3';
import {
  type Clock,
  type Counter,
  type Family,
  Labels,
  type Logger,
  type Registry,
} from '../../../model/index.ts';
import { HttpClient } from '../../../scrape/index.ts';
import type { ReceiversPort, ReceiverStatus } from '../../../web/index.ts';
import type { OutgoingAlert } from '../outgoing-alert.ts';
import { AlertGroups } from './alert-groups.ts';
import { DeliveryQueue, type DeliveryResult, type Integration } from './delivery-queue.ts';
import { sqliteGroupStore } from './group-store.ts';
import { integrationKey, type IntegrationConfig, type ReceiverConfig } from './receiver-config.ts';
import { emailSender, slackSender, webhookSender } from './senders.ts';

export type ReceiversOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly userAgent: string;
  readonly externalUrl: string;
  /** After a start: how long alerts may take to come back before they count as ended. */
  readonly graceMs: number;
  readonly onDelivery: (
    label: string,
    alerts: readonly { readonly ruleLabels: Labels; readonly isResolved: boolean }[],
    error: string | null,
  ) => void;
};

type Member = {
  readonly config: ReceiverConfig;
  readonly text: string;
  readonly groups: AlertGroups;
  readonly integrations: readonly Integration[];
  readonly clients: readonly HttpClient[];
};

type Outcome = { atMs: number; error: string | null };

const STOP_GRACE_MS = 2000;
/** An unending sleep is none that timers know. */
const SLEEP_MS_MAX = 3_600_000;

export class Receivers implements ReceiversPort {
  readonly #options: ReceiversOptions;
  readonly #logger: Logger;
  readonly #database: Database;
  readonly #queue: DeliveryQueue;
  readonly #sent: Family<Counter>;
  readonly #failed: Family<Counter>;
  readonly #outcomes = new Map<string, Outcome>();
  #members: readonly Member[] = [];
  readonly #stop = new AbortController();
  #wake = new AbortController();
  readonly #running: Promise<void>;

  constructor(database: Database, options: ReceiversOptions) {
    const { logger, registry, clock } = options;
    this.#options = options;
    this.#database = database;
    this.#logger = logger.with({ component: 'receivers' });
    const names = ['receiver'];
    this.#sent = registry.counters(
      'narthex_receiver_messages_sent_total',
      'The number of messages that receivers accepted.',
      names,
    );
    this.#failed = registry.counters(
      'narthex_receiver_attempts_failed_total',
      'The number of attempts to send a message that failed.',
      names,
    );
    this.#queue = new DeliveryQueue(database, {
      clock,
      logger: this.#logger,
      onResult: (result) => this.#onResult(result),
    });
    this.#running = this.#run();
  }

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  /** One that is configured as before goes on undisturbed. */
  apply(configs: readonly ReceiverConfig[]): void {
    const before = new Map(this.#members.map((member) => [member.text, member]));
    this.#members = configs.map((config) => {
      const text = JSON.stringify(config);
      const same = before.get(text);
      before.delete(text);
      return same ?? this.#create(config, text);
    });
    this.#queue.setIntegrations(this.#members.flatMap(({ integrations }) => integrations));
    for (const { clients } of before.values()) for (const one of clients) void one.close();
    this.#wake.abort();
  }

  /** With external labels, relabelled. */
  send(alerts: readonly OutgoingAlert[]): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { groups } of this.#members) groups.add(alerts, nowMs);
    this.#wake.abort();
  }

  status(): {
    receivers: readonly ReceiverStatus[];
    waiting: ReturnType<DeliveryQueue['waiting']>;
  } {
    const receivers = this.#members.flatMap(({ config, groups, integrations }) =>
      integrations.map(({ key, label }, index) => ({
        receiver: config.name,
        kind: config.integrations[index]!.kind,
        target: targetOf(config.integrations[index]!),
        label,
        groupCount: groups.groupCount,
        lastMs: this.#outcomes.get(key)?.atMs ?? null,
        lastError: this.#outcomes.get(key)?.error ?? null,
      })),
    );
    return { receivers, waiting: this.#queue.waiting() };
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#queue.stop(STOP_GRACE_MS);
    for (const { clients } of this.#members) await Promise.all(clients.map((one) => one.close()));
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      const signal = AbortSignal.any([this.#wake.signal, this.#stop.signal]);
      const dueMs = Math.min(Infinity, ...this.#members.map(({ groups }) => groups.dueMs));
      try {
        const delayMs = Math.min(SLEEP_MS_MAX, Math.max(0, dueMs - clock.nowMs()));
        await clock.sleep(delayMs, signal);
      } catch {
        // Woken up, or stopped.
        continue;
      }
      this.#flush(clock.nowMs());
    }
  }

  /** What is told and what is on its way change together, or a crash could lose a message. */
  #flush(nowMs: number): void {
    try {
      this.#database.transaction(() => {
        for (const { groups, integrations } of this.#members) {
          for (const message of groups.flush(nowMs)) {
            for (const integration of integrations) this.#queue.add(integration, message);
          }
        }
      })();
    } catch (error) {
      this.#logger.error('Notifications could not be queued', { err: error });
    }
  }

  #create(config: ReceiverConfig, text: string): Member {
    const { clock, userAgent, externalUrl, graceMs } = this.#options;
    const clients: HttpClient[] = [];
    const integrations = config.integrations.map((one, index): Integration => {
      const { kind, sendsResolved } = one;
      const common = { key: integrationKey(config, index), label: `${config.name} (${kind})` };
      if (kind === 'email') return { ...common, sendsResolved, send: emailSender(one) };
      const client = new HttpClient(one.httpClient, { clock, userAgent });
      clients.push(client);
      const send = kind === 'webhook' ? webhookSender(one, client) : slackSender(one, client);
      return { ...common, sendsResolved, send };
    });
    const store = sqliteGroupStore(this.#database);
    const groups = new AlertGroups({ config, store, externalUrl, graceMs }, clock.nowMs());
    return { config, text, groups, integrations, clients };
  }

  #onResult({ integration, message, error }: DeliveryResult): void {
    const { clock, onDelivery } = this.#options;
    const { key, label } = integration;
    this.#outcomes.set(key, { atMs: clock.nowMs(), error });
    (error === null ? this.#sent : this.#failed).labels(label).increase();
    const alerts = message.alerts.map(({ ruleLabels, isResolved }) => ({
      ruleLabels: Labels.fromObject(ruleLabels),
      isResolved,
    }));
    onDelivery(label, alerts, error);
  }
}

/** Where messages go, without what is secret in it. */
function targetOf(config: IntegrationConfig): string {
  if (config.kind === 'email') return `${config.to} via ${config.host}:${config.port}`;
  if (config.url === '') return config.urlFile;
  const { protocol, host } = new URL(config.url);
  return `${protocol}//${host}/…`;
}
