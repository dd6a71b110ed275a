import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Alert, PlainMatcher, RuleGroup } from '../../../web/index.ts';
import { fakeHouse, NOW_MS } from '../fake-house.ts';

const ALERT: Alert = {
  labels: { alertname: 'Down', severity: 'page' },
  annotations: { summary: 'it is' },
  state: 'firing',
  activeAtMs: NOW_MS,
  keepFiringSinceMs: null,
  value: 12.5,
};
const common = {
  health: 'ok',
  lastError: '',
  evaluationSeconds: 0.5,
  lastEvaluationMs: NOW_MS,
} as const;
const group = (name: string, rules: RuleGroup['rules']): RuleGroup => ({
  name,
  file: 'rules.yml',
  intervalSeconds: 60,
  limit: 0,
  evaluationSeconds: 0.75,
  lastEvaluationMs: null,
  rules,
});
const GROUPS = [
  group('g1', [
    { ...common, type: 'recording', name: 'a:b', query: 'sum(up)', labels: { x: 'y' } },
    {
      ...common,
      type: 'alerting',
      name: 'Down',
      query: 'up == 0',
      labels: { severity: 'page' },
      state: 'firing',
      durationSeconds: 300,
      keepFiringForSeconds: 0,
      annotations: { summary: 'it is' },
      alerts: [ALERT],
    },
  ]),
  group('g2', [
    {
      ...common,
      type: 'recording',
      name: 'c:d',
      query: 'sum(up)',
      labels: {},
      health: 'err',
      lastError: 'boom',
    },
  ]),
];
const severity: PlainMatcher = { name: 'severity', operator: '=', value: 'page' };
const house = () =>
  fakeHouse({
    rules: { groups: async () => GROUPS, alerts: async () => [ALERT] },
    language: {
      selectors: async (texts) =>
        texts.map((text) =>
          text === 'all' ? [{ ...severity, operator: '=~', value: '.*' }] : [severity],
        ),
    },
  });
type Shown = { name: string; rules: { name: string }[] };
async function shown(query: string) {
  const response = await house().app.inject(`/api/v1/rules?${query}`);
  const { groups, groupNextToken } = response.json().data as {
    groups: Shown[];
    groupNextToken?: string;
  };
  return { names: groups.map((g) => [g.name].concat(g.rules.map((r) => r.name))), groupNextToken };
}

describe('rules', () => {
  test('are shown as Prometheus shows them', async () => {
    const response = await house().app.inject('/api/v1/rules');
    expect(response.payload).toBe(
      '{"status":"success","data":{"groups":[{"name":"g1","file":"rules.yml","rules":[' +
        '{"name":"a:b","query":"sum(up)","labels":{"x":"y"},"health":"ok","evaluationTime":0.5,' +
        '"lastEvaluation":"2026-01-02T03:04:05.678Z","type":"recording"},' +
        '{"state":"firing","name":"Down","query":"up == 0","duration":300,"keepFiringFor":0,' +
        '"labels":{"severity":"page"},"annotations":{"summary":"it is"},"alerts":[' +
        '{"labels":{"alertname":"Down","severity":"page"},"annotations":{"summary":"it is"},' +
        '"state":"firing","activeAt":"2026-01-02T03:04:05.678Z","value":"1.25e+01"}],' +
        '"health":"ok","evaluationTime":0.5,"lastEvaluation":"2026-01-02T03:04:05.678Z",' +
        '"type":"alerting"}],"interval":60,"limit":0,"evaluationTime":0.75,' +
        '"lastEvaluation":"0001-01-01T00:00:00Z"},{"name":"g2","file":"rules.yml","rules":[' +
        '{"name":"c:d","query":"sum(up)","labels":{},"health":"err","lastError":"boom",' +
        '"evaluationTime":0.5,"lastEvaluation":"2026-01-02T03:04:05.678Z","type":"recording"}],' +
        '"interval":60,"limit":0,"evaluationTime":0.75,"lastEvaluation":"0001-01-01T00:00:00Z"}]}}',
    );
  });

  test.each([
    ['type=alert', [['g1', 'Down']]],
    [
      'type=record',
      [
        ['g1', 'a:b'],
        ['g2', 'c:d'],
      ],
    ],
    [
      'rule_name[]=c:d&rule_name[]=Down',
      [
        ['g1', 'Down'],
        ['g2', 'c:d'],
      ],
    ],
    ['rule_group[]=g2', [['g2', 'c:d']]],
    ['file[]=other.yml', []],
    ['match[]={severity="page"}', [['g1', 'Down']]],
  ])('filtered by %s', async (query, names) => {
    expect((await shown(query)).names).toEqual(names);
  });

  test('without alerts have null there', async () => {
    const response = await house().app.inject('/api/v1/rules?exclude_alerts=true&type=alert');
    expect(response.json().data.groups[0].rules[0].alerts).toBeNull();
  });

  test('come in pages', async () => {
    const first = await shown('group_limit=1');
    expect(first.names).toEqual([['g1', 'a:b', 'Down']]);
    expect(first.groupNextToken).toBe(createHash('sha256').update('rules.yml;g2').digest('hex'));
    const second = await shown(`group_limit=1&group_next_token=${first.groupNextToken}`);
    expect(second).toEqual({ names: [['g2', 'c:d']], groupNextToken: undefined });
  });

  test.each([
    ['a=%zz', 'error parsing form values: invalid URL escape "%zz"'],
    ['match[]=all&type=foo', 'match[] must contain at least one non-empty matcher'],
    ['type=foo&exclude_alerts=x', 'invalid parameter "type": not supported value "foo"'],
    [
      'group_limit=2147483648',
      'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "2147483648": value out of range',
    ],
    ['type=foo', 'invalid parameter "type": not supported value "foo"'],
    [
      'exclude_alerts=x',
      'invalid parameter "exclude_alerts": error converting exclude_alerts: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ['group_limit=0', 'invalid parameter "group_limit": group_limit needs to be greater than 0'],
    [
      'group_limit=x',
      'invalid parameter "group_limit": group_limit needs to be a valid number: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [
      'group_next_token=a',
      'invalid parameter "group_next_token": group_limit needs to be present in order to paginate over the groups',
    ],
    [
      'group_limit=1&group_next_token=a',
      'invalid parameter "group_next_token": invalid group_next_token \'a\'. were rule groups changed?',
    ],
  ])('with %s are refused', async (query, error) => {
    const response = await house().app.inject(`/api/v1/rules?${query}`);
    expect([response.statusCode, response.json().error]).toEqual([400, error]);
  });
});

test('a server without rules says so truthfully', async () => {
  const { app } = fakeHouse();
  expect((await app.inject('/api/v1/rules')).json().data).toEqual({ groups: [] });
  expect((await app.inject('/api/v1/alerts')).json().data).toEqual({ alerts: [] });
  expect((await app.inject('/api/v1/alertmanagers')).json().data).toEqual({
    activeAlertmanagers: [],
    droppedAlertmanagers: [],
  });
});

test('alerts and Alertmanagers are listed', async () => {
  const alertmanagers = { alertmanagers: async () => ({ active: ['http://a/'], dropped: [] }) };
  const rules = { groups: async () => [], alerts: async () => [{ ...ALERT, value: NaN }] };
  const { app } = fakeHouse({ rules, alertmanagers });
  expect((await app.inject('/api/v1/alerts')).json().data.alerts[0]).toMatchObject({
    value: 'NaN',
  });
  expect((await app.inject('/api/v1/alertmanagers')).json().data).toEqual({
    activeAlertmanagers: [{ url: 'http://a/' }],
    droppedAlertmanagers: [],
  });
});
