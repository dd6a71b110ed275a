/** GET /api/v1/status/pushed_groups: what short-lived jobs have pushed; Narthex's own. */
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { timeText } from './time-text.ts';

export const pushedGroups: JsonRoute = {
  path: '/status/pushed_groups',
  methods: ['GET'],
  doc: {
    id: 'status-pushed-groups',
    tag: 'status',
    summary: 'List the groups of metrics that jobs have pushed (Narthex only)',
    body: 'PushedGroups',
  },
  async handle(_, { ports }) {
    const groups = (await ports.push?.list()) ?? [];
    const timeOrNull = (ms: number | null) => (ms === null || ms === 0 ? null : timeText(ms));
    return successJson(
      JSON.stringify({
        groups: groups.map(({ labels, pushedAtMs, failedAtMs, expiresAtMs, seriesCount }) => ({
          labels,
          pushedAt: timeOrNull(pushedAtMs),
          failedAt: timeOrNull(failedAtMs),
          expiresAt: timeOrNull(expiresAtMs),
          series: seriesCount,
        })),
      }),
    );
  },
};
