/** Messages of the server about itself. Source: Prometheus HTTP API, notifications. */
import type { Notification } from '../ports.ts';
import { successJson } from '../respond.ts';
import type { JsonRoute, RawRoute } from '../route.ts';
import { timeText } from './time-text.ts';

/** GET /api/v1/notifications: those that hold now. */
export const notifications: JsonRoute = {
  path: '/notifications',
  methods: ['GET'],
  doc: {
    id: 'notifications',
    tag: 'notifications',
    summary: 'List notifications',
    body: 'Notifications',
  },
  beforeReady: true,
  inAgentMode: true,
  handle(_, { ports }) {
    return successJson(`[${ports.notifications.active().map(notificationJson).join(',')}]`);
  },
};

/** GET /api/v1/notifications/live: server-sent events; 204 when there are too many listeners. */
export const liveNotifications: RawRoute = {
  path: '/notifications/live',
  methods: ['GET'],
  doc: {
    id: 'notifications-live',
    tag: 'notifications',
    summary: 'Follow notifications',
    answerType: 'text/event-stream',
    isEventStream: true,
  },
  beforeReady: true,
  inAgentMode: true,
  answer({ reply }, { ports, endlessAnswers }) {
    const { raw } = reply;
    const send = (notification: Notification) => {
      // Whoever does not read is not waited for.
      if (raw.writableNeedDrain) return false;
      raw.write(`data: ${notificationJson(notification)}\n\n`);
      return true;
    };
    const unsubscribe = ports.notifications.subscribe(send);
    if (unsubscribe === null) return reply.code(204).send();
    reply.header('cache-control', 'no-cache');
    reply.header('content-type', 'text/event-stream');
    reply.hijack();
    raw.writeHead(200, reply.getHeaders() as Record<string, string>);
    raw.flushHeaders();
    endlessAnswers.add(raw);
    raw.on('close', () => {
      unsubscribe();
      endlessAnswers.delete(raw);
    });
    for (const notification of ports.notifications.active()) send(notification);
    return reply;
  },
};

function notificationJson({ text, dateMs, active }: Notification): string {
  return JSON.stringify({ text, date: timeText(dateMs), active });
}
