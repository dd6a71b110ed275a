/**
 * Pages that users write as templates: `/consoles/<file>` from the folder of `--web.console.templates`,
 * with what the `*.lib` files of `--web.console.libraries` define.
 * Source: Prometheus documentation, "Console templates" and "Template reference".
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { messageOf, NarthexError } from '../../model/index.ts';
import { GoStruct, PageTemplate, TemplateError, TextMap } from '../rules/template/index.ts';
import type { ConsoleAnswer, ConsoleRequest } from '../../web/index.ts';
import { ruleQueries } from '../rules/rule-access.ts';
import { templateSamples } from '../rules/template-samples.ts';
import type { ConsoleOptions } from './consoles.ts';
import { HtmlWriter } from './html-writer.ts';

/** Makes the short names available. Its length shows in the columns of error messages. */
const PRELUDE =
  '{{$rawParams := .RawParams }}{{$params := .Params}}{{$path := .Path}}{{$externalLabels := .ExternalLabels}}';

export class ConsolePages {
  readonly #options: ConsoleOptions;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  async render({ file, params }: ConsoleRequest, signal: AbortSignal): Promise<ConsoleAnswer> {
    const { templates } = this.#options;
    const full = path.join(templates, path.posix.join('/', file)).replace(/\/$/, '');
    let text: string;
    try {
      text = await readFile(full, 'utf8');
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        return { status: 404, text: `open ${full}: no such file or directory` };
      }
      if (code === 'EISDIR') return { status: 500, text: `read ${full}: is a directory` };
      return { status: 500, text: messageOf(error) };
    }
    const name = `__console_/${file}`;
    try {
      const template = new PageTemplate(name, PRELUDE + text, await this.#libraries());
      return { status: 200, text: await this.#expand(template, file, params, signal) };
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      return { status: 500, text: error.message };
    }
  }

  async #libraries(): Promise<readonly (readonly [name: string, text: string])[]> {
    const { libraries } = this.#options;
    let names: string[];
    try {
      names = await readdir(libraries);
    } catch (error) {
      // The folders need not exist.
      if ((error as { code?: string }).code === 'ENOENT') return [];
      throw error;
    }
    const files = names.filter((name) => name.endsWith('.lib')).sort();
    return Promise.all(
      files.map(async (name) => {
        const file = path.join(libraries, name);
        return [file, await readFile(file, 'utf8')] as const;
      }),
    );
  }

  #expand(
    template: PageTemplate,
    file: string,
    params: ConsoleRequest['params'],
    signal: AbortSignal,
  ): Promise<string> {
    const { externalLabels, externalUrl, pathPrefix, nowMs, queries } = this.#options;
    const source = ruleQueries(queries);
    const first = [...params].map(([name, values]): [string, string] => [name, values[0] ?? '']);
    const dot = new GoStruct(
      'struct { RawParams url.Values; Params map[string]string; Path string; ExternalLabels map[string]string }',
      {
        RawParams: new Map(params),
        Params: new TextMap(first),
        Path: file.replace(/^\/+/, ''),
        ExternalLabels: new TextMap(Object.entries(externalLabels())),
      },
    );
    const timeMs = nowMs();
    return template.expand(
      dot,
      { nowMs: timeMs, externalUrl, pathPrefix },
      async (query) => {
        try {
          return templateSamples(await source.vector(query, timeMs, signal));
        } catch (error) {
          if (error instanceof NarthexError) throw new Error(error.message, { cause: error });
          throw error;
        }
      },
      () => new HtmlWriter(),
    );
  }
}
