import { badParameter, parseInteger } from '../params.ts';
import type { AlertHistoryEntry, AlertHistoryState } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { ALERT_MATCH, ALERT_NAME, alertSelection, FINGERPRINT } from './alert-selection.ts';
import { exponentText } from './exponent-text.ts';
import { END, START } from './parameters.ts';
import { timeText } from './time-text.ts';

const STATES = ['inactive', 'pending', 'firing'] as const satisfies readonly AlertHistoryState[];
const LIMITS = { absent: 100, max: 10_000 };

/** GET /api/v1/alerts/history, an addition of ours: what fired, when, and who was told. */
export const alertHistory: JsonRoute = {
  path: '/alerts/history',
  methods: ['GET'],
  doc: {
    id: 'alerts-history',
    tag: 'alerts',
    summary: 'List the changes of state of alerts, newest first (Narthex only)',
    parameters: [
      ALERT_NAME,
      {
        ...FINGERPRINT,
        description: 'Only this alert, as an earlier answer names it: its timeline.',
      },
      {
        name: 'state[]',
        kind: 'text',
        description: 'Only changes to these states.',
        isRepeated: true,
        choices: STATES,
        example: 'firing',
      },
      ALERT_MATCH,
      { ...START, description: 'Only changes since then.' },
      { ...END, description: 'Only changes until then.' },
      {
        name: 'limit',
        kind: 'integer',
        description: `At most so many; ${LIMITS.absent} when absent.`,
        example: 100,
      },
      {
        name: 'next_token',
        kind: 'text',
        description: 'Where to go on: the token of the answer before.',
        example: '1234',
      },
    ],
    body: 'AlertHistory',
  },
  async handle(call, context) {
    const { form, signal } = call;
    const states = form.all('state[]').map((text) => {
      const known = STATES.find((state) => state === text);
      if (known !== undefined) return known;
      throw badParameter('state[]', `not supported value ${JSON.stringify(text)}`);
    });
    const token = form.first('next_token');
    const beforeId = token === '' ? null : parseInteger(token, 'ParseInt');
    const selection = await alertSelection(call, context, LIMITS);
    const request = { ...selection, states, id: null, beforeId };
    const page = await context.ports.alertHistory?.page(request, signal);
    const { entries, nextToken } = page ?? { entries: [], nextToken: null };
    return successJson(
      JSON.stringify({
        entries: entries.map(entryJson),
        ...(nextToken === null ? {} : { nextToken: String(nextToken) }),
      }),
    );
  },
};

export function entryJson(entry: AlertHistoryEntry) {
  const { atMs, rule, group, file, query, from, to, fingerprint, deliveries } = entry;
  const { activeAtMs, value } = entry;
  return {
    at: timeText(atMs),
    from,
    to,
    fingerprint,
    labels: entry.labels,
    annotations: entry.annotations,
    value: exponentText(value),
    activeAt: timeText(activeAtMs),
    rule,
    group,
    file,
    id: String(entry.id),
    query,
    ...(entry.samples === null ? {} : { samples: entry.samples }),
    deliveries: deliveries.map(({ atMs: deliveredMs, url, error }) => ({
      at: timeText(deliveredMs),
      url,
      ...(error === null ? {} : { error }),
    })),
  };
}
