/** How much of the query language is switched on. */
import type { ParserOptions } from '../promql/index.ts';
import type { Feature } from './flags.ts';

/** Told by a query worker, where the language is loaded. */
export type LanguageFeatures = {
  /** Function → needs `promql-experimental-functions`. */
  readonly functions: Readonly<Record<string, boolean>>;
};

/** What the parser allows. */
export function languageOf(features: ReadonlySet<Feature>): ParserOptions {
  return {
    experimentalFunctions: features.has('promql-experimental-functions'),
    extendedRangeSelectors: features.has('promql-extended-range-selectors'),
    binopFillModifiers: features.has('promql-binop-fill-modifiers'),
  };
}
