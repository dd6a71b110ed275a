import type { ReceiverStatus, WaitingMessage } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute } from '../route.ts';
import { timeText } from './time-text.ts';

/** GET /api/v1/receivers, an addition of ours: who is told without an Alertmanager, and what waits. */
export const receivers: JsonRoute = {
  path: '/receivers',
  methods: ['GET'],
  doc: {
    id: 'receivers',
    tag: 'alerts',
    summary: 'List receivers of notifications.yml and what is on its way (Narthex only)',
    body: 'Receivers',
  },
  handle(_, { ports }) {
    const found = ports.receivers?.status() ?? { receivers: [], waiting: [] };
    return successJson(
      JSON.stringify({
        receivers: found.receivers.map(receiverJson),
        waiting: found.waiting.map(waitingJson),
      }),
    );
  },
};

function receiverJson({ lastMs, lastError, ...receiver }: ReceiverStatus) {
  return {
    ...receiver,
    ...(lastMs === null ? {} : { last: timeText(lastMs) }),
    ...(lastError === null ? {} : { lastError }),
  };
}

function waitingJson({ createdMs, nextMs, error, ...message }: WaitingMessage) {
  return {
    ...message,
    created: timeText(createdMs),
    next: timeText(nextMs),
    ...(error === null ? {} : { error }),
  };
}
