/** Receivers that need no Alertmanager, as the server works with them. */
import type { Matcher } from '../../../model/index.ts';
import type { HttpClientConfig } from '../../../scrape/index.ts';

type Common = {
  /** Whether the end of an alert is told, too. */
  readonly sendsResolved: boolean;
  readonly timeoutMs: number;
};

/** One of the two is set. */
type Address = { readonly url: string; readonly urlFile: string };

export type WebhookConfig = Common &
  Address & {
    readonly kind: 'webhook';
    readonly httpClient: HttpClientConfig;
    /** Alerts in one message; 0 for any number. */
    readonly alertCountMax: number;
  };

export type SlackConfig = Common &
  Address & {
    readonly kind: 'slack';
    readonly httpClient: HttpClientConfig;
    /** Empty: as the webhook says. */
    readonly channel: string;
    readonly username: string;
    readonly iconEmoji: string;
  };

export type EmailConfig = Common & {
  readonly kind: 'email';
  readonly to: string;
  readonly from: string;
  readonly host: string;
  readonly port: number;
  /** The name that it gives itself. */
  readonly hello: string;
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
  /** Refuse to send over a connection that is not encrypted. */
  readonly requiresTls: boolean;
  readonly tls: { readonly caFile: string; readonly serverName: string; readonly isLax: boolean };
};

export type IntegrationConfig = WebhookConfig | SlackConfig | EmailConfig;

export type ReceiverConfig = {
  readonly name: string;
  /** All have to match; empty: every alert. */
  readonly matchers: readonly Matcher[];
  /** Labels whose values an alert has in common with its group; null: all. */
  readonly groupBy: readonly string[] | null;
  /** How long the first message of a group waits for more alerts. */
  readonly groupWaitMs: number;
  /** Between two messages of a group when something has changed. */
  readonly groupIntervalMs: number;
  /** Between two messages of a group when nothing has. */
  readonly repeatIntervalMs: number;
  readonly integrations: readonly IntegrationConfig[];
};

/** One way of telling, over reloads and restarts. */
export function integrationKey({ name }: ReceiverConfig, index: number): string {
  return `${name}[${index}]`;
}
