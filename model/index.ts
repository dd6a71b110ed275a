/** The words that every room shares. Pure: no I/O, no timers, no globals. */
export { assert, AssertionError, unreachable } from './assert.ts';
export {
  CanceledError,
  ConfigError,
  CorruptionError,
  LimitError,
  messageOf,
  NarthexError,
  type TextRange,
  ValueError,
} from './errors.ts';
export { NO_SERIES, type SeriesRef } from './refs.ts';
export { type Clock, SimulatedClock } from './clock.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './value.ts';
export * from './time.ts';
export * from './number-format.ts';
export * from './powers.ts';
export * from './metadata.ts';
export * from './exemplar.ts';
export * from './storage.ts';
export * from './trace.ts';
export * from './labels/labels.ts';
export * from './labels/name-rules.ts';
export * from './labels/regex.ts';
export * from './labels/matcher.ts';
export * from './labels/relabel.ts';
export * from './histogram/histogram.ts';
export * from './histogram/integer-histogram.ts';
export * from './histogram/float-histogram.ts';
export * from './histogram/bucket-bounds.ts';
export * from './histogram/bucket-list.ts';
export * from './histogram/combine.ts';
export * from './histogram/counter-reset.ts';
export * from './histogram/estimate.ts';
export * from './histogram/format.ts';
export * from './histogram/histogram-sum.ts';
export * from './histogram/trim.ts';
export * from './histogram/validate.ts';
export * from './bytes/varint.ts';
export * from './bytes/byte-writer.ts';
export * from './bytes/byte-reader.ts';
export * from './bytes/protobuf.ts';
export * from './bytes/crc32c.ts';
export * from './bytes/snappy.ts';
