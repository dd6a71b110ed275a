/** `npm run build`: the browser UI into web/ui/dist, whether its sources changed or not. */
import { runStep, tool } from './run-step.ts';

const isBuilt = runStep('browser UI', tool('vite'), ['build', '--config', 'web/ui/vite.config.ts']);
process.exitCode = isBuilt ? 0 : 1;
