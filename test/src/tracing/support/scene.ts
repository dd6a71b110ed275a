/** What a server that is traced works with: a target, an Alertmanager and a receiver, in one. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { TestServer } from '../../support/server.ts';
import { type Collector, startCollector } from './collector.ts';

export type Scene = {
  readonly collector: Collector;
  /** Values of `traceparent` by path; empty where there was none. */
  readonly parents: Map<string, string[]>;
  /** A configuration that has everything in it. */
  readonly config: (tracing: string) => string;
  readonly tracing: (settings: string) => string;
  readonly ask: (server: TestServer) => Promise<void>;
};

export const RULES = `groups:
- name: g
  interval: 1s
  rules:
  - {record: r, expr: m + 1}
  - {alert: A, expr: m == 1}
`;

export function scenesOfTests() {
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  return async (protocol: 'http' | 'grpc'): Promise<Scene> => {
    const collector = await startCollector(protocol);
    const parents = new Map<string, string[]>();
    const others = createServer(async (request, response) => {
      for await (const _ of request);
      const path = request.url ?? '';
      const seen = parents.get(path) ?? [];
      parents.set(path, [...seen, String(request.headers['traceparent'] ?? '')]);
      if (path === '/metrics') response.setHeader('content-type', 'text/plain').end('m 1\n');
      else response.writeHead(path === '/missing' ? 404 : 200).end();
    });
    await new Promise<void>((resolve) => others.listen(0, '127.0.0.1', resolve));
    ends.push(collector.close, async () => {
      others.closeAllConnections();
      others.close();
    });
    const { port } = others.address() as AddressInfo;
    const tracing = (settings: string) =>
      `tracing: {client_type: ${protocol}, endpoint: '127.0.0.1:${collector.port}', insecure: true, ${settings}}\n`;
    const config = (section: string) => `
global: {scrape_interval: 1s}
${section}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:${port}']}]}]}
remote_write: [{url: 'http://127.0.0.1:${port}/write', queue_config: {batch_send_deadline: 1s}}]
remote_read: [{url: 'http://127.0.0.1:${port}/read', read_recent: true, required_matchers: {far: 'yes'}}]
scrape_configs:
- {job_name: a, static_configs: [{targets: ['127.0.0.1:${port}']}]}
- {job_name: b, metrics_path: /missing, static_configs: [{targets: ['127.0.0.1:${port}']}]}
`;
    return { collector, parents, config, tracing, ask };
  };
}

export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
export const CALLER = 'b7ad6b7169203331';

/** Every kind of request, once, and one that is a part of another trace. */
async function ask(server: TestServer): Promise<void> {
  const endSeconds = Math.floor(Date.now() / 1000);
  const range = `start=${endSeconds - 60}&end=${endSeconds}&step=10`;
  const caller = (flags: string) => ({
    headers: { traceparent: `00-${TRACE_ID}-${CALLER}-${flags}`, tracestate: 'a=b' },
  });
  await server.get('/api/v1/query?query=m');
  await server.get(`/api/v1/query_range?query=m&${range}`);
  await server.get('/api/v1/query', {
    method: 'POST',
    body: new URLSearchParams({ query: 'up' }),
  });
  await server.get('/api/v1/query?query=sum(m)', caller('01'));
  await server.get('/api/v1/query?query=min(m)', caller('00'));
  await server.get('/api/v1/query?query=m{far="yes"}');
  await server.get('/api/v1/labels');
  await server.get('/api/v1/label/job/values');
  await server.get('/api/v1/series?match[]=m');
  await server.get('/api/v1/nothing');
  await server.get('/-/healthy');
  await server.get('/federate?match[]=m');
}
