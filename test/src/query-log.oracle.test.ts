/** Lines of `query_log_file`, beside a real Prometheus. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { JUDGE_BINARY } from '../support/judge.ts';
import { until } from './support/server.ts';
import { serversOfTests } from './support/servers.ts';

const servers = serversOfTests();
const RULES = `groups:
- name: g
  interval: 1s
  rules:
  - {record: r, expr: vector(1) + 1}
`;

type Line = Record<string, unknown> & { params: { query: string } };

/** Lines by query, with everything that differs from run to run taken out. */
async function linesOf(program: readonly string[] | undefined): Promise<Record<string, unknown>> {
  const server = await servers.create('', program);
  const file = path.join(server.folder, 'query.log');
  server.writeConfig(`global: {query_log_file: ${file}}\nrule_files: [rules.yml]\n`);
  server.writeFile('rules.yml', RULES);
  await server.startReady();
  const lines = (): Line[] =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  await server.get('/api/v1/query?query=time()&time=60.5');
  await server.get('/api/v1/query_range?query=vector(2)&start=0&end=100&step=10');
  await server.get('/api/v1/query', {
    method: 'POST',
    body: new URLSearchParams({ query: 'vector(3)', time: '1' }),
  });
  await until('the rule', () => lines().some(({ params }) => params.query === 'vector(1) + 1'));
  const isRule = ({ params }: Line) => params.query === 'vector(1) + 1';
  return Object.fromEntries(
    lines().map((line) => [
      line.params.query,
      {
        ...line,
        time: '',
        source: '',
        params: isRule(line) ? Object.keys(line.params) : line.params,
        stats: Object.keys((line['stats'] as { timings: object }).timings).sort(),
        ...(isRule(line) && {
          ruleGroup: JSON.stringify(line['ruleGroup']).replace(server.folder, ''),
        }),
      },
    ]),
  );
}

test.skipIf(JUDGE_BINARY === null)(
  'say the same of the same queries',
  async () => {
    const theirs = await linesOf([JUDGE_BINARY!]);
    const ours = await linesOf(undefined);
    expect(Object.keys(theirs)).toHaveLength(4);
    expect(ours).toEqual(theirs);
  },
  60_000,
);
