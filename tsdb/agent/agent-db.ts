/**
 * The storage of an agent: a log and nothing else, in a directory that Prometheus can open as well
 * (`--agent`). What it takes in is for those who follow the log; see `wal/log-follower.ts`.
 *
 *   wal/      segments and checkpoints          lock      held while open
 *
 * Source: Prometheus documentation, agent mode and its flags; directories that 3.14 writes.
 */
import path from 'node:path';
import {
  type Appendable,
  type Appender,
  type Clock,
  CorruptionError,
  type Logger,
  messageOf,
  type Querier,
  type Queryable,
  Registry,
  SILENT_LOGGER,
} from '../../model/index.ts';
import type { Incoming } from '../db.ts';
import { START_TIMESTAMPS_IGNORED, type StartTimestampUse } from '../head/start-timestamps.ts';
import { HeadLog } from '../head/head-log.ts';
import type { ReplayProgress } from '../head/replay.ts';
import { TextBytes } from '../head/text-bytes.ts';
import { DirectoryLock } from '../io/dir-lock.ts';
import { type Files, treeSizeBytes } from '../io/files.ts';
import { NODE_FILES } from '../io/node-files.ts';
import type { ExemplarRow } from '../record/exemplars.ts';
import { decodeHistograms } from '../record/histograms.ts';
import { RecordType, recordTypeOf } from '../record/record-type.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { decodeSamples } from '../record/samples.ts';
import { SeriesCursor } from '../record/series.ts';
import {
  checkpointSources,
  findLastCheckpoint,
  removeCheckpointsBefore,
  removeSegmentsBefore,
  writeCheckpoint,
} from '../wal/checkpoint.ts';
import type { WalCompression } from '../wal/compression.ts';
import { repairLog } from '../wal/repair.ts';
import { findSegments, removeCheckpointLeftovers } from '../wal/segment-name.ts';
import type { LogPosition } from '../wal/tail-reader.ts';
import { WalReader } from '../wal/wal-reader.ts';
import { SEGMENT_SIZE_BYTES_DEFAULT, WalWriter } from '../wal/wal-writer.ts';
import { AgentAppender, type AgentBatch } from './agent-appender.ts';
import { showLog } from '../log-metrics.ts';
import { type AgentMetrics, createAgentMetrics } from './agent-metrics.ts';
import { AgentSeries } from './agent-series.ts';

export type AgentDbOptions = {
  /** `--storage.agent.path` */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly registry?: Registry;
  readonly files?: Files;
  readonly onReplayProgress?: (progress: ReplayProgress) => void;
  /** `--storage.agent.wal-segment-size` */
  readonly walSegmentSizeBytes?: number;
  /** `--storage.agent.wal-compression`, `--storage.agent.wal-compression-type` */
  readonly walCompression?: WalCompression;
  /** `--storage.agent.no-lockfile` */
  readonly usesLockFile?: boolean;
  /** `--storage.agent.retention.min-time`, `--storage.agent.retention.max-time` */
  readonly retentionMinMs?: number;
  readonly retentionMaxMs?: number;
  /** `storage.tsdb.out_of_order_time_window` */
  readonly outOfOrderWindowMs?: number;
  /** `--enable-feature=metadata-wal-records` */
  readonly logsMetadata?: boolean;
  /** What is done with the start timestamps of samples; by default nothing. */
  readonly startTimestamps?: StartTimestampUse;
};

/** How far the log has been passed on. */
export type PassedOn = {
  /** Of the newest sample that every receiver has; 0 where there is none yet. */
  readonly timestampMs: number;
  /** The first segment that somebody still has to read; null: nobody reads. */
  readonly segment: number | null;
};

const RETENTION_MIN_MS = 5 * 60_000;
const RETENTION_MAX_MS = 4 * 3_600_000;

/** @throws LimitError  another process has the directory open */
export function openAgentDb(options: AgentDbOptions): AgentDb {
  return new AgentDb(options);
}

/** What an agent shows of its samples. */
const NOTHING: Querier = {
  select: () => ({ labels: [], warnings: [], read: (_row, _min, _max, out) => out.clear() }),
  labelNames: () => ({ texts: [], warnings: [] }),
  labelValues: () => ({ texts: [], warnings: [] }),
  close: () => {},
};

