import { ApiError } from '../api-error.ts';
import { badParameter, parseInteger, plainInteger, timeRange } from '../params.ts';
import type { AlertHistoryEntry, AlertHistoryState } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { exponentText } from './exponent-text.ts';
import { timeText } from './time-text.ts';

const STATES = ['inactive', 'pending', 'firing'] as const satisfies readonly AlertHistoryState[];
const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 10_000;

/** GET /api/v1/alerts/history, an addition of ours: what fired, when, and who was told. */
export const alertHistory: JsonRoute = {
  path: '/alerts/history',
  methods: ['GET'],
  doc: {
    id: 'alerts-history',
    tag: 'alerts',
    summary: 'List the changes of state of alerts, newest first (Narthex only)',
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
        description: 'Only this alert, as an earlier answer names it: its timeline.',
        example: '0123456789abcdef',
      },
      {
        name: 'state[]',
        kind: 'text',
        description: 'Only changes to these states.',
        isRepeated: true,
        choices: STATES,
        example: 'firing',
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
        description: 'Only changes since then.',
        example: '2026-01-02T12:37:00Z',
      },
      {
        name: 'end',
        kind: 'timestamp',
        description: 'Only changes until then.',
        example: '2026-01-02T13:37:00Z',
      },
      {
        name: 'limit',
        kind: 'integer',
        description: 'At most so many; 100 when absent.',
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
  async handle({ form, signal }, { ports }) {
    const states = form.all('state[]').map((text) => {
      const known = STATES.find((state) => state === text);
      if (known !== undefined) return known;
      throw badParameter('state[]', `not supported value ${JSON.stringify(text)}`);
    });
    const limit = plainInteger(form, 'limit', LIMIT_DEFAULT);
    if (limit < 1 || limit > LIMIT_MAX) {
      throw new ApiError('bad_data', `limit must be between 1 and ${LIMIT_MAX}`);
    }
    const token = form.first('next_token');
    const beforeId = token === '' ? null : parseInteger(token, 'ParseInt');
    const selectors = form.all('match[]');
    const matcherSets =
      selectors.length === 0 ? [] : await ports.language.selectors(selectors, signal);
    const request = {
      ...timeRange(form),
      alertName: form.first('alertname'),
      fingerprint: form.first('fingerprint'),
      states,
      matcherSets,
      id: null,
      limit,
      beforeId,
    };
    const page = await ports.alertHistory?.page(request, signal);
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
