/** Storage: takes samples in through an Appender, gives them back through a Queryable. */
export { Db, openDb } from './db.ts';
export type { DbOptions, ReplayProgressReport } from './db-options.ts';
export { type DbReader, openReader, type ReaderOptions, type SharedDb } from './db-reader.ts';
export { type CompactionJob, type JobResult, type RunJob, runCompactionJob } from './db-jobs.ts';
export type { StartTimestampUse } from './head/start-timestamps.ts';
export type { DbStatus, NamedCount } from './db-status.ts';
export type { BlockMeta } from './block/meta-json.ts';
export { openReadOnly, type ReadOnlyDb, type ReadOnlyOptions } from './read-only-db.ts';
export {
  analyzeBlock,
  analyzeChunks,
  type BlockAnalysis,
  type ChunkAnalysis,
  type Ranking,
} from './query/block-analysis.ts';
export {
  type ImportedBlock,
  type ImportedSeries,
  writeImportedBlock,
} from './block/imported-block.ts';
export { UlidSource } from './block/ulid.ts';
export { archiveDirectory } from './archive/archive-directory.ts';
export { decodeChunk } from './chunk/decoder.ts';
export { isEncoding } from './chunk/encoding.ts';
export { XorEncoder } from './chunk/xor-encoder.ts';
export { encodeRawSamples, RawSamples } from './compaction/raw-samples.ts';
export { WAL_COMPRESSIONS, type WalCompression } from './wal/compression.ts';
export type { HistogramRow } from './record/histograms.ts';
export type { ExemplarRow } from './record/exemplars.ts';
export type { MetadataRow } from './record/metadata.ts';
export type { SampleBatch } from './record/sample-batch.ts';
export { mergeSelected } from './query/merge-series.ts';
export { LogFollower, type LogSink } from './wal/log-follower.ts';
export type { LogPosition } from './wal/tail-reader.ts';
export { AgentDb, type AgentDbOptions, openAgentDb, type PassedOn } from './agent/agent-db.ts';
export { failReadAhead, serveReadAhead } from './head/read-ahead.ts';
