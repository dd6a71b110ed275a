/** House rules that a machine can check. ARCHITECTURE.md draws the borders; here they stay true. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** Which top-level folder may import which. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  model: [],
  tsdb: ['model'],
  promql: ['model'],
  scrape: ['model'],
  web: ['model', 'promql'],
  src: ['model', 'tsdb', 'promql', 'scrape', 'web'],
};
/** Parts of a room that threads load without the rest of it: here, without the HTTP server. */
const SIDE_DOORS = new Set(['web/answers/index.ts', 'web/exposition/index.ts']);
const IMPORT = /(?:from|import|import\()\s*'(\.[^']+)'/g;

test.each(Object.keys(MAY_IMPORT))(
  '%s imports only what is below it, by its front door',
  (room) => {
    const violations: string[] = [];
    for (const file of globSync(`${room}/**/*.ts`, { exclude: ['web/ui/**'] })) {
      for (const [, specifier] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
        const target = path.join(path.dirname(file), specifier!);
        const [targetRoom] = target.split(path.sep);
        if (targetRoom === room) continue;
        const allowed = MAY_IMPORT[room]!.includes(targetRoom!);
        const isDoor = target === path.join(targetRoom!, 'index.ts') || SIDE_DOORS.has(target);
        if (!allowed || !isDoor) {
          violations.push(`${file} -> ${specifier}`);
        }
      }
    }
    expect(violations).toEqual([]);
  },
);
