/** Labels of a sample and of its target are joined as a plain description of the rules says. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels, Relabeler } from '../../model/index.ts';
import { SampleLabels } from '../../scrape/sample-labels.ts';

const name = fc.constantFrom(
  'a',
  'b',
  'job',
  'instance',
  'exported_job',
  'exported_exported_job',
  'exported_instance',
);
const value = fc.constantFrom('', 'x', 'y', 'z');
const labelSet = fc.dictionary(name, value, { maxKeys: 6 });
/** Sometimes very many, which are kept in another way. */
const padding = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(100) },
);

function expected(
  sent: Record<string, string>,
  target: Record<string, string>,
  honorLabels: boolean,
): Record<string, string> {
  const result: Record<string, string> = { ...sent };
  if (honorLabels) {
    for (const [label, text] of Object.entries(target)) if (!(label in sent)) result[label] = text;
    return present(result);
  }
  const replaced: [string, string][] = [];
  for (const label of Object.keys(target).sort()) {
    if (target[label] === '') continue;
    if (sent[label]) replaced.push([label, sent[label]]);
    result[label] = target[label]!;
  }
  replaced.sort((a, b) => a[0].length - b[0].length);
  for (const [label, text] of replaced) {
    let renamed = `exported_${label}`;
    while (result[renamed]) renamed = `exported_${renamed}`;
    result[renamed] = text;
  }
  return present(result);
}

function present(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, text]) => text !== ''));
}

test('target labels are put on as the rules say', () => {
  fc.assert(
    fc.property(labelSet, labelSet, fc.boolean(), padding, (sent, target, honorLabels, count) => {
      const all: Record<string, string> = { __name__: 'm', ...sent };
      for (let i = 0; i < count; i++) all[`pad_${i}`] = 'v';
      const targetLabels = Labels.fromObject(target);
      const sampleLabels = new SampleLabels({
        targetLabels,
        honorLabels,
        nameScheme: 'utf8',
        metricRelabeler: new Relabeler([]),
        labelLimit: 0,
        labelNameLengthLimit: 0,
        labelValueLengthLimit: 0,
      });
      const labels = sampleLabels.of(Object.entries(all).flat());
      expect(labels!.toObject()).toEqual(expected(all, targetLabels.toObject(), honorLabels));
      const names = [...labels!].map(([label]) => label);
      expect(names).toEqual(names.toSorted());
    }),
    { numRuns: 500 },
  );
});
