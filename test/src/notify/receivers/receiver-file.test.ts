import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { notificationsSchema, parseReceivers } from '../../../../src/notify/receivers/index.ts';

const SCHEMA_FILE = path.resolve(import.meta.dirname, '../../../../docs/notifications.schema.json');
const read = (text: string) => parseReceivers(text, 'notifications.yml');

const FULL = `group_by: [alertname, job]
repeat_interval: 1h
receivers:
- name: team
  matchers: ['severity="page"', job=~"a|b", env!=test]
  group_wait: 5s
  group_by: ['...']
  webhook_configs:
  - url: http://hook:1/x
    send_resolved: false
    max_alerts: 10
    http_config: {basic_auth: {username: u, password: p}}
  email_configs:
  - to: a@example.org
    from: b@example.org
    smarthost: mail:587
    auth_username: u
    auth_password_file: secret
    send_resolved: true
  slack_configs:
  - api_url_file: /etc/slack
    channel: '#ops'
- name: rest
  webhook_configs: [{url_file: hook.url}]
`;

test('receivers have what the file says, and what it says for all', () => {
  const [team, rest] = read(FULL);
  expect(team).toMatchObject({
    name: 'team',
    groupBy: null,
    groupWaitMs: 5000,
    groupIntervalMs: 300_000,
    repeatIntervalMs: 3_600_000,
  });
  expect(team!.matchers.map(({ name, operator, value }) => [name, operator, value])).toEqual([
    ['severity', '=', 'page'],
    ['job', '=~', 'a|b'],
    ['env', '!=', 'test'],
  ]);
  expect(team!.integrations).toMatchObject([
    {
      kind: 'webhook',
      url: 'http://hook:1/x',
      sendsResolved: false,
      alertCountMax: 10,
      httpClient: { basicAuth: { username: 'u', password: 'p' } },
    },
    {
      kind: 'email',
      host: 'mail',
      port: 587,
      passwordFile: 'secret',
      requiresTls: true,
      sendsResolved: true,
    },
    { kind: 'slack', urlFile: '/etc/slack', channel: '#ops', sendsResolved: false },
  ]);
  expect(rest).toMatchObject({ groupBy: ['alertname', 'job'], groupWaitMs: 30_000, matchers: [] });
});

test.each([
  ['recievers: []', '1:1: recievers: unknown key; did you mean receivers?'],
  ['receivers: [{webhook_configs: [{url: "http://a"}]}]', 'name must be set'],
  ['receivers: [{name: a}]', '1:13: receivers[0]: tells nobody'],
  ['receivers: [{name: a, webhook_configs: [{}]}]', 'one of url and url_file must be set'],
  ['receivers: [{name: a, webhook_configs: [{url: "ftp://a"}]}]', `'http' or 'https'`],
  ['receivers: [{name: a, slack_configs: [{api_url: "http://a", api_url_file: f}]}]', 'only one'],
  ['receivers: [{name: a, matchers: ["a b"], webhook_configs: [{url: "http://a"}]}]', 'no matcher'],
  [
    'receivers: [{name: a, matchers: ["a=~("], webhook_configs: [{url: "http://a"}]}]',
    'matchers[0]',
  ],
  [
    'receivers: [{name: a, group_interval: 0s, webhook_configs: [{url: "http://a"}]}]',
    'longer than 0',
  ],
  [
    'receivers: [{name: a, group_by: ["...", x], webhook_configs: [{url: "http://a"}]}]',
    'stands for all labels',
  ],
  ['receivers: [{name: a, email_configs: [{to: x, from: y}]}]', 'smarthost must be set'],
  [
    'receivers: [{name: a, email_configs: [{to: x, from: y, smarthost: "h:x"}]}]',
    'expected host:port',
  ],
  [
    'receivers:\n- {name: a, webhook_configs: [{url: "http://a"}]}\n- {name: a, webhook_configs: [{url: "http://a"}]}',
    '3:4: receivers[1].name: "a" is repeated',
  ],
])('%s is refused', (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('an empty file has no receivers', () => {
  expect(read('')).toEqual([]);
});

test('the schema is the one in the documentation, and fits; vitest -u writes it', async () => {
  const schema = notificationsSchema();
  await expect(`${JSON.stringify(schema)}\n`).toMatchFileSnapshot(SCHEMA_FILE);
  const validate = new Ajv2020({ allowUnionTypes: true, strict: true, inlineRefs: false }).compile(
    schema,
  );
  expect(validate(parse(FULL)), JSON.stringify(validate.errors)).toBe(true);
  expect(validate(parse('receivers: [{nam: a}]'))).toBe(false);
});
