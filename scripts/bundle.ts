/**
 * Puts the code of each thread, packages included, into one file: `node scripts/bundle.ts <folder>`.
 * Loading hundreds of small modules in three threads costs half a second of processor time and
 * some 40 MB of memory, a part of it for the source text itself.
 */
import path from 'node:path';
import { build, type Plugin } from 'vite';

const ROOT = path.dirname(import.meta.dirname);
const [, , outDir] = process.argv;
if (outDir === undefined) throw new Error('usage: node scripts/bundle.ts <folder>');

const source = (name: string) => path.join(ROOT, 'src', name);

/**
 * V8 keeps source text with one byte per character, or with two as soon as a single one needs them.
 * In strings, templates and regular expressions an escape means the same.
 */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replaceAll(
        /[^\x00-\x7f]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
    }
  },
};

await build({
  root: ROOT,
  plugins: [asciiOnly],
  configFile: false,
  logLevel: 'error',
  // Native addons are loaded from node_modules, each with its own files.
  ssr: { noExternal: true, external: ['better-sqlite3', 'lz4'] },
  build: {
    ssr: true,
    outDir,
    emptyOutDir: true,
    minify: false,
    target: 'node24',
    rolldownOptions: {
      input: {
        main: source('main.ts'),
        'ingest-thread': source('threads/ingest-thread.ts'),
        'replay-reader': source('threads/replay-reader.ts'),
        'query-worker': source('threads/query-worker.ts'),
        'compaction-worker': source('threads/compaction-worker.ts'),
        'password-worker': source('threads/password-worker.ts'),
        'import-worker': source('threads/import-worker.ts'),
        'remote-write-thread': source('threads/remote-write-thread.ts'),
      },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name]-[hash].js',
        // Names stay, because errors carry theirs from thread to thread and people read them.
        minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
      },
    },
  },
});
