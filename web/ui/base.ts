/** What the server writes into index.html when it sends it. */
declare global {
  interface Window {
    /** The route prefix, such as `/narthex`; empty when served from the root. */
    __NARTHEX_BASE__?: string;
    /** The value of `--web.page-title`. */
    __NARTHEX_TITLE__?: string;
  }
}

export const basePath = (window.__NARTHEX_BASE__ ?? '').replace(/\/+$/, '');

/** The flag's default, which stands for: nobody chose a name. */
const DEFAULT_TITLE = 'Prometheus Time Series Collection and Processing Server';
const chosenTitle = window.__NARTHEX_TITLE__ ?? '';

/** The name that somebody gave this server; empty when nobody did. */
export const givenTitle = chosenTitle === DEFAULT_TITLE ? '' : chosenTitle;
export const siteTitle = givenTitle || 'Narthex';

/** Adds the route prefix to a path that starts with a slash. */
export function withBase(path: string): string {
  return basePath + path;
}
