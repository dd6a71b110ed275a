/** Which rows concern an alert, against the sentence that says so. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Labels } from '../../../model/index.ts';
import { RelatedRows } from '../../../src/why/related.ts';

const labels = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'alertname', '__name__'), fc.constantFrom('1', '2'), {
    maxKeys: 4,
  })
  .map((object) => Labels.fromObject(object));

test('a row concerns an alert when all labels that both have are equal', () => {
  fc.assert(
    fc.property(fc.array(labels), fc.array(labels, { maxLength: 3 }), (rows, alerts) => {
      const related = new RelatedRows(rows);
      for (const alert of alerts) {
        const expected = rows.flatMap((row, index) => {
          const names = ['a', 'b', 'c'].filter((name) => row.has(name) && alert.has(name));
          return names.every((name) => row.get(name) === alert.get(name)) ? [index] : [];
        });
        expect(related.of(alert)).toEqual(expected);
      }
    }),
  );
});
