/** Relabelling rules of any kind: refused when they are checked, or applied to any labels at all. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  checkRelabelConfig,
  Labels,
  RELABEL_ACTIONS,
  type RelabelConfig,
  Relabeler,
  ValueError,
} from '../../../model/index.ts';

const APPLY_MS_MAX = 2000;

const PIECES = [
  ['a', 'b', '.', '*', '+', '?', '(', ')', '(a|b)', '[', ']', '[^x]', '{2}', '{1001}', '\\', '|'],
  ['\\d', '\\p{L}', '(?i)', '(?P<n>', '^', '$', '\\b', 'é', '$1', '${n}', '${', '$$', '_', ':'],
].flat();
const piece = fc.constantFrom(...PIECES);
const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
const labelName = fc.oneof(fc.constantFrom('a', 'b', '__name__', '__address__', 'instance'), text);
const rule: fc.Arbitrary<RelabelConfig> = fc.record({
  sourceLabels: fc.array(labelName, { maxLength: 3 }),
  separator: fc.constantFrom(';', '', 'ab'),
  regex: fc.oneof(text, fc.constantFrom('(.*)', '(a+)+', '(a|aa)*b')),
  modulus: fc.constantFrom(0, 1, 7, 2 ** 53),
  targetLabel: fc.oneof(labelName, fc.constant('')),
  replacement: fc.oneof(fc.constant('$1'), text),
  action: fc.constantFrom(...RELABEL_ACTIONS),
});
const labels = fc
  .dictionary(
    labelName.filter((name) => name !== ''),
    fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), fc.constant('a'.repeat(2000))),
    { maxKeys: 5 },
  )
  .map((record) => Labels.fromObject(record));

test('rules that pass their check do no harm', () => {
  fc.assert(
    fc.property(
      fc.array(rule, { maxLength: 4 }),
      fc.array(labels, { maxLength: 4 }),
      (rules, sets) => {
        let relabeler: Relabeler;
        try {
          for (const one of rules) checkRelabelConfig(one);
          relabeler = new Relabeler(rules);
        } catch (error) {
          if (!(error instanceof ValueError)) throw error;
          return;
        }
        const beganMs = performance.now();
        for (const set of sets) {
          const result = relabeler.apply(set);
          const steps = relabeler.steps(set);
          // What the steps show is what happens.
          const last = steps.at(-1);
          const shown = last === undefined ? set : last.keep ? last.output : null;
          expect(result?.toString()).toBe(shown?.toString());
        }
        expect(performance.now() - beganMs).toBeLessThan(APPLY_MS_MAX);
      },
    ),
    { numRuns: 1000 },
  );
});
