/** Rules and alerts. Source: Prometheus HTTP API, rules, alerts, alertmanagers. */
import { createHash } from 'node:crypto';
import { Matcher } from '../../model/index.ts';
import { requireSelective } from '../answers/index.ts';
import { ApiError } from '../api-error.ts';
import type { Form } from '../form.ts';
import { badParameter, booleanParameter, parseInteger, requireWellFormed } from '../params.ts';
import type { Alert, LabelObject, PlainMatcher, Rule, RuleGroup } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { exponentText } from './exponent-text.ts';
import { timeText } from './time-text.ts';

/** GET /api/v1/rules: groups with their rules, filtered and in pages. */
export const rules: JsonRoute = {
  path: '/rules',
  methods: ['GET'],
  doc: {
    id: 'rules',
    tag: 'rules',
    summary: 'List alerting and recording rules',
    parameters: [
      {
        name: 'type',
        kind: 'text',
        description: 'Only alerting or only recording rules.',
        choices: ['alert', 'record'],
        example: 'alert',
      },
      {
        name: 'rule_name[]',
        kind: 'text',
        description: 'Only rules of these names.',
        isRepeated: true,
        example: 'HighErrorRate',
      },
      {
        name: 'rule_group[]',
        kind: 'text',
        description: 'Only groups of these names.',
        isRepeated: true,
        example: 'shop',
      },
      {
        name: 'file[]',
        kind: 'text',
        description: 'Only rules of these files.',
        isRepeated: true,
        example: '/etc/narthex/rules.yml',
      },
      {
        name: 'match[]',
        kind: 'selector',
        description: 'Only rules whose configured labels match any of these selectors.',
        isRepeated: true,
        example: '{severity="page"}',
      },
      {
        name: 'exclude_alerts',
        kind: 'boolean',
        description: 'Leaves out the active alerts of alerting rules.',
        example: false,
      },
      {
        name: 'group_limit',
        kind: 'integer',
        description: 'At most so many groups; the answer then says where to go on.',
        example: 100,
      },
      {
        name: 'group_next_token',
        kind: 'text',
        description: 'Where to go on: the token of the answer before.',
        example: 'abc123',
      },
    ],
    body: 'Rules',
  },
  async handle({ form, signal }, { ports }) {
    requireWellFormed(form);
    const filter = await ruleFilter(form, async (texts) => ports.language.selectors(texts, signal));
    const withoutAlerts = booleanParameter(
      form,
      'exclude_alerts',
      'error converting exclude_alerts',
    );
    const page = pageParameters(form);
    const groups = (await ports.rules?.groups(signal)) ?? [];
    const kept: RuleGroup[] = [];
    for (const group of groups) {
      const keptRules = group.rules.filter((rule) => filter(group, rule));
      if (keptRules.length > 0) kept.push({ ...group, rules: keptRules });
    }
    const { groups: shown, nextToken } = paginate(kept, page);
    return successJson(
      JSON.stringify({
        groups: shown.map((group) => groupJson(group, withoutAlerts)),
        ...(nextToken === null ? {} : { groupNextToken: nextToken }),
      }),
    );
  },
};

/** GET /api/v1/alerts: those that are pending or firing. */
export const alerts: JsonRoute = {
  path: '/alerts',
  methods: ['GET'],
  doc: { id: 'alerts', tag: 'alerts', summary: 'List active alerts', body: 'Alerts' },
  async handle({ signal }, { ports }) {
    const active = (await ports.rules?.alerts(signal)) ?? [];
    return successJson(JSON.stringify({ alerts: active.map(alertJson) }));
  },
};

/** GET /api/v1/alertmanagers: where alerts are sent to. */
export const alertmanagers: JsonRoute = {
  path: '/alertmanagers',
  methods: ['GET'],
  doc: {
    id: 'alertmanagers',
    tag: 'alerts',
    summary: 'List Alertmanagers',
    body: 'Alertmanagers',
  },
  async handle({ signal }, { ports }) {
    const found = (await ports.alertmanagers?.alertmanagers(signal)) ?? { active: [], dropped: [] };
    const named = (urls: readonly string[]) => urls.map((url) => ({ url }));
    return successJson(
      JSON.stringify({
        activeAlertmanagers: named(found.active),
        droppedAlertmanagers: named(found.dropped),
      }),
    );
  },
};

type RuleFilter = (group: RuleGroup, rule: Rule) => boolean;

