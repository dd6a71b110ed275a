/** Serves the built UI as the real server does, with an API of the test's choice behind it. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

export const UI_DIST = path.resolve(import.meta.dirname, '../../../web/ui/dist');

/** Answers everything below the prefix that is no file of the UI; false when it does not want to. */
export type Api = (
  request: { path: string; params: URLSearchParams },
  response: ServerResponse,
) => boolean | Promise<boolean>;

export type UiServer = {
  url: string;
  /** Every answer of a file of the UI: its name and the bytes sent. */
  sent: { name: string; sizeBytes: number }[];
  close: () => Promise<void>;
};

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** @param prefix  a route prefix such as `/monitoring`, or nothing */
export async function startUiServer(api: Api, prefix = ''): Promise<UiServer> {
  const sent: UiServer['sent'] = [];
  const server = createServer((request, response) => {
    answer(request, response, api, prefix, sent).catch((error: unknown) => {
      response.destroy(error as Error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    sent,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  api: Api,
  prefix: string,
  sent: UiServer['sent'],
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (!url.pathname.startsWith(`${prefix}/`)) {
    response.writeHead(404).end();
    return;
  }
  const below = url.pathname.slice(prefix.length);
  const params = url.searchParams;
  if (request.method === 'POST') {
    for (const [name, value] of new URLSearchParams(await bodyOf(request))) {
      params.append(name, value);
    }
  }
  if (await api({ path: below, params }, response)) return;

  const file = path.join(UI_DIST, below);
  if (path.extname(below) === '') await sendIndex(response, prefix, sent);
  else if (existsSync(file)) await sendFile(request, response, file, sent);
  else response.writeHead(404).end();
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

async function sendIndex(
  response: ServerResponse,
  prefix: string,
  sent: UiServer['sent'],
): Promise<void> {
  const html = await readFile(path.join(UI_DIST, 'index.html'), 'utf8');
  const script = `<script>window.__NARTHEX_BASE__=${JSON.stringify(prefix)}</script>`;
  const page = html.replace('<!--narthex-base-->', script);
  sent.push({ name: 'index.html', sizeBytes: Buffer.byteLength(page) });
  response.writeHead(200, { 'content-type': CONTENT_TYPES['.html'] }).end(page);
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: string,
  sent: UiServer['sent'],
): Promise<void> {
  const takesBrotli = String(request.headers['accept-encoding']).includes('br');
  // Chromium offers br only over TLS and to localhost; both kinds lie beside every file.
  const suffix = takesBrotli && existsSync(`${file}.br`) ? '.br' : '';
  const bytes = await readFile(file + suffix);
  sent.push({ name: path.basename(file), sizeBytes: bytes.length });
  response.writeHead(200, {
    'content-type': CONTENT_TYPES[path.extname(file)] ?? 'application/octet-stream',
    ...(suffix !== '' && { 'content-encoding': 'br' }),
  });
  response.end(bytes);
}
