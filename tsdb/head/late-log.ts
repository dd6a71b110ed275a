/**
 * The log of out-of-order samples, `wbl/`: what the buffers hold. It is opened when the first such
 * sample comes, so a database that never takes any has no such directory.
 */
import path from 'node:path';
import { ByteWriter } from '../../model/index.ts';
import type { Files } from '../io/files.ts';
import { encodeHistograms, type HistogramRow, histogramRecordType } from '../record/histograms.ts';
import { encodeMmapMarkers, type MmapMarker } from '../record/mmap-markers.ts';
import { encodeSamples, encodeSamplesV2 } from '../record/samples.ts';
import { SampleBatch } from '../record/sample-batch.ts';
import { removeSegmentsBefore } from '../wal/checkpoint.ts';
import { WalWriter, type WalWriterOptions, type WalWriterStats } from '../wal/wal-writer.ts';
import type { HeadChunkPlace } from './head-chunk-files.ts';
import { StagedKind, type StagedSamples } from './staged-samples.ts';

export class LateLog {
  readonly directory: string;
  readonly #files: Files;
  readonly #options: WalWriterOptions;
  readonly #syncs: boolean;
  readonly #out = new ByteWriter(1024);
  #writer: WalWriter | null = null;
  truncationCount = 0;
  failedTruncationCount = 0;

  /** @param syncs  whether every commit waits until the disk has it */
  constructor(files: Files, directory: string, options: WalWriterOptions, syncs = false) {
    this.#files = files;
    this.directory = directory;
    this.#options = options;
    this.#syncs = syncs;
  }

  /** Writes markers (these series' buffers are in chunks now), then the late samples of a commit. */
  commit(markers: readonly MmapMarker[], staged: StagedSamples): void {
    const writer = this.#open();
    const out = this.#out;
    try {
      if (markers.length > 0) {
        out.clear();
        encodeMmapMarkers(markers, out);
        writer.stage(out.bytes, 0, out.length);
      }
      const floats = new SampleBatch(16);
      for (let i = 0; i < staged.count; i++) {
        const kind = staged.kinds[i]!;
        if (kind === StagedKind.LateFloat) {
          const high = staged.valueHalves[i * 2 + 1]!;
          const low = staged.valueHalves[i * 2]!;
          floats.push(staged.refs[i]!, staged.timestampsMs[i]!, high, low, startOf(staged, i));
        } else if (kind === StagedKind.LateHistogram) {
          this.#stageHistogram(writer, staged, i);
        }
      }
      if (floats.count > 0) {
        out.clear();
        if (floats.hasStartTimestamps) encodeSamplesV2(floats, floats.startTimestampsMs, out);
        else encodeSamples(floats, out);
        writer.stage(out.bytes, 0, out.length);
      }
      writer.flush();
      if (this.#syncs) writer.sync();
    } catch (error) {
      writer.discard();
      throw error;
    }
  }

  /** Logs that a series' buffer is in a chunk now. */
  logMarkers(markers: readonly MmapMarker[]): void {
    this.#out.clear();
    encodeMmapMarkers(markers, this.#out);
    this.#open().log(this.#out.bytes, 0, this.#out.length);
  }

  /** Begins a new segment and returns its number: everything before it can be removed later. */
  cut(): number {
    return this.#open().cutSegment();
  }

  /** Makes everything logged so far survive a power loss. */
  sync(): void {
    this.#writer?.sync();
  }

  removeBefore(segment: number): void {
    this.truncationCount++;
    try {
      removeSegmentsBefore(this.#files, this.directory, segment);
    } catch (error) {
      this.failedTruncationCount++;
      throw error;
    }
  }

  /** What was written since the start; null as long as that is nothing. */
  get stats(): WalWriterStats | null {
    return this.#writer?.stats ?? null;
  }

  get segmentIndex(): number {
    return this.#writer?.segmentIndex ?? 0;
  }

  close(): void {
    this.#writer?.close();
    this.#writer = null;
  }

  #open(): WalWriter {
    if (this.#writer !== null) return this.#writer;
    this.#writer = new WalWriter(this.#files, this.directory, this.#options);
    this.#files.syncDirectory(path.dirname(this.directory));
    return this.#writer;
  }

  #stageHistogram(writer: WalWriter, staged: StagedSamples, index: number): void {
    const histogram = staged.histograms[index]!;
    const row: HistogramRow = {
      ref: staged.refs[index]!,
      timestampMs: staged.timestampsMs[index]!,
      startMs: startOf(staged, index),
      histogram,
    };
    this.#out.clear();
    encodeHistograms(histogramRecordType(histogram, row.startMs !== 0), [row], this.#out);
    writer.stage(this.#out.bytes, 0, this.#out.length);
  }
}

function startOf(staged: StagedSamples, index: number): number {
  return staged.hasStarts ? staged.startTimestampsMs[index]! : 0;
}

/** A chunk's place as markers name it. */
export function chunkRefOf(place: HeadChunkPlace): number {
  return place.file * 2 ** 32 + place.offset;
}
