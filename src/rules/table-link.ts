/** Links to the page that shows an expression. */

/** As in the query part of a URL: spaces become `+`. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function graphLink(query: string): string {
  return `/graph?g0.expr=${escapeQuery(query)}&g0.tab=0`;
}

export function tableLink(query: string): string {
  return `/graph?g0.expr=${escapeQuery(query)}&g0.tab=1`;
}
