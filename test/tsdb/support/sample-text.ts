/** Samples as comparable texts: numbers that read equal give equal texts. */
import {
  type FloatHistogram,
  formatFloat,
  lowerBound,
  parseFloatText,
  spanIndexes,
  upperBound,
} from '../../../model/index.ts';

export function floatText(value: number): string {
  return formatFloat(value);
}

/** Count, sum and all buckets that are not empty, lowest first. */
export function histogramText(histogram: FloatHistogram): string {
  const { schema, customBounds, zeroThreshold, zeroCount } = histogram;
  const parts = [formatFloat(histogram.count), formatFloat(histogram.sum)];
  const add = (lower: number, upper: number, count: number) => {
    if (count === 0) return;
    parts.push(`${formatFloat(lower)},${formatFloat(upper)}:${formatFloat(count)}`);
  };
  const negative = spanIndexes(histogram.negativeSpans).map((index, i) => [
    -upperBound(index, schema, customBounds),
    -lowerBound(index, schema, customBounds),
    histogram.negativeCounts[i]!,
  ]);
  for (const [lower, upper, count] of negative.reverse()) add(lower!, upper!, count!);
  add(-zeroThreshold, zeroThreshold, zeroCount);
  spanIndexes(histogram.positiveSpans).forEach((index, i) => {
    const lower = lowerBound(index, schema, customBounds);
    add(lower, upperBound(index, schema, customBounds), histogram.positiveCounts[i]!);
  });
  return parts.join(' ');
}

/** What the dump tool prints, in the same form. */
export function dumpedText(value: string): string {
  if (!value.startsWith('{')) return normalized(value);
  const parts: string[] = [];
  for (const [, bounds, count] of value.matchAll(/([[(][^\])]*[\])]|count|sum):([^,}]+)/g)) {
    if (bounds === 'count' || bounds === 'sum') {
      parts.push(normalized(count!));
    } else if (Number(count) !== 0) {
      const ends = bounds!.slice(1, -1).split(',').map(normalized).join(',');
      parts.push(`${ends}:${normalized(count!)}`);
    }
  }
  return parts.join(' ');
}

function normalized(number: string): string {
  const value = parseFloatText(number);
  if (value === undefined) throw new Error(`not a number: ${number}`);
  return formatFloat(value);
}
