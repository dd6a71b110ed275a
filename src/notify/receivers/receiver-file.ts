/**
 * notifications.yml → receivers, all of it or an error that says where and what. Keys that
 * Alertmanager has too are called as there. Source of those: Alertmanager documentation.
 */
import {
  isValidLabelName,
  type MatchOperator,
  Matcher,
  messageOf,
  MINUTE_MS,
  HOUR_MS,
  SECOND_MS,
  ValueError,
} from '../../../model/index.ts';
import { readConfigText } from '../../config/config-text.ts';
import { ConfigDocument } from '../../config/document.ts';
import {
  checkHttpClient,
  checkHttpUrl,
  HTTP_CLIENT_FIELDS,
  NO_HTTP_SETTINGS,
} from '../../config/http-client-shape.ts';
import { type JsonSchema, withDefinitions } from '../../config/json-schema.ts';
import {
  bool,
  duration,
  filePath,
  orUnset,
  secret,
  string,
  uint,
} from '../../config/scalar-types.ts';
import { toHttpClient } from '../../config/to-scrape-config.ts';
import { field, type Infer, list, object, type Place, readDocument } from '../../config/type.ts';
import type { IntegrationConfig, ReceiverConfig } from './receiver-config.ts';

const TIMEOUT_MS = 10 * SECOND_MS;
const SMTP_PORT = 25;

const httpConfig = object(HTTP_CLIENT_FIELDS, checkHttpClient);

const WEB_FIELDS = {
  http_config: field(httpConfig, NO_HTTP_SETTINGS),
  timeout: field(duration, TIMEOUT_MS),
};

function checkAddress(place: Place, url: string, file: string, key: string): void {
  if (url === '' && file === '') place.fail(`one of ${key} and ${key}_file must be set`);
  if (url !== '' && file !== '') place.fail(`only one of ${key} and ${key}_file may be set`, key);
  if (url !== '') checkHttpUrl(url, place, key);
}

const webhook = object(
  {
    url: field(secret, ''),
    url_file: field(filePath, ''),
    send_resolved: field(bool, true),
    max_alerts: field(uint, 0),
    ...WEB_FIELDS,
  },
  (value, place) => checkAddress(place, value.url, value.url_file, 'url'),
);

const slack = object(
  {
    api_url: field(secret, ''),
    api_url_file: field(filePath, ''),
    channel: field(string, ''),
    username: field(string, ''),
    icon_emoji: field(string, ''),
    send_resolved: field(bool, false),
    ...WEB_FIELDS,
  },
  (value, place) => checkAddress(place, value.api_url, value.api_url_file, 'api_url'),
);

const emailTls = object({
  ca_file: field(filePath, ''),
  server_name: field(string, ''),
  insecure_skip_verify: field(bool, false),
});

const email = object(
  {
    to: field(string, ''),
    from: field(string, ''),
    smarthost: field(string, ''),
    hello: field(string, 'localhost'),
    auth_username: field(string, ''),
    auth_password: field(secret, ''),
    auth_password_file: field(filePath, ''),
    require_tls: field(bool, true),
    tls_config: field(emailTls, emailTls.initial()),
    send_resolved: field(bool, false),
    timeout: field(duration, TIMEOUT_MS),
  },
  (value, place) => {
    for (const key of ['to', 'from', 'smarthost'] as const) {
      if (value[key] === '') place.fail(`${key} must be set`);
    }
    const port = /^[^:]+(?::(\d+))?$|^\[[^\]]+\](?::(\d+))?$/.exec(value.smarthost);
    if (port === null || Number(port[1] ?? port[2] ?? SMTP_PORT) > 65_535) {
      place.fail(`is ${JSON.stringify(value.smarthost)}, expected host:port`, 'smarthost');
    }
    if (value.auth_password !== '' && value.auth_password_file !== '') {
      place.fail('only one of auth_password and auth_password_file may be set', 'auth_password');
    }
  },
);

const GROUPING = {
  group_by: field(orUnset(list(string)), null),
  group_wait: field(orUnset(duration), null),
  group_interval: field(orUnset(duration), null),
  repeat_interval: field(orUnset(duration), null),
};
type GroupingValues = {
  readonly group_by: readonly string[] | null;
  readonly group_wait: number | null;
  readonly group_interval: number | null;
  readonly repeat_interval: number | null;
};

function checkGrouping(value: GroupingValues, place: Place): void {
  for (const label of value.group_by ?? []) {
    if (label === '...' ? value.group_by!.length > 1 : !isValidLabelName(label)) {
      const what = label === '...' ? '"..." stands for all labels and alone' : 'no label name';
      place.fail(`${JSON.stringify(label)}: ${what}`, 'group_by');
    }
  }
  for (const key of ['group_interval', 'repeat_interval'] as const) {
    if (value[key] === 0) place.fail(`${key} must be longer than 0`, key);
  }
}

