/** GET /api/v1/query_range: an expression over time, answered as columns by a worker. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { apiRequest } from './client.ts';
import { gridOf, type RangeColumns } from './range-columns.ts';
import type { RangeFailure, RangeJob, RangeReply } from './range-worker.ts';
import { type Answer, ApiError, UnreachableError } from './transport.ts';

/** With the window that was asked for; the last step may lie before its end. */
export type RangeAnswer = Answer<RangeColumns> & { startMs: number; endMs: number };

type Pending = { resolve: (answer: Answer<RangeColumns>) => void; reject: (error: Error) => void };

let worker: Worker | undefined;
let nextId = 1;
const pending = new Map<number, Pending>();

function rangeWorker(): Worker {
  if (worker !== undefined) return worker;
  worker = new Worker(new URL('./range-worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<RangeReply>) => {
    const waiting = pending.get(data.id);
    pending.delete(data.id);
    if ('answer' in data) waiting?.resolve(data.answer);
    else waiting?.reject(revive(data.error));
  });
  worker.addEventListener('error', () => {
    for (const { reject } of pending.values()) reject(new Error('The query worker stopped.'));
    pending.clear();
    worker?.terminate();
    worker = undefined;
  });
  return worker;
}

function revive(error: RangeFailure): Error {
  if (error.kind === 'api') return new ApiError(error.message, error.type, error.httpStatus);
  if (error.kind === 'unreachable') return new UnreachableError(error.message);
  return new Error(error.message);
}

function fetchRange(
  expr: string,
  startMs: number,
  endMs: number,
  stepMs: number,
  signal: AbortSignal,
): Promise<RangeAnswer> {
  const request = apiRequest('query_range', {
    query: expr,
    start: startMs / 1000,
    end: endMs / 1000,
    step: stepMs / 1000,
    stats: 'true',
  });
  const id = nextId++;
  const post = (job: RangeJob) => rangeWorker().postMessage(job, []);
  return new Promise((resolve, reject) => {
    const withWindow = (answer: Answer<RangeColumns>) => resolve({ ...answer, startMs, endMs });
    pending.set(id, { resolve: withWindow, reject });
    signal.addEventListener('abort', () => {
      if (!pending.delete(id)) return;
      post({ cancelId: id });
      reject(new DOMException('canceled', 'AbortError'));
    });
    post({ id, request, grid: gridOf(startMs, endMs, stepMs) });
  });
}

export type RangeWindow = {
  rangeMs: number;
  /** undefined: until now, at the time of asking. */
  endMs: number | undefined;
  stepMs: number;
};

/** @param runCount, refreshMs  as for useInstantQuery */
export function useRangeQuery(
  expr: string,
  { rangeMs, endMs, stepMs }: RangeWindow,
  runCount: number,
  refreshMs: number,
) {
  return useQuery({
    queryKey: ['query_range', expr, rangeMs, endMs ?? 'now', stepMs, runCount],
    queryFn: ({ signal }) => {
      // Towards now, steps are multiples of the step, so that a refresh moves the line instead of
      // sampling it at other moments.
      const untilMs = endMs ?? Math.floor(Date.now() / stepMs) * stepMs;
      return fetchRange(expr, untilMs - rangeMs, untilMs, stepMs, signal);
    },
    enabled: expr !== '',
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    // Columns hold typed arrays; comparing them deeply would cost more than it could save.
    structuralSharing: false,
    refetchInterval: endMs === undefined && refreshMs > 0 ? refreshMs : false,
    retry: false,
  });
}
