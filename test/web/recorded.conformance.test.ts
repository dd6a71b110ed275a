/**
 * Answers that a Prometheus 3.14 gave to requests that are wrong, or that say nothing about data:
 * status, type of error and words must be the same.
 */
import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import { readConformance } from './conformance-data.ts';
import { houseWithLanguage } from './real-language.ts';

type Recorded = {
  readonly group: string;
  readonly cmp: 'list' | 'set' | 'data' | 'error' | 'status' | 'federate' | 'shape';
  readonly method: NonNullable<InjectOptions['method']>;
  readonly path: string;
  readonly params: readonly [string, string][];
  readonly status: number;
  readonly type: string;
  readonly json?: { data?: unknown; error?: string; errorType?: string };
  readonly text?: string;
  readonly shape?: Readonly<Record<string, unknown>>;
};

const lines = readConformance('recorded-3.14/api.jsonl.gz')?.trim().split('\n') ?? [];
const recorded = lines.map((line) => JSON.parse(line) as Recorded);

/** What takes an engine or data to answer; other tests ask those. */
function needsMore({ status, group, path }: Recorded): boolean {
  const isAboutData = ['series', 'labels', 'values', 'exemplars', 'federate'].includes(group);
  return status === 422 || (isAboutData && status === 200) || path === '/api/v1/read';
}

function ask({ method, path, params }: Recorded) {
  const form = new URLSearchParams(params.map(([name, value]) => [name, value])).toString();
  const inBody = method === 'POST';
  const options: InjectOptions = {
    method,
    url: inBody || form === '' ? path : `${path}?${form}`,
  };
  if (inBody) {
    options.headers = { 'content-type': 'application/x-www-form-urlencoded' };
    options.payload = form;
  }
  return houseWithLanguage().app.inject(options);
}

const title = ({ method, path, params }: Recorded) =>
  `${method} ${path}?${params.map(([name, value]) => `${name}=${value}`).join('&')}`.slice(0, 150);
const kind = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);

describe.runIf(recorded.length > 0)('recorded on 3.14', () => {
  const asked = recorded.filter((request) => !needsMore(request));
  test(`there are enough of them: ${asked.length}`, () => {
    expect(asked.length).toBeGreaterThan(300);
  });

  test.each(asked.map((request) => [title(request), request] as const))(
    '%s',
    async (_, request) => {
      const response = await ask(request);
      expect(response.statusCode).toBe(request.status);
      const type = (response.headers['content-type'] ?? '').split(';')[0];
      if (request.type !== '' && request.method !== 'HEAD') expect(type).toBe(request.type);
      const body = request.json === undefined ? null : response.json<Recorded['json']>();
      if (request.json?.errorType !== undefined) {
        expect(body?.errorType).toBe(request.json.errorType);
        if (request.json.error !== undefined) expect(body?.error).toBe(request.json.error);
      }
      if (request.cmp === 'data' && request.status === 200 && request.group !== 'exemplars') {
        expect(body?.data).toEqual(request.json?.data);
      }
      if (request.shape !== undefined) {
        const { data } = response.json<{ data: Record<string, unknown> }>();
        for (const [name, value] of Object.entries(request.shape)) {
          expect([name, kind(data[name])]).toEqual([name, kind(value)]);
        }
      }
    },
  );
});
