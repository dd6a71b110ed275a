/** GET /-/ready and /api/v1/status/walreplay: whether the server can answer yet. */
import { useQuery } from '@tanstack/react-query';
import { withBase } from '../base.ts';
import { apiGet } from './client.ts';

export type Readiness = {
  state: 'ready' | 'starting' | 'stopping' | 'unreachable';
  /** Server clock minus browser clock; undefined when the answer carries no date. */
  clockDriftMs: number | undefined;
};

const POLL_MS = { ready: 15_000, starting: 1_000, stopping: 1_000, unreachable: 3_000 };

async function askReady(signal: AbortSignal): Promise<Readiness> {
  const askedMs = Date.now();
  let response: Response;
  try {
    response = await fetch(withBase('/-/ready'), { signal, cache: 'no-store' });
  } catch {
    return { state: 'unreachable', clockDriftMs: undefined };
  }
  const date = Date.parse(response.headers.get('date') ?? '');
  const middleMs = (askedMs + Date.now()) / 2;
  const clockDriftMs = Number.isNaN(date) ? undefined : date - middleMs;
  if (response.ok) return { state: 'ready', clockDriftMs };
  // A proxy whose server is gone answers 502 or 504; only 503 is the server's own voice.
  if (response.status !== 503) return { state: 'unreachable', clockDriftMs: undefined };
  const isStopping = response.headers.get('x-prometheus-stopping') === 'true';
  return { state: isStopping ? 'stopping' : 'starting', clockDriftMs };
}

export function useReadiness() {
  return useQuery({
    queryKey: ['ready'],
    queryFn: ({ signal }) => askReady(signal),
    refetchInterval: ({ state }) => POLL_MS[state.data?.state ?? 'starting'],
    refetchOnWindowFocus: true,
  });
}

/** Segment numbers of the write-ahead log. */
export type WalReplay = { min: number; max: number; current: number };

export function useWalReplay() {
  return useQuery({
    queryKey: ['walreplay'],
    queryFn: ({ signal }) =>
      apiGet<WalReplay>('status/walreplay', {}, signal).then((answer) => answer.data),
    refetchInterval: 500,
    retry: false,
  });
}
