import { createEngine, type Engine } from '../engine/engine.ts';
import { ALL_FEATURES } from '../parser/options.ts';

/** The engine that Prometheus's own scripts are written for: everything on, 10,000 samples. */
export function createScriptEngine(): Engine {
  return createEngine({
    samplesMax: 10_000,
    timeoutMs: 100_000,
    subqueryStepMs: 60_000,
    language: ALL_FEATURES,
    features: { delayedNameRemoval: true, startTimestamps: true },
  });
}
