import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { leaveOutLruCache } from './build/leave-out-lru-cache.ts';
import { precompress } from './build/precompress.ts';
import { preloadQueryPage } from './build/preload-query-page.ts';

const root = import.meta.dirname;
/** Where the development server finds an API: any Narthex or Prometheus. */
const apiUrl = process.env.NARTHEX_API ?? 'http://127.0.0.1:9090';
const proxied = ['/api/v1', '/-/', '/metrics', '/version'];

export default defineConfig({
  root,
  // Relative, so that the same files work under any route prefix.
  base: './',
  publicDir: path.join(root, 'public'),
  plugins: [react(), leaveOutLruCache(), preloadQueryPage(), precompress()],
  build: {
    outDir: path.join(root, 'dist'),
    emptyOutDir: true,
    target: ['chrome123', 'edge123', 'firefox125', 'safari17.5'],
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          // A few chunks that change at different times, instead of one for every shared module.
          groups: [
            {
              name: 'core',
              test: /node_modules\/(?:react|scheduler|@tanstack|@mantine)/,
              priority: 3,
            },
            {
              name: 'promql',
              test: /node_modules\/(?:@lezer|@prometheus-io\/lezer)|parts\/editor\/promql-(?:text|classes)/,
              priority: 3,
            },
            {
              name: 'editor',
              test: /node_modules\/(?:@codemirror|@prometheus-io|style-mod|w3c-|crelt|@marijn)/,
              priority: 2,
            },
            {
              name: 'shared',
              test: /web\/ui\/(?:api|parts|settings|base)|@tabler/,
              minShareCount: 3,
              priority: 1,
            },
          ],
        },
      },
    },
    reportCompressedSize: false,
    assetsInlineLimit: 1024,
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: 'es' },
  server: {
    proxy: Object.fromEntries(
      proxied.map((prefix) => [prefix, { target: apiUrl, changeOrigin: true }]),
    ),
  },
});
