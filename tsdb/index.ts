/** Storage: takes samples in through an Appender, gives them back through a Queryable. */
export { Db, openDb } from './db.ts';
export type { DbOptions, ReplayProgressReport } from './db-options.ts';
export { type DbReader, openReader, type ReaderOptions, type SharedDb } from './db-reader.ts';
export { type CompactionJob, type JobResult, type RunJob, runCompactionJob } from './db-jobs.ts';
export type { DbStatus, NamedCount } from './db-status.ts';
export type { BlockMeta } from './block/meta-json.ts';
export { XorEncoder } from './chunk/xor-encoder.ts';
export { encodeRawSamples, RawSamples } from './compaction/raw-samples.ts';
export { WAL_COMPRESSIONS, type WalCompression } from './wal/compression.ts';
