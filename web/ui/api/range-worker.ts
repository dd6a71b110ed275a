/**
 * Asks range queries away from the main thread: parsing tens of megabytes of JSON takes a second,
 * and the page must not stand still for it. What comes back is columns, moved without a copy.
 */
import type { MatrixSeries, QueryStats } from './query-result.ts';
import { type Grid, type RangeColumns, toColumns } from './range-columns.ts';
import { type Answer, ApiError, type ApiRequest, send, UnreachableError } from './transport.ts';

export type RangeJob = { id: number; request: ApiRequest; grid: Grid } | { cancelId: number };
/** An error cannot cross to the page as what it is, only as what it says. */
export type RangeFailure = {
  kind: 'api' | 'unreachable' | 'other';
  message: string;
  type: string;
  httpStatus: number;
};
export type RangeReply =
  | { id: number; answer: Answer<RangeColumns> }
  | { id: number; error: RangeFailure };

const running = new Map<number, AbortController>();

function post(reply: RangeReply, transfer: Transferable[] = []): void {
  self.postMessage(reply, { transfer });
}

async function answerJob(id: number, request: ApiRequest, grid: Grid): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const startedMs = performance.now();
    const answer = await send<{ result: MatrixSeries[]; stats?: QueryStats }>(
      request,
      controller.signal,
    );
    const columns = toColumns(answer.data.result, grid, answer.data.stats);
    const reply: RangeReply = {
      id,
      answer: { ...answer, data: columns, elapsedMs: performance.now() - startedMs },
    };
    post(reply, [columns.values.buffer]);
  } catch (error) {
    if (!controller.signal.aborted) post({ id, error: describe(error) });
  } finally {
    running.delete(id);
  }
}

function describe(error: unknown): RangeFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ApiError) {
    return { kind: 'api', message, type: error.type, httpStatus: error.httpStatus };
  }
  const kind = error instanceof UnreachableError ? 'unreachable' : 'other';
  return { kind, message, type: '', httpStatus: 0 };
}

self.addEventListener('message', ({ data }: MessageEvent<RangeJob>) => {
  if ('cancelId' in data) running.get(data.cancelId)?.abort();
  else void answerJob(data.id, data.request, data.grid);
});
