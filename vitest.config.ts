import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests start servers and threads; generous, because machines with two busy cores are common.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
