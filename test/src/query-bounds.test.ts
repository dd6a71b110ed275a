import { expect, test } from 'vitest';
import { CanceledError, LimitError } from '../../model/index.ts';
import { QueryTimeoutError } from '../../promql/index.ts';
import { explainBound, TimedOutError } from '../../src/query-bounds.ts';
import { QueueTimeoutError } from '../../src/threads/query-pool.ts';

const BOUNDS = { timeoutMs: 120_000, queryCountMax: 20, heapSizeMb: 512 };
const explained = (error: unknown, timeoutMs = BOUNDS.timeoutMs) =>
  explainBound(error, timeoutMs, BOUNDS) as Error;

test('a query out of time is told its limit and the flag, behind the words of Prometheus', () => {
  const error = explained(new QueryTimeoutError());
  expect(error).toBeInstanceOf(TimedOutError);
  expect((error as TimedOutError).code).toBe('PROMQL_TIMEOUT');
  expect(error.message).toBe(
    'query timed out in expression evaluation (limit of 2m, --query.timeout)',
  );
});

test('a limit that the request has set is told apart from the flag', () => {
  expect(explained(new QueryTimeoutError(), 1500).message).toBe(
    'query timed out in expression evaluation ' +
      '(limit of 1s500ms set by the request; --query.timeout is 2m)',
  );
});

test('who only waited is told what for', () => {
  expect(explained(new QueueTimeoutError('query timed out in query queue')).message).toBe(
    'query timed out in query queue ' +
      '(limit of 2m, --query.timeout; at most 20 queries run at once, --query.max-concurrency)',
  );
});

test('errors that lost their class on the way between threads are known by their code', () => {
  const bare = Object.assign(new Error('query timed out in expression evaluation'), {
    code: 'PROMQL_TIMEOUT',
  });
  expect(explained(bare).message).toContain('--query.timeout');
});

test('a worker without memory is a limit, too', () => {
  const died = Object.assign(new Error('Worker terminated due to reaching memory limit'), {
    code: 'ERR_WORKER_OUT_OF_MEMORY',
  });
  expect(explained(died)).toBeInstanceOf(LimitError);
  expect(explained(died).message).toContain('limit of 512MiB');
  expect(explained(died).message).toContain('--query.max-bytes');
});

test.each([new CanceledError('query was canceled'), new RangeError('a bug'), 'no error'])(
  'anything else stays as it is: %s',
  (error) => expect(explainBound(error, 1, BOUNDS)).toBe(error),
);
