/**
 * The built user interface, as files below one directory. What is served is what was there when it
 * was looked for, so no request can name a path outside of it.
 *
 * Names below `assets/` carry a hash of their content and may be kept for ever; everything else is
 * asked for again each time. Files come with compressed twins (`.br`, `.gz`) made by the build.
 */
import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendPlainError } from './respond.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};
const TWINS = [
  { suffix: '.br', encoding: 'br' },
  { suffix: '.gz', encoding: 'gzip' },
] as const;
const PLACEHOLDER = '<!--narthex-base-->';

type UiFile = {
  readonly type: string;
  readonly etag: string;
  /** Encodings that lie beside the file. */
  readonly encodings: readonly { readonly suffix: string; readonly encoding: string }[];
};

export class UiFiles {
  readonly #directory: string;
  readonly #setup: string;
  /** Path below the directory, with slashes. Undefined until the UI is built. */
  #files: ReadonlyMap<string, UiFile> | undefined;

  /**
   * @param basePath  what browsers have to put before every path: that of the external URL
   */
  constructor(directory: string, basePath: string, pageTitle: string) {
    this.#directory = directory;
    const base = scriptText(basePath);
    const title = scriptText(pageTitle);
    this.#setup = `<script>window.__NARTHEX_BASE__=${base};window.__NARTHEX_TITLE__=${title}</script>`;
  }

  /** Any page of the UI: it finds out by the address which one it is. */
  async sendPage(reply: FastifyReply): Promise<FastifyReply> {
    reply.header('content-type', TYPES['.html']!).header('cache-control', 'no-cache');
    if (!this.#find().has('index.html')) {
      return reply.code(200).send(NOT_BUILT_PAGE);
    }
    const page = await readFile(path.join(this.#directory, 'index.html'), 'utf8');
    return reply.code(200).send(page.replace(PLACEHOLDER, () => this.#setup));
  }

  /** One file by its path below the directory, such as `assets/index-1a2b3c.js`. */
  async sendFile(
    request: FastifyRequest,
    reply: FastifyReply,
    name: string,
  ): Promise<FastifyReply> {
    const file = this.#find().get(name);
    if (file === undefined) return sendPlainError(reply, 404, '404 page not found');
    const isHashed = name.startsWith('assets/');
    reply
      .header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      .header('etag', file.etag)
      .header('vary', 'Accept-Encoding')
      .header('x-content-type-options', 'nosniff');
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    const accepted = request.headers['accept-encoding'] ?? '';
    const twin = file.encodings.find(({ encoding }) => accepted.includes(encoding));
    if (twin !== undefined) reply.header('content-encoding', twin.encoding);
    reply.header('content-type', file.type);
    return reply.send(await readFile(path.join(this.#directory, name + (twin?.suffix ?? ''))));
  }

  #find(): ReadonlyMap<string, UiFile> {
    if (this.#files !== undefined) return this.#files;
    const files = listFiles(this.#directory);
    // Until there is a page, the build may still come.
    if (files.has('index.html')) this.#files = files;
    return files;
  }
}

/**
 * A file of `--web.user-assets`. Looked for with each request, because users change them while the
 * server runs; a path that leaves the directory is not found.
 */
export async function sendUserFile(
  reply: FastifyReply,
  directory: string,
  name: string,
): Promise<FastifyReply> {
  const root = path.resolve(directory);
  const file = path.resolve(root, name);
  const stats = file.startsWith(root + path.sep)
    ? statSync(file, { throwIfNoEntry: false })
    : undefined;
  if (stats === undefined || !stats.isFile()) {
    return sendPlainError(reply, 404, '404 page not found');
  }
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  return reply.header('content-type', type).send(await readFile(file));
}

function listFiles(directory: string): Map<string, UiFile> {
  let names: string[];
  try {
    names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch {
    return new Map();
  }
  const present = new Set(names);
  const files = new Map<string, UiFile>();
  for (const name of names) {
    const type = TYPES[path.extname(name)];
    const stats = statSync(path.join(directory, name), { throwIfNoEntry: false });
    if (type === undefined || stats === undefined || !stats.isFile()) continue;
    const etag = `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}"`;
    const encodings = TWINS.filter(({ suffix }) => present.has(name + suffix));
    files.set(name.split(path.sep).join('/'), { type, etag, encodings });
  }
  return files;
}

/** A text as JavaScript inside of HTML. */
function scriptText(text: string): string {
  return JSON.stringify(text).replace(/</g, '\\u003c');
}

const NOT_BUILT_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Narthex</title>
<body style="font: 16px/1.5 system-ui; max-width: 40rem; margin: 4rem auto; padding: 0 1rem">
<h1>Narthex is running</h1>
<p>Its pages have not been built yet. Run <code>npm run build</code> where Narthex lies, then load
this page again.</p>
<p>Everything else works: <a href="api/v1/query?query=up">a query</a>,
<a href="api/v1/targets">the targets</a>, <a href="metrics">the server's own metrics</a>. Grafana and
other clients of Prometheus can use this address as it is.</p>
`;
