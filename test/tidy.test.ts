/** House rules that a machine can check. ARCHITECTURE.md draws the borders; here they stay true. */
import { existsSync, globSync, readFileSync } from 'node:fs';
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

/** Where programs begin, and what is loaded by name rather than by import. */
const ENTRIES = [
  'src/main.ts',
  'src/threads/ingest-thread.ts',
  'src/threads/query-worker.ts',
  'src/threads/compaction-worker.ts',
  'web/ui/main.tsx',
  'web/ui/vite.config.ts',
  ...globSync('{scripts,bench}/**/*.{ts,mjs}'),
  'examples/app/main.ts',
];
/** Reached by tests alone, and why that is right. */
const FOR_TESTS = new Map([
  ['tsdb/io/memory-files.ts', 'a disk that loses power and runs full, for tests of durability'],
]);
/** What is not joined to the rest yet. To be taken off the list when it is. */
const IN_THE_MAKING = [
  'tsdb/wal/tail-reader.ts', // Remote write will follow the log with it.
];

const PRODUCT = [
  ...globSync('{model,tsdb,promql,scrape,web,src,examples}/**/*.{ts,tsx}', {
    exclude: ['web/ui/dist/**'],
  }),
].sort();

const ALL = [...PRODUCT, ...globSync('{scripts,bench,test}/**/*.{ts,tsx,mjs}')];

/** Everything that the files import, and what those import. */
function reachableFrom(entries: readonly string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [...entries];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (reached.has(file) || !/\.(?:ts|tsx|mjs)$/.test(file)) continue;
    reached.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      waiting.push(path.join(path.dirname(file), specifier!));
    }
  }
  return reached;
}

test('no file is dead', () => {
  const reached = reachableFrom(ENTRIES);
  const dead = PRODUCT.filter(
    (file) =>
      !reached.has(file) &&
      !FOR_TESTS.has(file) &&
      !file.endsWith('.d.ts') &&
      !IN_THE_MAKING.some((start) => file.startsWith(start)),
  );
  expect(dead).toEqual([]);
  const joined = [...FOR_TESTS.keys()].filter((file) => reached.has(file));
  expect(joined, 'listed as used by tests only, but used').toEqual([]);
});

test('pages about formats and their modules name each other', () => {
  const broken: string[] = [];
  const pages = globSync('docs/format/*.md');
  expect(pages.length).toBeGreaterThan(5);
  const linkedFrom = new Map<string, string[]>(pages.map((page) => [page, []]));
  for (const file of PRODUCT) {
    for (const [, page] of readFileSync(file, 'utf8').matchAll(/Page: (docs\/format\/\S+\.md)/g)) {
      const modules = linkedFrom.get(page!);
      if (modules === undefined) broken.push(`${file} names ${page}, which does not exist`);
      modules?.push(file);
    }
  }
  for (const [page, modules] of linkedFrom) {
    const text = readFileSync(page, 'utf8');
    const named = [...text.matchAll(/`((?:tsdb|scrape|web|src)\/[\w/-]+\.ts)`/g)].map((m) => m[1]!);
    for (const file of named) {
      if (!existsSync(file)) broken.push(`${page} names ${file}, which does not exist`);
    }
    for (const file of modules) {
      if (!named.includes(file)) broken.push(`${page} does not name ${file}`);
    }
    if (modules.length === 0) broken.push(`no module names ${page}`);
  }
  expect(broken).toEqual([]);
});

test('nothing is put off in a comment', () => {
  // The brackets keep this file from finding itself.
  const marks = /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b/;
  expect(ALL.filter((file) => marks.test(readFileSync(file, 'utf8')))).toEqual([]);
});

const LINE_COUNT_MAX = 500;
/** Longer than a file with one idea should be, and why it is one idea all the same. */
const LONG = new Map([
  ['promql/plan/plan.ts', 'one function for each kind of expression'],
  ['test/scrape/discovery/fakes/clouds.ts', 'a few routes of each cloud, side by side'],
  ['test/src/remote/receive.test.ts', 'every way in which a written request can be refused'],
  ['test/scrape/http/http-client.test.ts', 'one fake server, and everything a target can do to us'],
]);

test('no file is long without a reason', () => {
  const long = ALL.filter(
    (file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > LINE_COUNT_MAX,
  );
  expect(long.filter((file) => !LONG.has(file))).toEqual([]);
});
