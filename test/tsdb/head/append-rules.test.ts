import { describe, expect, test } from 'vitest';
import { AppendOutcome } from '../../../model/index.ts';
import { appendBounds, Placement, placeSample } from '../../../tsdb/head/append-rules.ts';

const yes = () => true;
const no = () => false;

describe('a sample is placed', () => {
  // The head's newest sample is at 10,000; half a range of 4,000 before it begins what is valid.
  const without = appendBounds(-Infinity, 10_000, 4000, 0);
  const within = appendBounds(-Infinity, 10_000, 4000, 3000);
  const { Ok, OutOfOrder, DuplicateTimestamp, OutOfBounds, TooOld } = AppendOutcome;

  test.each([
    // time, newest of the series, equal, without a window, with one
    [9000, -Infinity, no, Placement.InOrder, Ok, Placement.InOrder, Ok],
    [9000, 8999, no, Placement.InOrder, Ok, Placement.InOrder, Ok],
    [8000, -Infinity, no, Placement.InOrder, Ok, Placement.InOrder, Ok],
    [9000, 9000, yes, Placement.Repeated, Ok, Placement.Repeated, Ok],
    [9000, 9000, no, Placement.Refused, DuplicateTimestamp, Placement.Refused, DuplicateTimestamp],
    [9000, 9001, no, Placement.Refused, OutOfOrder, Placement.OutOfOrder, Ok],
    [7999, -Infinity, no, Placement.Refused, OutOfBounds, Placement.OutOfOrder, Ok],
    [7999, 7000, no, Placement.Refused, OutOfBounds, Placement.OutOfOrder, Ok],
    [7999, 9000, no, Placement.Refused, OutOfBounds, Placement.OutOfOrder, Ok],
    [7000, 9000, no, Placement.Refused, OutOfBounds, Placement.OutOfOrder, Ok],
    [6999, 9000, no, Placement.Refused, OutOfBounds, Placement.Refused, TooOld],
    [6999, 6999, yes, Placement.Refused, OutOfBounds, Placement.Refused, TooOld],
  ])(
    'time %d behind %d',
    (timestampMs, lastMs, isEqual, placement, outcome, placementWithin, outcomeWithin) => {
      expect(placeSample(timestampMs, lastMs, isEqual, without)).toEqual({ placement, outcome });
      expect(placeSample(timestampMs, lastMs, isEqual, within)).toEqual({
        placement: placementWithin,
        outcome: outcomeWithin,
      });
    },
  );

  test('nowhere when its time is beyond what is kept', () => {
    for (const timestampMs of [2 ** 47, -(2 ** 47), NaN, Infinity]) {
      expect(placeSample(timestampMs, -Infinity, no, without).outcome).toBe(OutOfBounds);
    }
  });

  test('behind the newest block in any case', () => {
    expect(appendBounds(9500, 10_000, 4000, 0).validMs).toBe(9500);
    expect(appendBounds(-Infinity, -Infinity, 4000, 0).validMs).toBe(-Infinity);
  });
});
