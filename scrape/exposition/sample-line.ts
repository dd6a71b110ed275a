/** Single lines of a body in the text format or OpenMetrics, for readers that survive a bad one. */
import { assert } from '../../model/index.ts';
import { EntryKind, EntryScanner } from './entry-scanner.ts';
import { BoundLabel, type RawLabels, readRawLabels } from './series-text.ts';

export type SampleLine = {
  /** `[name, value, …]` in the order of the text, the metric name first. */
  readonly labels: RawLabels;
  readonly value: number;
  /** NaN when the line gives no time. */
  readonly timestampMs: number;
};

/** What the scanner may write behind a line. */
export const SPARE_SIZE_BYTES = 3;

export class SampleLineReader {
  readonly #scanner: EntryScanner;

  constructor(openMetrics: boolean) {
    this.#scanner = new EntryScanner(openMetrics);
  }

  /**
   * The line `bytes[0…end)`, without its newline; the bytes behind it are used. Null for a line that
   * holds no sample.
   * @throws ExpositionError
   */
  read(bytes: Uint8Array, end: number): SampleLine | null {
    assert(bytes.length >= end + SPARE_SIZE_BYTES, 'no room behind the line');
    const scanner = this.#scanner;
    if (scanner.openMetrics) bytes[end++] = 0x0a;
    scanner.reset(bytes, end);
    scanner.next(0);
    if (scanner.kind !== EntryKind.Sample) return null;
    const { value, timestampMs } = scanner;
    return { labels: readRawLabels(scanner.series, BoundLabel.None), value, timestampMs };
  }
}
