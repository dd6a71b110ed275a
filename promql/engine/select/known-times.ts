import type { SampleBuffer } from '../../../model/index.ts';

/**
 * The timestamps of the row before. Series that were scraped together have the same ones, and what
 * depends on nothing else need not be worked out again.
 */
export class KnownTimes {
  #timestampsMs = new Float64Array(0);
  #count = -1;

  /** Whether `samples` have the timestamps of the samples asked about before. */
  areThoseOf({ timestampsMs, count }: SampleBuffer): boolean {
    const known = this.#timestampsMs;
    if (count === this.#count) {
      let at = 0;
      while (at < count && known[at] === timestampsMs[at]) at++;
      if (at === count) return true;
    }
    if (known.length < count) this.#timestampsMs = new Float64Array(count * 2);
    this.#timestampsMs.set(timestampsMs.subarray(0, count));
    this.#count = count;
    return false;
  }
}
