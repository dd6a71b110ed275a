/** What all operators of one running query share: data, bounds, annotations. */
import type { Querier, TextRange } from '../../model/index.ts';
import { type Annotation, AnnotationSet } from '../annotations.ts';
import {
  ExecutionError,
  QueryCanceledError,
  QueryLimitError,
  QueryTimeoutError,
} from '../query-errors.ts';

/** What a float sample takes, by which histograms are counted too. */
const SAMPLE_SIZE_BYTES = 16;
/** A cell of a table: a float, and whether it is there. */
const CELL_SIZE_BYTES = 9;

/** How many rows or windows of work may pass between two looks at the clock. */
const CHECK_INTERVAL = 64;

/** Results are kept in tables with a cell for every series and step, filled or not. */
const EMPTY_CELL_RATIO = 4;
const CELL_COUNT_MIN = 4_000_000;
const CELL_COUNT_MAX = 2 ** 30;

function tooManySamples(limit: string): QueryLimitError {
  const flag = 'query.max-samples';
  // Tools look for Prometheus's words, so what it does not say comes behind them.
  return new QueryLimitError(
    'query processing would load too many samples into memory in query execution ' +
      `(${limit}, --${flag})`,
    flag,
  );
}

export type QueryFeatures = {
  /** The metric name is removed at the very end of the evaluation. */
  readonly delayedNameRemoval: boolean;
  /** rate and its kin see counter resets in start timestamps. */
  readonly startTimestamps: boolean;
  /** `__type__` decides what is a counter. */
  readonly typeAndUnitLabels: boolean;
};

export type QueryLimits = {
  /** Samples held at one time; 0 for no bound. */
  readonly samplesMax: number;
  /** Series that one selector may find; 0 for no bound. */
  readonly seriesMax: number;
  /** Memory for samples and results at one time; 0 for no bound. */
  readonly bytesMax: number;
};

export type Interrupts = {
  /** Milliseconds since the epoch at which the query has run out of time. */
  readonly deadlineMs: number;
  /** Asked now and then; true stops the query. */
  readonly isCanceled: (() => boolean) | null;
  /** Told now and then what the query has cost so far. */
  readonly onProgress: ProgressListener | null;
};

/**
 * @param sampleCount  samples read from storage
 * @param seriesCount  series that selectors have found
 * @param heldSizeBytes  samples and results held at this moment
 */
export type ProgressListener = (
  sampleCount: number,
  seriesCount: number,
  heldSizeBytes: number,
) => void;

export class QueryContext {
  readonly querier: Querier;
  readonly features: QueryFeatures;
  readonly limits: QueryLimits;
  readonly annotations = new AnnotationSet();
  /** What storage had to say. */
  readonly storageWarnings = new Set<string>();
  peakSamples = 0;
  /** What selectors have found and read so far. */
  seriesCount = 0;
  sampleCount = 0;
  readonly #interrupts: Interrupts;
  #samples = 0;
  #untilCheck = CHECK_INTERVAL;

  constructor(
    querier: Querier,
    features: QueryFeatures,
    limits: QueryLimits,
    interrupts: Interrupts,
  ) {
    this.querier = querier;
    this.features = features;
    this.limits = limits;
    this.#interrupts = interrupts;
  }

  annotate(annotation: Annotation): void {
    this.annotations.add(annotation);
  }

  /** Counts samples that are held from now on. @throws QueryLimitError above the bound */
  hold(sampleCount: number): void {
    this.#samples += sampleCount;
    if (this.#samples > this.peakSamples) this.peakSamples = this.#samples;
    const { samplesMax } = this.limits;
    if (samplesMax > 0 && this.#samples > samplesMax) {
      throw tooManySamples(`limit of ${samplesMax}`);
    }
    this.#checkBytes(0);
  }

  #checkBytes(cellCount: number): void {
    const { bytesMax } = this.limits;
    const bytes = this.#samples * SAMPLE_SIZE_BYTES + cellCount * CELL_SIZE_BYTES;
    if (bytesMax === 0 || bytes <= bytesMax) return;
    const flag = 'query.max-bytes';
    throw new QueryLimitError(
      `query takes ${bytes} bytes of memory, more than the ${bytesMax} allowed (--${flag})`,
      flag,
    );
  }

  /** Notes samples that are held only for a moment on top of the others. */
  touch(sampleCount: number): void {
    this.hold(sampleCount);
    this.#samples -= sampleCount;
  }

  /**
   * Asks before memory for `cellCount` results is taken, most of which may stay empty.
   * @throws QueryLimitError
   */
  checkCells(cellCount: number): void {
    const { samplesMax } = this.limits;
    const cellCountMax =
      samplesMax > 0 ? Math.max(samplesMax * EMPTY_CELL_RATIO, CELL_COUNT_MIN) : CELL_COUNT_MAX;
    if (cellCount > cellCountMax) {
      throw tooManySamples(`limit of ${cellCountMax} results, filled or not`);
    }
    this.#checkBytes(cellCount);
  }

  release(sampleCount: number): void {
    this.#samples -= sampleCount;
  }

  /** To be called for every piece of work; looks at the clock now and then. */
  tick(): void {
    if (--this.#untilCheck <= 0) this.checkInterrupt();
  }

  /** @throws QueryTimeoutError, QueryCanceledError */
  checkInterrupt(): void {
    this.#untilCheck = CHECK_INTERVAL;
    const { deadlineMs, isCanceled, onProgress } = this.#interrupts;
    onProgress?.(this.sampleCount, this.seriesCount, this.#samples * SAMPLE_SIZE_BYTES);
    if (isCanceled?.()) throw new QueryCanceledError();
    if (Date.now() > deadlineMs) throw new QueryTimeoutError();
  }
}

/** Two rows with equal labels have a sample at the same step. */
export function sameLabelsetError(): ExecutionError {
  return new ExecutionError('vector cannot contain metrics with the same labelset');
}

export type { TextRange };
