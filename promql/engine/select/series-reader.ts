/** Reads the samples of the series that a selector found. */
import { type Labels, SampleBuffer, type SelectedSeries } from '../../../model/index.ts';
import type { Source } from '../../plan/nodes.ts';
import type { QueryContext } from '../context.ts';
import { QueryLimitError } from '../../query-errors.ts';
import { IDENTITY_LABELS, shareMetricIdentity } from '../row-labels.ts';
import { hasStaleSample, isStaleSample } from './staleness.ts';

/** Samples that a shared source may keep; beyond that its rows are decoded for every reader. */
const KEPT_SAMPLES_MAX = 4_000_000;

/**
 * The series of a source with the labels that are needed, and those that messages and type checks
 * name. Where types or units differ, rows may become equal once those are taken off, which shows
 * only when all labels are known; that is rare enough for asking twice.
 */
function selectSeries(source: Source, { querier }: QueryContext): SelectedSeries {
  const { matchers, hints, labelNames, dropsIdentity } = source;
  if (labelNames === null) return querier.select(matchers, hints);
  const wanted = [...labelNames.union(IDENTITY_LABELS)];
  const selected = querier.select(matchers, { ...hints, labelNames: wanted });
  const isEnough = !dropsIdentity || shareMetricIdentity(selected.labels);
  return isEnough ? selected : querier.select(matchers, hints);
}

export class SeriesReader {
  readonly labels: readonly Labels[];
  readonly #selected: SelectedSeries;
  readonly #minMs: number;
  readonly #maxMs: number;
  /** Rows that were read already; null where the source has one reader only. */
  readonly #kept: (SampleBuffer | undefined)[] | null;
  readonly #buffer = new SampleBuffer();
  /** Made when it is needed: most queries never see a staleness marker. */
  #withoutStale: SampleBuffer | null = null;
  readonly #context: QueryContext;
  #keptSamples = 0;

  constructor(source: Source, context: QueryContext) {
    const { hints } = source;
    this.#context = context;
    this.#selected = selectSeries(source, context);
    for (const warning of this.#selected.warnings) context.storageWarnings.add(warning);
    this.labels = this.#selected.labels;
    context.seriesCount += this.labels.length;
    this.#minMs = hints.minMs;
    this.#maxMs = hints.maxMs;
    this.#kept = source.useCount > 1 ? new Array(this.labels.length) : null;
    const { seriesMax } = context.limits;
    if (seriesMax > 0 && this.labels.length > seriesMax) {
      throw new QueryLimitError(
        `query selects ${this.labels.length} series, more than the ${seriesMax} allowed ` +
          '(--query.max-series)',
        'query.max-series',
      );
    }
  }

  /** All samples of a row, staleness markers included. Valid until the next call; not to be changed. */
  samples(row: number): SampleBuffer {
    this.#context.tick();
    const kept = this.#kept?.[row];
    if (kept !== undefined) return kept;
    if (this.#kept === null || this.#keptSamples > KEPT_SAMPLES_MAX) {
      this.#selected.read(row, this.#minMs, this.#maxMs, this.#buffer);
      this.#context.sampleCount += this.#buffer.count;
      return this.#buffer;
    }
    const own = new SampleBuffer(64);
    this.#selected.read(row, this.#minMs, this.#maxMs, own);
    this.#context.sampleCount += own.count;
    this.#keptSamples += own.capacity;
    this.#kept[row] = own;
    return own;
  }

  /** The samples of a row without staleness markers. */
  freshSamples(row: number): SampleBuffer {
    const samples = this.samples(row);
    return hasStaleSample(samples) ? this.#copyFresh(samples) : samples;
  }

  #copyFresh(samples: SampleBuffer): SampleBuffer {
    const fresh = (this.#withoutStale ??= new SampleBuffer(16));
    fresh.clear();
    fresh.reserve(samples.count);
    const { histograms, startTimestampsMs } = samples;
    if (histograms !== null) fresh.histograms = [];
    if (startTimestampsMs !== null) fresh.startTimestampsMs = new Float64Array(fresh.capacity);
    for (let i = 0; i < samples.count; i++) {
      if (isStaleSample(samples, i)) continue;
      const at = fresh.count++;
      fresh.timestampsMs[at] = samples.timestampsMs[i]!;
      fresh.values[at] = samples.values[i]!;
      fresh.histograms?.push(histograms![i]!);
      if (startTimestampsMs !== null) fresh.startTimestampsMs![at] = startTimestampsMs[i]!;
    }
    return fresh;
  }
}
