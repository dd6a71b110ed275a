import { ApiError } from '../api-error.ts';
import type { Form } from '../form.ts';
import { badParameter, parseInteger, requiredTime } from '../params.ts';
import type { ExpressionPart, LabelObject, WhyReport, WhyRequest } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { entryJson } from './alert-history.ts';
import { ruleJson } from './rules.ts';
import { timeText } from './time-text.ts';

/** GET /api/v1/alerts/why, an addition of ours: what every part of an alert's expression gives. */
export const alertWhy: JsonRoute = {
  path: '/alerts/why',
  methods: ['GET'],
  doc: {
    id: 'alerts-why',
    tag: 'alerts',
    summary: 'Explain why an alert fires, fired, or does not (Narthex only)',
    parameters: [
      {
        name: 'alertname',
        kind: 'text',
        description: 'The rule in question; this, event or query is required.',
        example: 'TargetDown',
      },
      {
        name: 'rule_group',
        kind: 'text',
        description: 'Its group, where several rules share a name.',
        example: 'shop',
      },
      {
        name: 'file',
        kind: 'text',
        description: 'Its file, likewise.',
        example: '/etc/narthex/rules.yml',
      },
      {
        name: 'event',
        kind: 'text',
        description: 'An entry of the history in place of a rule.',
        example: '42',
      },
      {
        name: 'query',
        kind: 'text',
        description: 'An expression in place of a rule.',
        example: 'up == 0',
      },
      {
        name: 'labels',
        kind: 'labels',
        description: 'Of the alert in question, as a JSON object; only what concerns it is shown.',
        example: '{"instance":"localhost:9090"}',
      },
      {
        name: 'time',
        kind: 'timestamp',
        description: 'The moment in question; when the entry happened, or now.',
        example: '2026-01-02T13:37:00Z',
      },
    ],
    body: 'AlertWhy',
  },
  async handle({ form, signal }, { ports }) {
    const insight = ports.alertInsight;
    if (insight === undefined) throw new ApiError('unavailable', 'there are no rules');
    return successJson(JSON.stringify(reportJson(await insight.why(whyRequest(form), signal))));
  },
};

function whyRequest(form: Form): WhyRequest {
  const [name, event, query] = ['alertname', 'event', 'query'].map((key) => form.first(key));
  if ([name, event, query].filter((text) => text !== '').length !== 1) {
    throw new ApiError('bad_data', 'give one of alertname, event and query');
  }
  const labels = form.first('labels');
  return {
    eventId: event === '' ? null : parseInteger(event!, 'ParseInt'),
    query: query === '' ? null : query!,
    rule:
      name === ''
        ? null
        : { name: name!, group: form.first('rule_group'), file: form.first('file') },
    timeMs: form.first('time') === '' ? null : requiredTime(form, 'time'),
    labels: labels === '' ? null : parseLabels(labels),
  };
}

function parseLabels(text: string): LabelObject {
  let labels: unknown;
  try {
    labels = JSON.parse(text);
  } catch {
    throw badParameter('labels', 'not a JSON object');
  }
  const isObject = typeof labels === 'object' && labels !== null && !Array.isArray(labels);
  if (!isObject || Object.values(labels as object).some((value) => typeof value !== 'string')) {
    throw badParameter('labels', 'not a JSON object of texts');
  }
  return labels as LabelObject;
}

function reportJson(report: WhyReport) {
  const { query, timeMs, labels, state, verdict, rule, event, root } = report;
  return {
    verdict,
    query,
    time: timeText(timeMs),
    ...(labels === null ? {} : { labels }),
    ...(state === null ? {} : { state }),
    ...(rule === null ? {} : { rule: ruleJson(rule, true) }),
    ...(event === null ? {} : { event: entryJson(event) }),
    root: partJson(root),
  };
}

function partJson(part: ExpressionPart): unknown {
  const { error, selector, reason, children, ...others } = part;
  return {
    ...others,
    ...(error === null ? {} : { error }),
    ...(reason === null ? {} : { reason }),
    ...(selector === null ? {} : { selector }),
    children: children.map(partJson),
  };
}
