/** Series records from labels, as tests have them. */
import type { ByteWriter, Labels } from '../../../model/index.ts';
import { TextBytes } from '../../../tsdb/head/text-bytes.ts';
import { encodeSeries as encodeTexts } from '../../../tsdb/record/series.ts';

const texts = new TextBytes();

/** Appends one series to a record that was begun. */
export function encodeSeries(out: ByteWriter, ref: number, labels: Labels): void {
  texts.clear();
  for (const text of labels.flat) texts.add(text);
  encodeTexts(out, ref, texts);
}
