/**
 * Which samples the head takes. The table, in this order; `last` is the series' newest sample:
 *
 *   time ≥ valid, time > last                       in order
 *   time ≥ valid, time = last, same value           in order, stored once
 *   time ≥ valid, time = last, another value        refused: duplicate timestamp
 *   otherwise, with an out-of-order window:
 *     time ≥ newest of the head - window            out of order
 *     older                                         refused: too old
 *   otherwise, without a window:
 *     time < valid                                  refused: out of bounds
 *     older than last                               refused: out of order
 *
 * `valid` is where the newest block ends, or half a block range before the newest sample of the
 * head, whichever is later: what lies before may be on its way into a block.
 * Source: Prometheus storage documentation and TSDB usage notes; answers of 2.42 and 3.14.
 */
import { AppendOutcome } from '../../model/index.ts';
import { TIMESTAMP_LIMIT_MS } from './sealed-chunks.ts';

/** How a sample is to be stored, or why it is not. */
export const Placement = {
  InOrder: 0,
  /** Equal to the newest sample: nothing to do. */
  Repeated: 1,
  OutOfOrder: 2,
  Refused: 3,
} as const;
export type Placement = (typeof Placement)[keyof typeof Placement];

export type AppendBounds = {
  /** Samples before this are not taken in order. */
  readonly validMs: number;
  /** Newest timestamp of the head; -Infinity while it is empty. */
  readonly headMaxMs: number;
  /** 0: nothing is taken out of order. */
  readonly outOfOrderWindowMs: number;
};

export function appendBounds(
  minValidMs: number,
  headMaxMs: number,
  chunkRangeMs: number,
  outOfOrderWindowMs: number,
): AppendBounds {
  const validMs = Math.max(minValidMs, headMaxMs - Math.floor(chunkRangeMs / 2));
  return { validMs, headMaxMs, outOfOrderWindowMs };
}

/**
 * Decides about a sample that is not simply newer than the last one of its series.
 *
 * @param lastMs   newest timestamp of the series, -Infinity when it has none
 * @param isEqual  whether the values are equal; asked only for equal times
 */
export function placeSample(
  timestampMs: number,
  lastMs: number,
  isEqual: () => boolean,
  bounds: AppendBounds,
): { placement: Placement; outcome: AppendOutcome } {
  if (!(timestampMs > -TIMESTAMP_LIMIT_MS && timestampMs < TIMESTAMP_LIMIT_MS)) {
    return refused(AppendOutcome.OutOfBounds);
  }
  if (timestampMs >= bounds.validMs) {
    if (timestampMs > lastMs) return { placement: Placement.InOrder, outcome: AppendOutcome.Ok };
    if (timestampMs === lastMs) {
      if (!isEqual()) return refused(AppendOutcome.DuplicateTimestamp);
      return { placement: Placement.Repeated, outcome: AppendOutcome.Ok };
    }
  }
  if (bounds.outOfOrderWindowMs > 0) {
    if (timestampMs >= bounds.headMaxMs - bounds.outOfOrderWindowMs) {
      return { placement: Placement.OutOfOrder, outcome: AppendOutcome.Ok };
    }
    return refused(AppendOutcome.TooOld);
  }
  const isOutOfBounds = timestampMs < bounds.validMs;
  return refused(isOutOfBounds ? AppendOutcome.OutOfBounds : AppendOutcome.OutOfOrder);
}

function refused(outcome: AppendOutcome): { placement: Placement; outcome: AppendOutcome } {
  return { placement: Placement.Refused, outcome };
}
