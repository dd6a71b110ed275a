import { readFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HtmlWriter } from '../../../src/consoles/html-writer.ts';
import { TestServer } from '../support/server.ts';

const file = (name: string) => readFileSync(path.join(import.meta.dirname, 'files', name), 'utf8');

describe('console pages', () => {
  let server: TestServer;
  const write = (folder: string, name: string, text: string) =>
    writeFileSync(path.join(server.folder, folder, name), text);
  beforeAll(async () => {
    server = await TestServer.create('global: {external_labels: {region: eu}}\n');
    for (const folder of ['templates', 'templates/sub', 'libraries']) {
      mkdirSync(path.join(server.folder, folder));
    }
    write('libraries', 'a.lib', '{{ define "greet" }}<b>Hello {{ . }}</b>{{ end }}');
    write('templates', 'contexts.html', file('contexts.html'));
    write('templates', 'library.html', '<p>{{ template "greet" "a&b" }}{{ tmpl "greet" "c" }}</p>');
    write('templates', 'query.html', '<p>{{ query "1 + 1" | first | value }}{{ .Params.n }}</p>');
    write('templates', 'missing.html', '{{ template "nope" . }}');
    write('templates', 'unknown.html', '{{ foo }}');
    write('templates', 'badquery.html', '{{ query "x[" }}');
    write('templates/sub', 'plain.txt', 'no page');
    await server.startReady(
      `--web.console.templates=${path.join(server.folder, 'templates')}`,
      `--web.console.libraries=${path.join(server.folder, 'libraries')}`,
      '--web.external-url=http://localhost/',
      `--web.user-assets=${path.join(server.folder, 'libraries')}`,
    );
  });
  afterAll(() => server?.remove());

  // As a Prometheus 3.14.0 renders it.
  test('escape values by where they stand', async () => {
    const { status, text } = await server.get('/consoles/contexts.html?x=1%3C&x=2');
    expect(text.split('\n')).toEqual(file('contexts.expected.html').split('\n'));
    expect(status).toBe(200);
  });

  test('use libraries, queries and parameters', async () => {
    const library = await server.get('/consoles/library.html');
    expect(library.text).toBe('<p><b>Hello a&amp;b</b><b>Hello c</b></p>');
    expect((await server.get('/consoles/query.html?n=%3C3%3E')).text).toBe('<p>2&lt;3&gt;</p>');
    expect((await server.get('/consoles/query.html', { method: 'POST' })).status).toBe(405);
    expect((await server.get('/consoles/')).text).toMatch(
      /^read \S*\/templates: is a directory\n$/,
    );
  });

  test('are of the type that they look like', async () => {
    const typeOf = async (name: string) =>
      (await fetch(`http://127.0.0.1:${server.port}/consoles/${name}`)).headers.get('content-type');
    expect(await typeOf('library.html')).toBe('text/html; charset=utf-8');
    expect(await typeOf('sub/plain.txt')).toBe('text/plain; charset=utf-8');
  });

  // The texts are those of 3.14.0.
  test.each([
    [
      'unknown.html',
      500,
      'error parsing template __console_/unknown.html: template: __console_/unknown.html:1: function "foo" not defined\n',
    ],
    [
      'badquery.html',
      500,
      'error executing template __console_/badquery.html: template: __console_/badquery.html:1:110: executing "__console_/badquery.html" at <query "x[">: error calling query: 1:3: parse error: unexpected end of input in duration expression\n',
    ],
    ['missing.html', 500, '"nope"'],
    ['nope.html', 404, 'templates/nope.html: no such file or directory\n'],
    ['sub', 500, 'templates/sub: is a directory\n'],
    ['..%2f..%2fprometheus.yml', 404, 'no such file or directory'],
  ])('%s is answered with %i', async (name, code, text) => {
    const answer = await server.get(`/consoles/${name}`);
    expect(answer.status).toBe(code);
    expect(answer.text).toContain(text);
  });

  test('files of the user are served below /user', async () => {
    const { status, text } = await server.get('/user/a.lib');
    expect([status, text]).toEqual([200, '{{ define "greet" }}<b>Hello {{ . }}</b>{{ end }}']);
  });
});

describe('a value', () => {
  const render = (before: string, value: string, after: string) => {
    const writer = new HtmlWriter();
    return writer.literal(before) + writer.value(value, value) + writer.literal(after);
  };

  test.each([
    ['<p>', '</p>', /^[^<>]*$/],
    ['<p title="', '">', /^[^"<>]*$/],
    ["<p title='", "'>", /^[^'<>]*$/],
    ['<p title=', '>', /^[^\t-\r "'<>=`]*$/],
    ['<p id="x" class=\'', "'>", /^[^'<>]*$/],
    ['<a href="', '">', /^(?!javascript:)[^"<>]*$/i],
    ['<p onclick="f(', ')">', /^[^"<>]*$/],
    ['<script>x = "', '"</script>', /^(?:[^"<>\\\n]|\\.)*$/],
    ["<script>x = '", "'</script>", /^(?:[^'<>\\\n]|\\.)*$/],
    ['<script>x = ', ';</script>', /^"(?:[^"<>\\\n]|\\.)*"$/],
    ["<script>/* it's */ x = ", ';</script>', /^"(?:[^"<>\\\n]|\\.)*"$/],
    ['<style>p { color: ', ' }</style>', /^[^"'()/;@\\`{}<>]*$/],
    ['<title>', '</title>', /^[^<>]*$/],
    ['<!-- ', ' --><p>', /^$/],
    ['<p ', '>', /^(?!on)[\w-]+$/i],
  ])('between %j and %j stays one', (before, after, harmless) => {
    const parts = [
      '"',
      "'",
      '`',
      '<',
      '>',
      '</script>',
      '-->',
      'javascript:',
      '\\',
      '\n',
      ' ',
      '=',
    ];
    const more = [';', '{', 'onload=', '*/', '//', '&', '%', 'a', '\u2028'];
    const nasty = fc.constantFrom(...parts, ...more);
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 8 }), (chosen) => {
        const out = render(before, chosen.join(''), after);
        const start = before.startsWith('<!--') ? '' : before;
        const end = after.startsWith(' -->') ? '<p>' : after;
        expect(out.startsWith(start)).toBe(true);
        expect(out.endsWith(end)).toBe(true);
        expect(out.slice(start.length, out.length - end.length)).toMatch(harmless);
      }),
      { numRuns: 300 },
    );
  });
});
