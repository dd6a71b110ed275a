/** What is to be made of the series of one target, as its job says. */
import type { SampleLabels } from './sample-labels.ts';

export type SeriesOptions = {
  readonly sampleLabels: SampleLabels;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly sampleLimit: number;
  readonly scrapeNativeHistograms: boolean;
  readonly convertClassicHistograms: boolean;
  readonly keepClassicHistograms: boolean;
  readonly nativeHistogramBucketLimit: number;
  /** The finest resolution that is stored. */
  readonly nativeHistogramSchemaMax: number;
  /** Hand metadata to storage, too. */
  readonly appendMetadata: boolean;
  /** Hand start timestamps to storage; `_created` lines of OpenMetrics are such then, not samples. */
  readonly readsStarts: boolean;
  /** Make start timestamps up where a counter has none. */
  readonly synthesizesStarts: boolean;
};
