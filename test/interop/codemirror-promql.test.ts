/** The query editor of Prometheus, and of everybody who built it in, completes from our data. */
import { createRequire } from 'node:module';
import type * as autocomplete from '@codemirror/autocomplete';
import type * as stateModule from '@codemirror/state';
import type * as promqlModule from '@prometheus-io/codemirror-promql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestServer, until } from '../src/support/server.ts';

// All of one kind: two copies of the editor's state do not know each other.
const require = createRequire(import.meta.url);
const { CompletionContext } = require('@codemirror/autocomplete') as typeof autocomplete;
const { EditorState } = require('@codemirror/state') as typeof stateModule;
const { PromQLExtension } = require('@prometheus-io/codemirror-promql') as typeof promqlModule;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.create(`global: {scrape_interval: 1s}
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]
`);
  await server.startReady();
  await until('something is scraped', async () => (await server.query('up')).size > 0);
});
afterAll(() => server?.remove());

/** @param marked  a query with `|` where the cursor is */
async function complete(marked: string, httpMethod: 'GET' | 'POST'): Promise<string[]> {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  const url = `http://127.0.0.1:${server.port}`;
  const problems: unknown[] = [];
  const httpErrorHandler = (error: unknown) => problems.push(error);
  const extension = new PromQLExtension().setComplete({
    remote: { url, httpMethod, httpErrorHandler, fetchFn: fetch },
  });
  const state = EditorState.create({ doc: text, extensions: extension.asExtension() });
  const context = new CompletionContext(state, at, true);
  const [source] = state.languageDataAt<autocomplete.CompletionSource>('autocomplete', at);
  const result = await source!(context);
  extension.destroy();
  expect(problems).toEqual([]);
  return result!.options.map(({ label }) => label);
}

test.each(['GET', 'POST'] as const)('by %s', async (method) => {
  expect(await complete('prometheus_http|', method)).toContain('prometheus_http_requests_total');
  expect(await complete('up{|}', method)).toEqual(expect.arrayContaining(['instance', 'job']));
  expect(await complete('up{job="|"}', method)).toEqual(['self']);
});
