/**
 * Lets the browser fetch the query page's chunks while it still reads the first script, instead of
 * after it has run. Only where that page is what was asked for.
 */
import type { Plugin, Rolldown } from 'vite';

const PAGE = /pages\/query\/query-page\.tsx$/;

export function preloadQueryPage(): Plugin {
  return {
    name: 'narthex:preload-query-page',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_html, { bundle = {} }) {
        const page = Object.values(bundle).find(
          (output): output is Rolldown.OutputChunk =>
            output.type === 'chunk' && PAGE.test(output.facadeModuleId ?? ''),
        );
        if (page === undefined) throw new Error('the query page is no chunk of its own');
        const files = [page.fileName, ...page.imports].map((file) => `./${file}`);
        return [{ tag: 'script', injectTo: 'head', children: preloadScript(files) }];
      },
    },
  };
}

/** The page is shown at /, /graph and /query, below whatever prefix. */
function preloadScript(files: readonly string[]): string {
  return `
      if (/\\/(?:query|graph)?$/.test(location.pathname)) {
        for (const href of ${JSON.stringify(files)}) {
          document.head.append(Object.assign(document.createElement('link'), { rel: 'modulepreload', href }));
        }
      }
    `;
}
