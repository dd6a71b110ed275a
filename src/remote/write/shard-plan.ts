/**
 * How many shards a queue needs: enough to send what comes in, and a little more while it is behind.
 *
 *   seconds of sending per sample · (samples in per second + backlog · share) = busy shards
 *
 * Rates are smoothed; a difference of less than 30 % is not worth the pause that a change costs.
 * Source: Prometheus documentation, remote write tuning ("shards", "parameters").
 */

const SMOOTHING = 0.2;
const TOLERANCE = 0.3;
/** So much of the backlog is to be worked off per second. */
const CATCH_UP_SHARE = 0.05;

/** An average in which older figures count less and less. */
class Smoothed {
  value = 0;
  #isFirst = true;

  add(value: number): void {
    this.value = this.#isFirst ? value : SMOOTHING * value + (1 - SMOOTHING) * this.value;
    this.#isFirst = false;
  }
}

/** What happened since the last look. */
export type Traffic = {
  readonly elapsedSeconds: number;
  /** Read from the log and meant to be sent. */
  readonly samplesIn: number;
  readonly samplesOut: number;
  /** Of all shards together, retries included. */
  readonly sendSeconds: number;
  /** From the newest sample that was sent to the newest that is known. */
  readonly behindSeconds: number;
};

export class ShardPlan {
  readonly #min: number;
  readonly #max: number;
  readonly #in = new Smoothed();
  readonly #out = new Smoothed();
  readonly #duration = new Smoothed();

  constructor(min: number, max: number) {
    this.#min = min;
    this.#max = max;
  }

  /**
   * @returns `desired`: what the figures say, within no bounds; `shards`: how many there should be
   */
  look(current: number, traffic: Traffic): { readonly desired: number; readonly shards: number } {
    const { elapsedSeconds, samplesIn, samplesOut, sendSeconds, behindSeconds } = traffic;
    this.#in.add(samplesIn / elapsedSeconds);
    this.#out.add(samplesOut / elapsedSeconds);
    this.#duration.add(sendSeconds / elapsedSeconds);
    // Nothing got through: more shards would only fail more.
    if (this.#out.value <= 0 || samplesOut === 0) return { desired: current, shards: current };
    const secondsPerSample = this.#duration.value / this.#out.value;
    const backlog = Math.max(0, behindSeconds) * this.#in.value;
    const desired = secondsPerSample * (this.#in.value + CATCH_UP_SHARE * backlog);
    const isClose = desired > current * (1 - TOLERANCE) && desired < current * (1 + TOLERANCE);
    const wanted = isClose ? current : Math.ceil(desired);
    return { desired, shards: Math.min(this.#max, Math.max(this.#min, wanted)) };
  }
}
