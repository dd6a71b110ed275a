/** `npm run check`: types, lint, format, dead code, house rules. All of them, even when one fails. */
import { runStep, tool } from './run-step.ts';

const results = [
  runStep('types', tool('tsc'), ['-p', '.']),
  runStep('lint', tool('oxlint'), ['--type-aware']),
  runStep('format', tool('biome'), ['format', '--reporter=summary', '.']),
  runStep('dead code', tool('knip'), ['--no-progress']),
  runStep('house rules', tool('vitest'), ['run', '--reporter=dot', 'test/tidy.test.ts']),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
