import path from 'node:path';
import type { FlagValues } from './flags.ts';

/** Absolute. Of the server or of the agent, which have flags of their own. */
export function dataDirectoryOf(values: FlagValues): string {
  return path.resolve(values[values.agent ? 'storage.agent.path' : 'storage.tsdb.path']);
}