const receiver = object(
  {
    name: field(string, ''),
    matchers: field(list(string), []),
    ...GROUPING,
    webhook_configs: field(list(webhook), []),
    email_configs: field(list(email), []),
    slack_configs: field(list(slack), []),
  },
  (value, place) => {
    if (value.name === '') place.fail('name must be set');
    value.matchers.forEach((text, index) => {
      try {
        parseMatcher(text);
      } catch (error) {
        if (!(error instanceof ValueError)) throw error;
        place.at('matchers', index).fail(messageOf(error));
      }
    });
    checkGrouping(value, place);
    const { webhook_configs, email_configs, slack_configs } = value;
    if (webhook_configs.length + email_configs.length + slack_configs.length === 0) {
      place.fail('tells nobody: webhook_configs, email_configs or slack_configs must be set');
    }
  },
);

const file = object({ ...GROUPING, receivers: field(list(receiver), []) }, (value, place) => {
  checkGrouping(value, place);
  const names = new Set<string>();
  value.receivers.forEach(({ name }, index) => {
    if (names.has(name)) {
      place.at('receivers', index).complain(`${JSON.stringify(name)} is repeated`, 'name');
    }
    names.add(name);
  });
});

/** `severity="page"`, `job=~"a|b"`; quotes may be left out. @throws ValueError */
function parseMatcher(text: string): Matcher {
  const found =
    /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^"\s,{}]*))\s*$/.exec(
      text,
    );
  if (found === null) {
    throw new ValueError(`${JSON.stringify(text)} is no matcher such as severity="page"`);
  }
  const [, name, operator, quoted, plain] = found;
  const value = quoted === undefined ? plain! : (JSON.parse(`"${quoted}"`) as string);
  return new Matcher(name!, operator as MatchOperator, value);
}

/** @throws ConfigError with every mistake, placed at the first */
export function loadReceivers(name: string): readonly ReceiverConfig[] {
  return parseReceivers(readConfigText(name), name);
}

/** @throws ConfigError */
export function parseReceivers(text: string, name: string): readonly ReceiverConfig[] {
  const document = new ConfigDocument(text, name);
  const values = readDocument(file, document, () => file.initial());
  return values.receivers.map((value): ReceiverConfig => {
    const groupBy = value.group_by ?? values.group_by ?? ['alertname'];
    return {
      name: value.name,
      matchers: value.matchers.map(parseMatcher),
      groupBy: groupBy[0] === '...' ? null : groupBy,
      groupWaitMs: value.group_wait ?? values.group_wait ?? 30 * SECOND_MS,
      groupIntervalMs: value.group_interval ?? values.group_interval ?? 5 * MINUTE_MS,
      repeatIntervalMs: value.repeat_interval ?? values.repeat_interval ?? 4 * HOUR_MS,
      integrations: integrationsOf(value),
    };
  });
}

function integrationsOf(value: Infer<typeof receiver>): IntegrationConfig[] {
  return [
    ...value.webhook_configs.map(
      (one): IntegrationConfig => ({
        kind: 'webhook',
        url: one.url,
        urlFile: one.url_file,
        httpClient: toHttpClient(one.http_config),
        timeoutMs: one.timeout,
        sendsResolved: one.send_resolved,
        alertCountMax: one.max_alerts,
      }),
    ),
    ...value.email_configs.map((one): IntegrationConfig => {
      const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(one.smarthost)!;
      return {
        kind: 'email',
        to: one.to,
        from: one.from,
        host: host!.replaceAll(/^\[|\]$/g, ''),
        port: Number(port ?? SMTP_PORT),
        hello: one.hello,
        username: one.auth_username,
        password: one.auth_password,
        passwordFile: one.auth_password_file,
        requiresTls: one.require_tls,
        tls: {
          caFile: one.tls_config.ca_file,
          serverName: one.tls_config.server_name,
          isLax: one.tls_config.insecure_skip_verify,
        },
        timeoutMs: one.timeout,
        sendsResolved: one.send_resolved,
      };
    }),
    ...value.slack_configs.map(
      (one): IntegrationConfig => ({
        kind: 'slack',
        url: one.api_url,
        urlFile: one.api_url_file,
        httpClient: toHttpClient(one.http_config),
        channel: one.channel,
        username: one.username,
        iconEmoji: one.icon_emoji,
        timeoutMs: one.timeout,
        sendsResolved: one.send_resolved,
      }),
    ),
  ];
}

/** The file's shape, for editors. */
export function notificationsSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Receivers of alerts that need no Alertmanager',
    ...withDefinitions(file.schema()),
  };
}
