/**
 * What a commit writes to the log, in one write: series that became known since the last commit,
 * then samples in the order in which they were staged, exemplars, metadata.
 *
 * A series stays on the list until a commit has logged it, even when the appender that made it was
 * rolled back: the next one may use its ref.
 */
import { ByteWriter, type FloatHistogram, type Histogram } from '../../model/index.ts';
import { type ExemplarRow, encodeExemplars } from '../record/exemplars.ts';
import { encodeHistograms, type HistogramRow, histogramRecordType } from '../record/histograms.ts';
import { encodeMetadata, type MetadataRow } from '../record/metadata.ts';
import type { RecordType } from '../record/record-type.ts';
import { encodeSamples, encodeSamplesV2 } from '../record/samples.ts';
import { beginSeriesRecord, encodeSeries, type EncodedTexts } from '../record/series.ts';
import { encodeTombstones, type TombstoneRow } from '../record/tombstones.ts';
import type { WalWriter } from '../wal/wal-writer.ts';
import { StagedKind, type StagedSamples } from './staged-samples.ts';

/** Records are kept below this, so that replay never needs much memory at a time. */
const SAMPLES_PER_RECORD_MAX = 16_384;
const SERIES_RECORD_SIZE_BYTES_MAX = 1024 * 1024;
/** What new series needed beyond this is given back when there are none any more. */
const SERIES_KEPT_SIZE_BYTES_MAX = 64 * 1024;

export class HeadLog {
  readonly #wal: WalWriter;
  readonly #syncs: boolean;
  readonly #out = new ByteWriter(64 * 1024);
  /**
   * Records of series that wait for a commit, one behind the other. As bytes, because labels that
   * were kept till then would have moved to the old part of the heap: the first scrapes of many
   * targets left more garbage there than everything else the thread has in it.
   */
  #series = new ByteWriter();
  /** Where the last of these records begins, and where those before it end. */
  #recordStart = 0;
  #recordEnds: number[] = [];

  /** @param syncs  whether every commit waits until the disk has it */
  constructor(wal: WalWriter, syncs = false) {
    this.#wal = wal;
    this.#syncs = syncs;
  }

  /** @param labels  names and values in turn */
  addSeries(ref: number, labels: EncodedTexts): void {
    const out = this.#series;
    if (out.length - this.#recordStart >= SERIES_RECORD_SIZE_BYTES_MAX) {
      this.#recordEnds.push(out.length);
      this.#recordStart = out.length;
    }
    if (out.length === this.#recordStart) beginSeriesRecord(out);
    encodeSeries(out, ref, labels);
  }

  get hasNewSeries(): boolean {
    return this.#series.length > 0;
  }

  /** Writes all of it or, throwing, nothing. */
  commit(
    samples: StagedSamples,
    exemplars: readonly ExemplarRow[],
    metadata: readonly MetadataRow[],
  ): void {
    try {
      this.#stageSeries();
      if (metadata.length > 0) this.#stage((out) => encodeMetadata(metadata, out));
      this.#stageSamples(samples);
      if (exemplars.length > 0) this.#stage((out) => encodeExemplars(exemplars, out));
      this.#wal.flush();
      if (this.#syncs) this.#wal.sync();
    } catch (error) {
      this.#wal.discard();
      throw error;
    }
    this.#forgetSeries();
  }

  /** Writes the series that wait for a commit, so that the log knows every series that there is. */
  flushSeries(): void {
    if (!this.hasNewSeries) return;
    this.#stageSeries();
    try {
      this.#wal.flush();
    } catch (error) {
      this.#wal.discard();
      throw error;
    }
    this.#forgetSeries();
  }

  logTombstones(rows: readonly TombstoneRow[]): void {
    this.#out.clear();
    encodeTombstones(rows, this.#out);
    this.#wal.log(this.#out.bytes, 0, this.#out.length);
    // What somebody wanted gone must not come back.
    this.#wal.sync();
  }

  #stage(encode: (out: ByteWriter) => void): void {
    const out = this.#out;
    out.clear();
    encode(out);
    this.#wal.stage(out.bytes, 0, out.length);
  }

  #stageSeries(): void {
    const { bytes, length } = this.#series;
    if (length === 0) return;
    let start = 0;
    for (const end of [...this.#recordEnds, length]) {
      this.#wal.stage(bytes, start, end);
      start = end;
    }
  }

  #forgetSeries(): void {
    if (this.#series.length === 0) {
      if (this.#series.bytes.length > SERIES_KEPT_SIZE_BYTES_MAX) this.#series = new ByteWriter();
      return;
    }
    this.#series.clear();
    this.#recordStart = 0;
    this.#recordEnds = [];
  }

  #stageSamples(samples: StagedSamples): void {
    const { count, kinds } = samples;
    for (let first = 0; first < count; ) {
      const isHistogram = isHistogramKind(kinds[first]!);
      const limit = Math.min(count, first + SAMPLES_PER_RECORD_MAX);
      let last = first + 1;
      if (samples.isPlain) last = limit;
      else while (last < limit && isHistogramKind(kinds[last]!) === isHistogram) last++;
      if (isHistogram) this.#stageHistograms(samples, first, last);
      else if (samples.hasStarts) {
        const { startTimestampsMs } = samples;
        this.#stage((out) => encodeSamplesV2(samples, startTimestampsMs, out, first, last));
      } else this.#stage((out) => encodeSamples(samples, out, first, last));
      first = last;
    }
  }

  /** Histograms of one record must be of one type. */
  #stageHistograms(samples: StagedSamples, first: number, last: number): void {
    const typeAt = (i: number): RecordType =>
      histogramRecordType(samples.histograms[i]!, samples.hasStarts);
    for (let from = first; from < last; ) {
      const type = typeAt(from);
      let to = from + 1;
      while (to < last && typeAt(to) === type) to++;
      const rows: HistogramRow[] = [];
      for (let i = from; i < to; i++) {
        rows.push({
          ref: samples.refs[i]!,
          timestampMs: samples.timestampsMs[i]!,
          startMs: samples.hasStarts ? samples.startTimestampsMs[i]! : 0,
          histogram: samples.histograms[i] as Histogram | FloatHistogram,
        });
      }
      this.#stage((out) => encodeHistograms(type, rows, out));
      from = to;
    }
  }
}

function isHistogramKind(kind: number): boolean {
  return kind === StagedKind.Histogram || kind === StagedKind.LateHistogram;
}
