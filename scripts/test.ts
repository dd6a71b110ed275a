/**
 * `npm test`: the checks, then all tests. Arguments go to vitest and leave the checks out:
 * `npm test -- test/src/flags.test.ts`.
 */
import { runStep, tool } from './run-step.ts';

const args = process.argv.slice(2);
const isChecked = args.length > 0 || runStep('checks', process.execPath, ['scripts/check.ts']);
const isTested = runStep('tests', tool('vitest'), ['run', ...args]);
process.exitCode = isChecked && isTested ? 0 : 1;
