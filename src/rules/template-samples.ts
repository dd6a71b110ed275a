/** The answer to a query as templates see it. */
import { formatHistogram } from '../../model/index.ts';
import type { RuleVector } from './rule-ports.ts';
import { type GoStruct, GoText, templateSample } from './template/index.ts';

export function templateSamples({ labels, values, histograms }: RuleVector): GoStruct[] {
  return labels.map((set, row) => {
    const histogram = histograms?.[row] ?? null;
    const value = histogram === null ? values[row]! : new GoText(formatHistogram(histogram));
    return templateSample(set.toObject(), value);
  });
}
