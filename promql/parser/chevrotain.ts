/**
 * Chevrotain, loaded when the first query is parsed. Its package entry is a hundred small modules
 * (30 ms and 11 MB measured); the one-file build that the package also ships costs 7 ms and 5 MB.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as chevrotain from 'chevrotain';

export type Chevrotain = typeof chevrotain;

let loaded: Chevrotain | undefined;

export function loadChevrotain(): Chevrotain {
  if (loaded !== undefined) return loaded;
  const require = createRequire(import.meta.url);
  // The entry is lib/src/api.js; the one-file build stands beside src.
  const entry = require.resolve('chevrotain');
  const oneFile = path.join(path.dirname(entry), '..', 'chevrotain.min.mjs');
  try {
    loaded = require(oneFile) as Chevrotain;
  } catch {
    loaded = require('chevrotain') as Chevrotain; // a release that is packaged differently
  }
  return loaded;
}
