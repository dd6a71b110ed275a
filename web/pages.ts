/** Addresses for browsers: the pages of the UI, its files, and redirects to where pages moved. */
import type { FastifyInstance } from 'fastify';
import { counted, type Handler } from './handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import type { WebOptions } from './options.ts';
import { sendUserFile, UiFiles } from './ui-files.ts';
import { redirect } from './unknown-path.ts';

const PAGES = [
  '/query',
  '/alerts',
  '/alert-history',
  '/alert-why',
  '/targets',
  '/rules',
  '/status',
  '/tsdb-status',
  '/flags',
  '/config',
  '/service-discovery',
  '/alertmanager-discovery',
];
const AGENT_PAGE = '/agent';
/** Pages that have nothing to show without storage. */
const SERVER_ONLY_PAGES = new Set([
  '/query',
  '/alerts',
  '/alert-history',
  '/alert-why',
  '/rules',
  '/tsdb-status',
]);
const TOP_FILES = ['/favicon.ico', '/favicon.svg', '/manifest.json'];

export function registerPages(
  app: FastifyInstance,
  options: WebOptions,
  metrics: HttpMetrics,
): void {
  const { clock, agentMode } = options;
  const basePath = options.externalUrl.pathname.replace(/\/+$/, '');
  const files = new UiFiles(options.uiDirectory, basePath, options.pageTitle);
  const get = (url: string, handler: Handler, name = url) => {
    app.get(url, counted(handler, metrics.handler(name), clock));
  };

  const to = (page: string): Handler => {
    return (request, reply) => {
      const query = request.url.indexOf('?');
      const more = query < 0 ? '' : request.url.slice(query);
      return redirect(reply, 302, `${basePath}${page}${more}`);
    };
  };
  get('/', to(agentMode ? AGENT_PAGE : '/query'));
  get('/graph', to('/query'));

  const pages = agentMode
    ? [...PAGES.filter((page) => !SERVER_ONLY_PAGES.has(page)), AGENT_PAGE]
    : PAGES;
  for (const page of pages) get(page, (_, reply) => files.sendPage(reply));
  for (const name of TOP_FILES) {
    get(name, (request, reply) => files.sendFile(request, reply, name.slice(1)));
  }
  const asset: Handler = (request, reply) => {
    const { '*': rest } = request.params as { '*': string };
    return files.sendFile(request, reply, `assets/${rest}`);
  };
  get('/assets/*', asset, '/assets/*filepath');

  const { userAssetsDirectory } = options;
  if (userAssetsDirectory !== undefined) {
    const userFile: Handler = (request, reply) => {
      const { '*': rest } = request.params as { '*': string };
      return sendUserFile(reply, userAssetsDirectory, rest);
    };
    get('/user/*', userFile, '/user/*filepath');
  }
}
