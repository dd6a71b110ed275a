/**
 * Keeps the package lru-cache out of the bundle. Only codemirror-promql's own HTTP client would use
 * it, and the editor is given ours instead (parts/editor/completion-client.ts); it would be 4 kB of
 * the first load.
 */
import type { Plugin } from 'vite';

const STAND_IN = '\0narthex:lru-cache';

export function leaveOutLruCache(): Plugin {
  return {
    name: 'narthex:leave-out-lru-cache',
    enforce: 'pre',
    apply: 'build',
    resolveId(source) {
      return source === 'lru-cache' ? STAND_IN : null;
    },
    load(id) {
      if (id !== STAND_IN) return null;
      return `export function LRUCache() { throw new Error('left out of this bundle'); }`;
    },
  };
}