async function ruleFilter(
  form: Form,
  parseSelectors: (texts: readonly string[]) => Promise<readonly PlainMatcher[][]>,
): Promise<RuleFilter> {
  const names = new Set(form.all('rule_name[]'));
  const groups = new Set(form.all('rule_group[]'));
  const files = new Set(form.all('file[]'));
  const selectors = form.all('match[]');
  const plain = selectors.length === 0 ? [] : await parseSelectors(selectors);
  const sets = plain.map((set) => set.map((m) => new Matcher(m.name, m.operator, m.value)));
  requireSelective(sets);
  const type = form.first('type').toLowerCase();
  if (!['', 'alert', 'record'].includes(type)) {
    throw badParameter('type', `not supported value ${JSON.stringify(type)}`);
  }
  return (group, rule) =>
    (groups.size === 0 || groups.has(group.name)) &&
    (files.size === 0 || files.has(group.file)) &&
    (names.size === 0 || names.has(rule.name)) &&
    (type === '' || (type === 'alert') === (rule.type === 'alerting')) &&
    (sets.length === 0 || sets.some((set) => matchesAll(set, rule.labels)));
}

function matchesAll(matchers: readonly Matcher[], labels: LabelObject): boolean {
  return matchers.every((matcher) => {
    const { name } = matcher;
    return matcher.matches(Object.hasOwn(labels, name) ? labels[name]! : '');
  });
}

type Page = { readonly limit: number | null; readonly token: string };

function pageParameters(form: Form): Page {
  const limitText = form.first('group_limit');
  const token = form.first('group_next_token');
  if (limitText === '') {
    if (token === '') return { limit: null, token };
    throw badParameter(
      'group_next_token',
      'group_limit needs to be present in order to paginate over the groups',
    );
  }
  let limit: number;
  try {
    limit = parseInteger(limitText, 'ParseInt', 32);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw badParameter('group_limit', `group_limit needs to be a valid number: ${error.message}`);
  }
  if (limit <= 0) throw badParameter('group_limit', 'group_limit needs to be greater than 0');
  return { limit, token };
}

/** The token of a group is its identity hashed, so that it survives a reload that keeps the group. */
function tokenOf(group: RuleGroup): string {
  return createHash('sha256').update(`${group.file};${group.name}`).digest('hex');
}

function paginate(
  groups: readonly RuleGroup[],
  { limit, token }: Page,
): { readonly groups: readonly RuleGroup[]; readonly nextToken: string | null } {
  if (limit === null) return { groups, nextToken: null };
  const start = token === '' ? 0 : groups.findIndex((group) => tokenOf(group) === token);
  if (start < 0) {
    const what = `invalid group_next_token '${token}'. were rule groups changed?`;
    throw badParameter('group_next_token', what);
  }
  const next = groups[start + limit];
  return {
    groups: groups.slice(start, start + limit),
    nextToken: next === undefined ? null : tokenOf(next),
  };
}

function groupJson(group: RuleGroup, withoutAlerts: boolean) {
  return {
    name: group.name,
    file: group.file,
    rules: group.rules.map((rule) => ruleJson(rule, withoutAlerts)),
    interval: group.intervalSeconds,
    limit: group.limit,
    evaluationTime: group.evaluationSeconds,
    lastEvaluation: timeText(group.lastEvaluationMs),
  };
}

export function ruleJson(rule: Rule, withoutAlerts: boolean) {
  const { name, query, labels, health, lastError } = rule;
  const evaluation = {
    health,
    ...(lastError === '' ? {} : { lastError }),
    evaluationTime: rule.evaluationSeconds,
    lastEvaluation: timeText(rule.lastEvaluationMs),
    type: rule.type,
  };
  if (rule.type === 'recording') return { name, query, labels, ...evaluation };
  return {
    state: rule.state,
    name,
    query,
    duration: rule.durationSeconds,
    keepFiringFor: rule.keepFiringForSeconds,
    labels,
    annotations: rule.annotations,
    alerts: withoutAlerts ? null : rule.alerts.map(alertJson),
    ...evaluation,
  };
}

function alertJson(alert: Alert) {
  const { labels, annotations, state, activeAtMs, keepFiringSinceMs, value } = alert;
  return {
    labels,
    annotations,
    state,
    ...(activeAtMs === null ? {} : { activeAt: timeText(activeAtMs) }),
    ...(keepFiringSinceMs === null ? {} : { keepFiringSince: timeText(keepFiringSinceMs) }),
    value: exponentText(value),
  };
}
