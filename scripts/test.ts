/**
 * `npm test`: the checks, then all tests. Arguments go to vitest and leave the checks out:
 * `npm test -- test/src/flags.test.ts`. NARTHEX_SUITES chooses suites (see vitest.config.ts), and
 * NARTHEX_REPORT names a file that gets the results as JSON.
 */
import { runStep, tool } from './run-step.ts';

const args = process.argv.slice(2);
const suites = process.env['NARTHEX_SUITES']?.split(',') ?? ['plain'];
const report = process.env['NARTHEX_REPORT'];
const reporters =
  report === undefined
    ? []
    : ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];

const isToCheck = args.length === 0 && suites.includes('plain');
const isChecked = !isToCheck || runStep('checks', process.execPath, ['scripts/check.ts']);
const isTested = runStep('tests', tool('vitest'), ['run', ...reporters, ...args]);
process.exitCode = isChecked && isTested ? 0 : 1;
