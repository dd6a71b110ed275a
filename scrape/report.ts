/** The series that every scrape adds about itself: `up` and its companions. */
import type { Labels } from '../model/index.ts';

const STANDARD = [
  'up',
  'scrape_duration_seconds',
  'scrape_samples_scraped',
  'scrape_samples_post_metric_relabeling',
  'scrape_series_added',
] as const;
const EXTRA = ['scrape_timeout_seconds', 'scrape_sample_limit', 'scrape_body_size_bytes'] as const;

/** Names in the order in which values are given. */
export function reportNames(withExtra: boolean): readonly string[] {
  return withExtra ? [...STANDARD, ...EXTRA] : STANDARD;
}

/** Of one target: labels are made when first needed, references are kept from scrape to scrape. */
export class ReportSeries {
  readonly refs: Float64Array;
  readonly names: readonly string[];
  readonly #labelsOf: (name: string) => Labels;

  constructor(withExtra: boolean, labelsOf: (name: string) => Labels) {
    this.names = reportNames(withExtra);
    this.refs = new Float64Array(this.names.length);
    this.#labelsOf = labelsOf;
  }

  labels(index: number): Labels {
    return this.#labelsOf(this.names[index]!);
  }
}
