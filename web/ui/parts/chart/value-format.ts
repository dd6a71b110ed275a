/** How a chart writes its values. Pure. */
import type { LabelSet } from '../../api/query-result.ts';
import { byteSize, compactNumber } from '../number-text.ts';

export type ValueFormat = {
  /** For a legend or a tip; `digits` are significant ones. */
  text: (value: number, digits?: number) => string;
  tick: (value: number) => string;
  /** Steps between ticks that give round numbers; undefined for the decimal ones. */
  increments: number[] | undefined;
};

const PLAIN: ValueFormat = {
  text: compactNumber,
  tick: (value) => compactNumber(value, 6),
  increments: undefined,
};

const BYTES: ValueFormat = {
  text: byteSize,
  tick: (value) => byteSize(value).replace(/\.0+ /, ' '),
  increments: Array.from({ length: 60 }, (_, exponent) => 2 ** exponent),
};

/**
 * The unit can be told from the metric's name, and only as long as the series still carry it: an
 * expression that makes something else of the values drops the name.
 */
export function valueFormatOf(series: readonly { labels: LabelSet }[]): ValueFormat {
  const isBytes = series.every(({ labels }) => labels.__name__?.endsWith('_bytes'));
  return isBytes && series.length > 0 ? BYTES : PLAIN;
}
