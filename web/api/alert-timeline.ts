import { ApiError } from '../api-error.ts';
import { plainInteger, timeRange } from '../params.ts';
import type { AlertSpan, AlertTimeline } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { exponentText } from './exponent-text.ts';
import { timeText } from './time-text.ts';

const LIMIT_DEFAULT = 200;
const LIMIT_MAX = 5000;

/** GET /api/v1/alerts/timeline, an addition of ours: from when to when alerts were pending or firing. */
export const alertTimeline: JsonRoute = {
  path: '/alerts/timeline',
  methods: ['GET'],
  doc: {
    id: 'alerts-timeline',
    tag: 'alerts',
    summary: 'List from when to when alerts were pending or firing (Narthex only)',
    parameters: [
      {
        name: 'alertname',
        kind: 'text',
        description: 'Only alerts of this rule.',
        example: 'TargetDown',
      },
      {
        name: 'fingerprint',
        kind: 'text',
        description: 'Only this alert, as an earlier answer names it.',
        example: '0123456789abcdef',
      },
      {
        name: 'match[]',
        kind: 'selector',
        description: 'Only alerts whose labels match any of these selectors.',
        isRepeated: true,
        example: '{severity="page"}',
      },
      {
        name: 'start',
        kind: 'timestamp',
        description: 'Only what reaches beyond this time.',
        example: '2026-01-02T12:37:00Z',
      },
      {
        name: 'end',
        kind: 'timestamp',
        description: 'Only what began before this time.',
        example: '2026-01-02T13:37:00Z',
      },
      {
        name: 'limit',
        kind: 'integer',
        description: `At most so many alerts; ${LIMIT_DEFAULT} when absent.`,
        example: 100,
      },
    ],
    body: 'AlertTimelines',
  },
  async handle({ form, signal }, { ports }) {
    const limit = plainInteger(form, 'limit', LIMIT_DEFAULT);
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new ApiError('bad_data', `limit must be between 1 and ${LIMIT_MAX}`);
    }
    const selectors = form.all('match[]');
    const matcherSets =
      selectors.length === 0 ? [] : await ports.language.selectors(selectors, signal);
    const request = {
      ...timeRange(form),
      alertName: form.first('alertname'),
      fingerprint: form.first('fingerprint'),
      matcherSets,
      limit,
    };
    const found = await ports.alertHistory?.timelines(request, signal);
    const { alerts, isCut } = found ?? { alerts: [], isCut: false };
    return successJson(JSON.stringify({ alerts: alerts.map(timelineJson), isCut }));
  },
};

function timelineJson({ spans, ...alert }: AlertTimeline) {
  return { ...alert, spans: spans.map(spanJson) };
}

function spanJson({ state, startMs, endMs, value, eventId }: AlertSpan) {
  return {
    state,
    ...(startMs === null ? {} : { start: timeText(startMs) }),
    ...(endMs === null ? {} : { end: timeText(endMs) }),
    ...(value === null ? {} : { value: exponentText(value) }),
    ...(eventId === null ? {} : { event: String(eventId) }),
  };
}
