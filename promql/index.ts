/** PromQL: text to syntax tree, syntax tree to plan, plan to answer, answer to JSON. */
export * from './ast.ts';
export * from './annotations.ts';
export * from './functions.ts';
export * from './query-errors.ts';
export { PromqlDurationError, PromqlParseError } from './parser/errors.ts';
export { ALL_FEATURES, type ParserOptions } from './parser/options.ts';
export { parseExpr, parseSelector } from './parser/parse.ts';
export { prettyExpr } from './parser/pretty.ts';
export { printExpr } from './parser/print.ts';
export {
  parseMetricNotation,
  parseSeriesNotation,
  parseSeriesValues,
  parseStartTimestamps,
  type SequenceValue,
  type SeriesNotation,
  type StartTimestampNotation,
} from './parser/series-notation.ts';
export { exprToJson } from './parser/to-json.ts';
export type { Grid } from './plan/nodes.ts';
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type InstantRequest,
  type RangeRequest,
} from './engine/engine.ts';
export type { MatrixSeries, QueryAnswer, QueryResult, VectorEntry } from './engine/result.ts';
export type { QueryStats, QueryTimings } from './engine/stats.ts';
export type { PieceTaker } from './json/json-bytes.ts';
export { writeQueryAnswer, type WriteOptions } from './json/write-answer.ts';
export { warmUp } from './warm-up.ts';

/** Test scripts and a storage in memory; loaded only by those who run scripts. */
export const loadScripts = () => import('./script/index.ts');
