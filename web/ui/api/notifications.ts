/** GET /api/v1/notifications and /api/v1/notifications/live: what the server wants known. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { withBase } from '../base.ts';
import { apiGet } from './client.ts';

export type ServerNotification = { text: string; date: string; active: boolean };

const KEY = ['notifications'];

/**
 * Active notifications, newest first. They arrive as a stream; when the server has no more room
 * for listeners (it then answers 204) the list is asked for now and then instead.
 */
export function useNotifications(): ServerNotification[] {
  const client = useQueryClient();
  const [streaming, setStreaming] = useState(false);

  useEffect(() => {
    let source: EventSource | undefined;
    const listen = () => {
      source = new EventSource(withBase('/api/v1/notifications/live'));
      source.addEventListener('open', () => setStreaming(true));
      source.addEventListener('error', () => setStreaming(false));
      source.addEventListener('message', (event: MessageEvent<string>) => {
        const news = JSON.parse(event.data) as ServerNotification;
        client.setQueryData<ServerNotification[]>(KEY, (known = []) => {
          const others = known.filter((one) => one.text !== news.text);
          return news.active ? [news, ...others] : others;
        });
      });
    };
    // A browser keeps six connections to a server; hidden tabs must not sit on them.
    const followVisibility = () => {
      source?.close();
      setStreaming(false);
      if (document.visibilityState === 'visible') listen();
    };
    followVisibility();
    document.addEventListener('visibilitychange', followVisibility);
    return () => {
      document.removeEventListener('visibilitychange', followVisibility);
      source?.close();
    };
  }, [client]);

  const list = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) =>
      apiGet<ServerNotification[]>('notifications', {}, signal).then((answer) =>
        answer.data.filter((one) => one.active),
      ),
    refetchInterval: streaming ? false : 30_000,
    retry: false,
  });
  return list.data ?? [];
}
