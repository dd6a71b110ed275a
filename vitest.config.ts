import { configDefaults, defineConfig } from 'vitest/config';

/** Told apart by the end of a file's name; everything else is the suite `plain`. */
const NAMED = ['conformance', 'oracle', 'browser', 'crash'];
/** NARTHEX_SUITES chooses some of them, such as `plain,crash`; otherwise all are run. */
const chosen = process.env['NARTHEX_SUITES']?.split(',') ?? ['plain', ...NAMED];
for (const name of chosen) {
  if (name !== 'plain' && !NAMED.includes(name)) {
    throw new Error(`NARTHEX_SUITES: ${name} is none of plain, ${NAMED.join(', ')}`);
  }
}

const filesOf = (name: string) => `test/**/*.${name}.test.ts`;
const isPlain = chosen.includes('plain');

export default defineConfig({
  test: {
    include: isPlain ? ['test/**/*.test.ts'] : chosen.map(filesOf),
    exclude: [
      ...configDefaults.exclude,
      ...NAMED.filter((name) => !chosen.includes(name)).map(filesOf),
    ],
    // Tests start servers and threads; generous, because machines with two busy cores are common.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
