import type { AlertSpan, AlertTimeline } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { ALERT_MATCH, ALERT_NAME, alertSelection, FINGERPRINT } from './alert-selection.ts';
import { exponentText } from './exponent-text.ts';
import { END, START } from './parameters.ts';
import { timeText } from './time-text.ts';

const LIMITS = { absent: 200, max: 5000 };

/** GET /api/v1/alerts/timeline, an addition of ours: from when to when alerts were pending or firing. */
export const alertTimeline: JsonRoute = {
  path: '/alerts/timeline',
  methods: ['GET'],
  doc: {
    id: 'alerts-timeline',
    tag: 'alerts',
    summary: 'List from when to when alerts were pending or firing (Narthex only)',
    parameters: [
      ALERT_NAME,
      FINGERPRINT,
      ALERT_MATCH,
      { ...START, description: 'Only what reaches beyond this time.' },
      { ...END, description: 'Only what began before this time.' },
      {
        name: 'limit',
        kind: 'integer',
        description: `At most so many alerts; ${LIMITS.absent} when absent.`,
        example: 100,
      },
    ],
    body: 'AlertTimelines',
  },
  async handle(call, context) {
    const request = await alertSelection(call, context, LIMITS);
    const found = await context.ports.alertHistory?.timelines(request, call.signal);
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
