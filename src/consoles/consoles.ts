/** The way to console pages, whose code is loaded with the first one. */
import type { Queries } from '../queries.ts';
import type { ConsoleAnswer, ConsolePort, ConsoleRequest } from '../../web/index.ts';
import type { ConsolePages } from './console-pages.ts';

export type ConsoleOptions = {
  /** Folders. */
  readonly templates: string;
  readonly libraries: string;
  readonly externalLabels: () => Readonly<Record<string, string>>;
  /** Without a slash at its end. */
  readonly externalUrl: string;
  readonly pathPrefix: string;
  readonly nowMs: () => number;
  readonly queries: Queries;
};

export class Consoles implements ConsolePort {
  readonly #options: ConsoleOptions;
  #pages: Promise<ConsolePages> | null = null;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  async render(request: ConsoleRequest, signal: AbortSignal): Promise<ConsoleAnswer> {
    this.#pages ??= import('./console-pages.ts').then(
      ({ ConsolePages: Pages }) => new Pages(this.#options),
    );
    return (await this.#pages).render(request, signal);
  }
}
