/**
 * Where in a query something is, as Prometheus tells it: `line:column`, both from 1, the column
 * counted in bytes of UTF-8. Inside we count UTF-16 units, which is what JavaScript indexes by.
 */
import type { TextRange } from '../model/index.ts';

export type { TextRange };

const encoder = new TextEncoder();

/** `line:column` of a UTF-16 offset. */
export function formatPosition(query: string, offset: number): string {
  const before = query.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let i = before.indexOf('\n'); i !== -1; i = before.indexOf('\n', i + 1)) line++;
  return `${line}:${encoder.encode(before.slice(lineStart)).length + 1}`;
}