export class AgentDb implements Appendable, Queryable {
  readonly #options: AgentDbOptions;
  readonly #files: Files;
  readonly #logger: Logger;
  readonly #directory: string;
  readonly #lock: DirectoryLock | null;
  readonly #metrics: AgentMetrics;
  readonly #series = new AgentSeries();
  readonly #wal: WalWriter;
  readonly #log: HeadLog;
  readonly #texts = new TextBytes();
  readonly #lastExemplars = new Map<number, ExemplarRow>();
  readonly #metadata = new Map<number, string>();
  /** Series that are forgotten, with the segment up to which the log speaks of them. */
  readonly #deleted = new Map<number, number>();
  #outOfOrderWindowMs: number;
  #truncatedMs = -Infinity;
  readonly #incoming = { floats: 0, histograms: 0, exemplars: 0, newestMs: -Infinity };
  #isClosed = false;

  constructor(options: AgentDbOptions) {
    const { directory, clock, files = NODE_FILES, registry = new Registry() } = options;
    this.#options = options;
    this.#files = files;
    this.#logger = options.logger ?? SILENT_LOGGER;
    this.#directory = `${directory}/wal`;
    this.#outOfOrderWindowMs = options.outOfOrderWindowMs ?? 0;
    files.makeDirectory(this.#directory);
    files.syncDirectory(path.dirname(path.resolve(directory)));
    files.syncDirectory(directory);
    this.#lock =
      (options.usesLockFile ?? true) ? DirectoryLock.acquire(directory, this.#logger) : null;
    this.#metrics = createAgentMetrics(registry);
    this.#metrics.cleanStart.set(this.#lock === null ? -1 : Number(this.#lock.wasClean));
    const startMs = clock.monotonicMs();
    removeCheckpointLeftovers(files, this.#directory);
    this.#replay();
    this.#metrics.replaySeconds.set((clock.monotonicMs() - startMs) / 1000);
    this.#wal = new WalWriter(files, this.#directory, {
      onSynced: (seconds) => this.#metrics.syncDuration.observe(seconds),
      segmentSizeBytes: options.walSegmentSizeBytes ?? SEGMENT_SIZE_BYTES_DEFAULT,
      compression: options.walCompression ?? 'snappy',
    });
    this.#log = new HeadLog(this.#wal);
    registry.beforeSnapshot(() => {
      this.#metrics.activeSeries.set(this.#series.count);
      this.#metrics.deletedSeries.set(this.#deleted.size);
      const { stats, segmentIndex, compression } = this.#wal;
      const sizeBytes = treeSizeBytes(files, this.#directory);
      showLog(registry, { stats, segmentIndex, sizeBytes, compression });
    });
  }

  get seriesCount(): number {
    return this.#series.count;
  }

  /** What has been committed since the start. */
  get incoming(): Incoming {
    return this.#incoming;
  }

  /** Behind the last commit in the log. */
  get logPosition(): LogPosition {
    return { segmentIndex: this.#wal.segmentIndex, offsetBytes: this.#wal.segmentOffsetBytes };
  }

  configure({ outOfOrderWindowMs }: { readonly outOfOrderWindowMs?: number }): void {
    this.#outOfOrderWindowMs = outOfOrderWindowMs ?? this.#outOfOrderWindowMs;
  }

  /** Finds nothing: there is only a log. */
  querier(): Querier {
    return NOTHING;
  }

  appender(): Appender {
    return new AgentAppender({
      series: this.#series,
      outOfOrderWindowMs: this.#outOfOrderWindowMs,
      startTimestamps: this.#options.startTimestamps ?? START_TIMESTAMPS_IGNORED,
      create: (labels) => {
        const ref = this.#series.create(labels);
        const texts = this.#texts;
        texts.clear();
        for (const text of labels.flat) texts.add(text);
        this.#log.addSeries(ref, texts);
        return ref;
      },
      isNewExemplar: (row) => {
        const last = this.#lastExemplars.get(row.ref);
        if (last?.value === row.value && last.labels.equals(row.labels)) return false;
        this.#lastExemplars.set(row.ref, row);
        return true;
      },
      isNewMetadata: ({ ref, metadata }) => {
        if (this.#options.logsMetadata !== true) return false;
        const text = JSON.stringify(metadata);
        if (this.#metadata.get(ref) === text) return false;
        this.#metadata.set(ref, text);
        return true;
      },
      onOutOfOrder: () => this.#metrics.outOfOrderSamples.increase(),
      commit: (batch) => this.#commit(batch),
    });
  }

  /**
   * Deletes what everybody has read and is older than the shorter retention, and in any case what is
   * older than the longer one.
   */
  truncate({ timestampMs, segment }: PassedOn): void {
    const { clock, retentionMinMs, retentionMaxMs } = this.#options;
    const startMs = clock.monotonicMs();
    const oldestMs = clock.nowMs() - (retentionMaxMs ?? RETENTION_MAX_MS);
    const passedMs = Math.max(0, timestampMs - (retentionMinMs ?? RETENTION_MIN_MS));
    const minMs = Math.max(passedMs, oldestMs);
    if (minMs === this.#truncatedMs) return;
    this.#truncatedMs = minMs;
    for (const ref of this.#series.collect(minMs)) {
      this.#lastExemplars.delete(ref);
      this.#metadata.delete(ref);
      this.#deleted.set(ref, this.#wal.segmentIndex);
    }
    // A receiver that is away for longer than the longer retention waits for nothing any more.
    const isHeld = segment !== null && timestampMs >= oldestMs;
    this.#truncateLog(minMs, isHeld ? segment : Infinity);
    this.#metrics.truncateSeconds.observe((clock.monotonicMs() - startMs) / 1000);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wal.close();
    this.#lock?.release();
  }

  #commit({ samples, exemplars, metadata }: AgentBatch): void {
    this.#log.commit(samples, exemplars, metadata);
    const { refs, timestampsMs, count } = samples;
    const incoming = this.#incoming;
    for (let i = 0; i < count; i++) {
      const timestampMs = timestampsMs[i]!;
      this.#series.noteTime(refs[i]!, timestampMs);
      if (timestampMs > incoming.newestMs) incoming.newestMs = timestampMs;
    }
    const histogramCount = samples.isPlain
      ? 0
      : samples.histograms.filter((histogram) => histogram !== undefined).length;
    incoming.floats += count - histogramCount;
    incoming.histograms += histogramCount;
    incoming.exemplars += exemplars.length;
    this.#metrics.samples.labels('float').increase(count - histogramCount);
    this.#metrics.samples.labels('histogram').increase(histogramCount);
    this.#metrics.exemplars.increase(exemplars.length);
  }

  /** Replaces the older two thirds of the segments by a checkpoint. */
  #truncateLog(minMs: number, neededSegment: number): void {
    const files = this.#files;
    const directory = this.#directory;
    const first = findSegments(files, directory)[0] ?? 0;
    this.#wal.cutSegment();
    const closed = this.#wal.segmentIndex - 2;
    if (closed < 0) return;
    const third = first + Math.trunc(((closed - first) * 2) / 3);
    const last = Math.min(third, neededSegment - 1);
    if (last <= first) return;
    this.#metrics.checkpoints.increase();
    try {
      writeCheckpoint({
        files,
        directory,
        firstSegment: first,
        lastSegment: last,
        minMs,
        keepsSeries: (ref) => this.#series.has(ref) || (this.#deleted.get(ref) ?? -1) > last,
        compression: this.#options.walCompression ?? 'snappy',
        segmentSizeBytes: this.#options.walSegmentSizeBytes ?? SEGMENT_SIZE_BYTES_DEFAULT,
      });
    } catch (error) {
      this.#metrics.checkpointsFailed.increase();
      this.#logger.error('Checkpoint not made', { err: messageOf(error) });
      return;
    }
    this.#metrics.logTruncations.increase();
    try {
      removeSegmentsBefore(files, directory, last + 1);
    } catch (error) {
      this.#metrics.logTruncationsFailed.increase();
      this.#logger.error('Log not shortened', { err: messageOf(error) });
    }
    for (const [ref, segment] of this.#deleted) if (segment <= last) this.#deleted.delete(ref);
    this.#metrics.checkpointDeletions.increase();
    try {
      removeCheckpointsBefore(files, directory, last);
    } catch (error) {
      this.#metrics.checkpointDeletionsFailed.increase();
      this.#logger.error('Old checkpoints not removed', { err: messageOf(error) });
    }
    this.#logger.info('WAL checkpoint complete', { first, last });
  }

  /** Learns the series from the log, and cuts it where it is damaged. */
  #replay(): void {
    const files = this.#files;
    const directory = this.#directory;
    const replay = new AgentReplay(this.#series);
    const checkpoint = findLastCheckpoint(files, directory);
    if (checkpoint !== null) {
      const reader = new WalReader(files, checkpointSources(files, checkpoint.path));
      this.#read(reader, replay, () => {});
    }
    const segments = findSegments(files, directory).filter(
      (index) => checkpoint === null || index > checkpoint.index,
    );
    const reader = WalReader.forSegments(files, directory, segments);
    const [firstSegment = 0] = segments;
    const segmentCount = segments.length;
    const tell = (segment: number) =>
      this.#options.onReplayProgress?.({ firstSegment, segment, segmentCount });
    const isWhole = this.#read(reader, replay, (segment) => tell(segments.indexOf(segment)));
    tell(segmentCount);
    if (!isWhole) repairLog(files, directory, reader.segmentIndex, reader.recordOffsetBytes);
  }

  /** Whether it could be read to its end. */
  #read(reader: WalReader, replay: AgentReplay, onSegment: (segment: number) => void): boolean {
    let segment = -1;
    try {
      while (reader.next()) {
        if (reader.segmentIndex !== segment) onSegment((segment = reader.segmentIndex));
        replay.take(reader);
      }
      return true;
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#metrics.corruptions.increase();
      this.#logger.error('Corruption in the log', { err: error.message });
      return false;
    } finally {
      reader.close();
    }
  }
}

/** Takes from records which series there are and how new they are. */
class AgentReplay {
  readonly #series: AgentSeries;
  readonly #cursor = new SeriesCursor();
  readonly #batch = new SampleBatch();
  /** Refs under which a series came again. */
  readonly #aliases = new Map<number, number>();

  constructor(series: AgentSeries) {
    this.#series = series;
  }

  take({ bytes, start, end, path: file, recordOffsetBytes: offsetBytes }: WalReader): void {
    const place = { file, offsetBytes };
    switch (recordTypeOf(bytes, start)) {
      case RecordType.Series: {
        const cursor = this.#cursor;
        cursor.reset(bytes, start, end, place);
        while (cursor.next()) {
          const ref = this.#series.restore(cursor.ref, cursor.labels());
          if (ref !== cursor.ref) this.#aliases.set(cursor.ref, ref);
        }
        return;
      }
      case RecordType.Samples:
      case RecordType.SamplesV2: {
        const batch = this.#batch;
        batch.clear();
        decodeSamples(bytes, start, end, batch, place);
        for (let i = 0; i < batch.count; i++) this.#note(batch.refs[i]!, batch.timestampsMs[i]!);
        return;
      }
      case RecordType.Histograms:
      case RecordType.FloatHistograms:
      case RecordType.CustomBucketsHistograms:
      case RecordType.CustomBucketsFloatHistograms:
      case RecordType.HistogramsV2:
      case RecordType.FloatHistogramsV2:
        for (const row of decodeHistograms(bytes, start, end, place)) {
          this.#note(row.ref, row.timestampMs);
        }
        return;
      case RecordType.Tombstones:
      case RecordType.Exemplars:
      case RecordType.Metadata:
      case RecordType.MmapMarkers:
      case null:
        return; // nothing of that is needed
    }
  }

  #note(ref: number, timestampMs: number): void {
    const known = this.#aliases.get(ref) ?? ref;
    if (this.#series.has(known)) this.#series.noteTime(known, timestampMs);
  }
}
